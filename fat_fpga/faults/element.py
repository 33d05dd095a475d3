"""One activation stuck at a level: one channel of one pixel (Zahid et al. 2020, section IV, equation 1)."""

from __future__ import annotations

from fat_fpga.faults.streams import StuckBox
from fat_fpga.faults.traits import STREAM_AXES, Family, Traits


class ElementStuckAt(StuckBox):
    kind = "element"
    cause = "one activation in a FIFO or line buffer"
    traits = Traits(Family.LEVEL, "stuck element", "elements", axes=STREAM_AXES)
