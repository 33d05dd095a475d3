"""Campaigns: run every fault on every image, keep the counts, read them back.

>>> from fat_fpga.campaign import Run, run_campaign, statistics
>>> run = Run.open("cnv_w1a1.run")                       # doctest: +SKIP
>>> run.error_free_accuracy                              # doctest: +SKIP
>>> for group in statistics(run):                        # doctest: +SKIP
...     print(group.layer, group.effect, group.spread.min, group.spread.worst.fault)
"""

from fat_fpga.campaign.fault_free import FaultFree
from fat_fpga.campaign.fault_list import read_fault_list, read_selection
from fat_fpga.campaign.gate import assert_limits, assert_worst_accuracy
from fat_fpga.campaign.identity import Identity
from fat_fpga.campaign.intervals import Estimate
from fat_fpga.campaign.layer_table import LayerRow
from fat_fpga.campaign.measures import Measure, class_accuracies, measure_of, measures
from fat_fpga.campaign.origin import Origin, Strata, Stratum
from fat_fpga.campaign.run import Result, Run, Session
from fat_fpga.campaign.runner import run_campaign
from fat_fpga.campaign.sampling import mean_estimate
from fat_fpga.campaign.selection import Selection
from fat_fpga.campaign.shares import Share, changing, harmful
from fat_fpga.campaign.statistics import Group, Spread, at_voters, kinds, most_critical, overall, statistics
from fat_fpga.engines.criteria import CostMatrix, read_cost_matrix

__all__ = [
    "CostMatrix",
    "Estimate",
    "FaultFree",
    "Group",
    "Identity",
    "LayerRow",
    "Measure",
    "Origin",
    "Result",
    "Run",
    "Selection",
    "Session",
    "Share",
    "Spread",
    "Strata",
    "Stratum",
    "assert_limits",
    "assert_worst_accuracy",
    "at_voters",
    "changing",
    "class_accuracies",
    "harmful",
    "kinds",
    "mean_estimate",
    "measure_of",
    "measures",
    "most_critical",
    "overall",
    "read_cost_matrix",
    "read_fault_list",
    "read_selection",
    "run_campaign",
    "statistics",
]
