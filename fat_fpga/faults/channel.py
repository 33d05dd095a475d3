"""A whole channel stuck at one activation level.

Models a fault inside the processing element that computes the channel: adder tree, weight or threshold
memory, comparator (Zahid et al. 2020, section II, Figures 1 and 2 left). At a unit it acts where the output
register is: behind the thresholds, in front of any pooling. At a pool or at the input it is the stream that fails.
"""

from __future__ import annotations

from fat_fpga.faults.streams import StuckBox
from fat_fpga.faults.traits import CHANNEL_AXIS, Family, Traits


class ChannelStuckAt(StuckBox):
    kind = "channel"
    cause = "adder tree, comparator or output register of the PE that computes the channel"
    traits = Traits(Family.LEVEL, "stuck channel", "channels", axes=(CHANNEL_AXIS,), counted_once=True)
