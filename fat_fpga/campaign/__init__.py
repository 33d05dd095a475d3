"""Campaigns: run every fault on every image, keep the counts, read them back.

>>> from fat_fpga.campaign import Run, run_campaign, statistics
>>> run = Run.open("cnv_w1a1.run")                       # doctest: +SKIP
>>> run.error_free_accuracy                              # doctest: +SKIP
>>> for group in statistics(run):                        # doctest: +SKIP
...     print(group.layer, group.value, group.spread.min, group.spread.worst.fault)
"""

from fat_fpga.campaign.identity import Identity
from fat_fpga.campaign.layer_table import LayerRow
from fat_fpga.campaign.run import Result, Run, Session
from fat_fpga.campaign.runner import run_campaign
from fat_fpga.campaign.statistics import Group, Spread, most_critical, overall, statistics

__all__ = [
    "Group",
    "Identity",
    "LayerRow",
    "Result",
    "Run",
    "Session",
    "Spread",
    "most_critical",
    "overall",
    "run_campaign",
    "statistics",
]
