"""The same pixel of all channels stuck at one activation level.

Models a fault in the stream between two layers: a word of its FIFO or a register of its control holds the
pixel (Zahid et al. 2020, section II, Figure 2 right).
"""

from __future__ import annotations

from fat_fpga.faults.streams import StuckBox


class PixelStuckAt(StuckBox):
    kind = "pixel"
    cause = "FIFO or stream between two layers: the word of one pixel"
    axes = ("row", "column")
