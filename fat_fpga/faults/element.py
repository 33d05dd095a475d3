"""One activation stuck at a level: one channel of one pixel (Zahid et al. 2020, section IV, equation 1)."""

from __future__ import annotations

from fat_fpga.faults.streams import StuckBox


class ElementStuckAt(StuckBox):
    kind = "element"
    cause = "one activation in a FIFO or line buffer"
    axes = ("channel", "row", "column")
