"""The names of what a campaign can count beside right and changed classes, for those who read runs."""

from __future__ import annotations

from fat_fpga.engines.counts import (
    ERRORS,
    HITS,
    MODULE_OUTCOME_NAMES,
    NONFINITE,
    OUTCOME_NAMES,
    OUTCOMES,
    PARTS,
    WORD_NAMES,
    error_name,
)
from fat_fpga.engines.criteria import COST, TOP5, cost_matrix_of
from fat_fpga.engines.detectors import DETECTORS

__all__ = [
    "COST",
    "DETECTORS",
    "ERRORS",
    "HITS",
    "MODULE_OUTCOME_NAMES",
    "NONFINITE",
    "OUTCOMES",
    "OUTCOME_NAMES",
    "PARTS",
    "TOP5",
    "WORD_NAMES",
    "cost_matrix_of",
    "error_name",
]
