"""A bit of a channel's accumulator, flipped or stuck (in the PEs of Zahid et al. 2020, section II, Figure 1).

It is the finished sum, as the comparator sees it, that has the bit changed: for every pixel of the channel, in every
image. In the last layer it is the class score.
"""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.faults.changes import Change, ChangedAccumulators
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.memory import MemoryBits, held, unit_at
from fat_fpga.faults.place import Place
from fat_fpga.faults.register import accumulator_register
from fat_fpga.faults.traits import CHANNEL_AXIS, Family, Traits
from fat_fpga.faults.words import accumulator_words
from fat_fpga.network import Network


class AccumulatorBit(MemoryBits):
    kind = "accumulator"
    cause = "a bit of the accumulator register in front of the thresholds"
    traits = Traits(
        Family.MEMORY_BIT, "faulty accumulator bit", "accumulator bits", "worst effect", axes=(CHANNEL_AXIS,),
        last_layer=True, words=accumulator_words,
        change=ChangedAccumulators,
    )  # fmt: skip

    def words(self, place: Place) -> tuple[tuple[int, ...], int] | None:
        return None if place.unit is None else ((place.unit.channels,), accumulator_register(place).bits)

    def changes(self, network: Network, fault: Fault) -> Sequence[Change]:
        place, unit = unit_at(network, fault)
        assert fault.bit is not None
        register = accumulator_register(place)
        return (ChangedAccumulators(unit.name, fault.index[0], fault.bit, register, held(fault)),)
