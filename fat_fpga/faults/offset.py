"""A bit of the offset that a channel gets in fixed point, flipped or stuck (FINN's ChannelwiseOp, Requant).

Permanent for the whole data set, as with weights.
"""

from __future__ import annotations

from fat_fpga.faults.parameter import ParameterBit, words_of
from fat_fpga.faults.traits import CHANNEL_AXIS, Family, Traits


class OffsetBit(ParameterBit):
    kind = "offset"
    cause = "a bit of the memory of fixed-point offsets"
    memory = "offsets"
    traits = Traits(
        Family.MEMORY_BIT, "faulty offset bit", "offset bits", "worst effect", axes=(CHANNEL_AXIS,),
        words=words_of(memory), stored=True,
    )  # fmt: skip
