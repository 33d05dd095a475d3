"""Our parts as FINN operators: `FatVoter_rtl`, `FatSaboteur_rtl` and `FatChecksum_rtl`.

They stand in FINN's own domain for RTL operators, so that FINN partitions, folds, estimates and stitches them like
its own: in a domain of ours, CreateDataflowPartition would cut the graph in two, and SpecializeLayers refuses an
operator without an _hls or _rtl class. All are executed in Python; their RTL is in ``hw/rtl``.
"""

from __future__ import annotations

from functools import cache

DOMAIN = "finn.custom_op.fpgadataflow.rtl"
VOTER, SABOTEUR, CHECKSUM = "FatVoter_rtl", "FatSaboteur_rtl", "FatChecksum_rtl"


@cache
def register() -> None:
    """Make FINN and qonnx know our operators; does its work once.

    Raises:
        FinnError: finn-plus is not installed.
    """
    from fat_fpga.finn.setup import prepare

    prepare()
    from qonnx.custom_op.registry import add_op_to_domain

    from fat_fpga.finn.operators.checksum import FatChecksum_rtl
    from fat_fpga.finn.operators.saboteur import FatSaboteur_rtl
    from fat_fpga.finn.operators.voter import FatVoter_rtl

    for operator in (FatVoter_rtl, FatSaboteur_rtl, FatChecksum_rtl):
        add_op_to_domain(DOMAIN, operator)
