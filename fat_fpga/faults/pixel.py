"""The same pixel of all channels stuck at one activation level.

Models a fault in the stream between two layers: a word of its FIFO or a register of its control holds the
pixel (Zahid et al. 2020, section II, Figure 2 right).
"""

from __future__ import annotations

from fat_fpga.faults.block import Block
from fat_fpga.faults.model import Setting
from fat_fpga.faults.place import Place
from fat_fpga.faults.streams import StuckBox
from fat_fpga.faults.subject import AnySubject
from fat_fpga.faults.traits import COLUMN_AXIS, ROW_AXIS, Family, Traits


class PixelStuckAt(StuckBox):
    kind = "pixel"
    cause = "FIFO or stream between two layers: the word of one pixel"
    traits = Traits(Family.LEVEL, "stuck pixel", "pixels", axes=(ROW_AXIS, COLUMN_AXIS))

    def block(self, network: AnySubject, place: Place, setting: Setting) -> Block | None:
        """A stream of a single pixel, all of which would be stuck, has to be named."""
        if not setting.named and place.shape[1:] == (1, 1):
            return None
        return super().block(network, place, setting)
