"""A bit of the factor that a channel is scaled by in fixed point, flipped or stuck (FINN's ChannelwiseOp, Requant).

Permanent for the whole data set, as with weights.
"""

from __future__ import annotations

from fat_fpga.faults.parameter import ParameterBit, words_of
from fat_fpga.faults.traits import CHANNEL_AXIS, Family, Traits


class FactorBit(ParameterBit):
    kind = "factor"
    cause = "a bit of the memory of fixed-point factors"
    memory = "factors"
    traits = Traits(
        Family.MEMORY_BIT, "faulty factor bit", "factor bits", "worst effect", axes=(CHANNEL_AXIS,),
        words=words_of(memory), stored=True,
    )  # fmt: skip
