"""Our parts as FINN operators: `FatVoter_rtl`, `FatSaboteur_rtl` and `FatChecksum_rtl`, and for builds without Vitis
HLS `FatMVTU_rtl`, `FatWindow_rtl`, `FatPool_rtl` and `FatLabelSelect_rtl` (see `fat_fpga.finn.rtl_only`).

They stand in FINN's own domain for RTL operators, so that FINN partitions, folds, estimates and stitches them like
its own: in a domain of ours, CreateDataflowPartition would cut the graph in two, and SpecializeLayers refuses an
operator without an _hls or _rtl class. All are executed in Python; their RTL is in ``hw/rtl``.
"""

from __future__ import annotations

from functools import cache

DOMAIN = "finn.custom_op.fpgadataflow.rtl"
VOTER, SABOTEUR, CHECKSUM = "FatVoter_rtl", "FatSaboteur_rtl", "FatChecksum_rtl"
UNITS = {"MVAU": "FatMVTU_rtl", "Pool": "FatPool_rtl", "LabelSelect": "FatLabelSelect_rtl",
         "ConvolutionInputGenerator": "FatWindow_rtl"}  # fmt: skip
"""Ours in the place of FINN's."""


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
    from fat_fpga.finn.operators.labels import FatLabelSelect_rtl
    from fat_fpga.finn.operators.matrix import FatMVTU_rtl
    from fat_fpga.finn.operators.pool import FatPool_rtl
    from fat_fpga.finn.operators.saboteur import FatSaboteur_rtl
    from fat_fpga.finn.operators.voter import FatVoter_rtl
    from fat_fpga.finn.operators.window import FatWindow_rtl

    blocks = FatVoter_rtl, FatSaboteur_rtl, FatChecksum_rtl
    for operator in (*blocks, FatMVTU_rtl, FatWindow_rtl, FatPool_rtl, FatLabelSelect_rtl):
        add_op_to_domain(DOMAIN, operator)
