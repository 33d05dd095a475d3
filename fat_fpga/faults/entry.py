"""A bit of the values of a table, flipped or stuck: LeakyReLU, SiLU and other functions that are looked up.

A table is kept as the runs of integers that have one value (`fat_fpga.network.layers.Table`): comparators find the
run, and a memory holds its value. An entry is the value of one run in one channel. What comes out is what its bits then
say, also where that is none of the levels.

Permanent for the whole data set, as with weights.
"""

from __future__ import annotations

from fat_fpga.faults.parameter import ParameterBit, words_of
from fat_fpga.faults.traits import CHANNEL_AXIS, Family, Traits


class EntryBit(ParameterBit):
    kind = "entry"
    cause = "a bit of the values that a table holds"
    memory = "values"
    traits = Traits(
        Family.MEMORY_BIT, "faulty table bit", "table bits", "worst effect", axes=(CHANNEL_AXIS, "entry"),
        words=words_of(memory), stored=True,
    )  # fmt: skip
