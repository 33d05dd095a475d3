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
from fat_fpga.engines.detectors import DETECTORS

__all__ = [
    "DETECTORS",
    "ERRORS",
    "HITS",
    "MODULE_OUTCOME_NAMES",
    "NONFINITE",
    "OUTCOMES",
    "OUTCOME_NAMES",
    "PARTS",
    "WORD_NAMES",
    "error_name",
]
