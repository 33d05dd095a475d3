"""A bit of weight memory, flipped or stuck (the weight memories of the MVTU: Zahid et al. 2020, section II, Figure 1).

Permanent for the whole data set: an upset in a BRAM or LUTRAM stays until the memory is written anew.
"""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.faults.changes import Change, ChangedWeight
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.memory import MemoryBits, held, unit_at
from fat_fpga.faults.place import Place
from fat_fpga.faults.register import weight_register
from fat_fpga.faults.traits import Family, Traits
from fat_fpga.faults.words import weight_words
from fat_fpga.network import Network


class WeightBit(MemoryBits):
    kind = "weight"
    cause = "a bit of the weight memory"
    traits = Traits(
        Family.MEMORY_BIT, "faulty weight bit", "weight bits", "worst effect",
        axes=("output channel", "input channel", "kernel row", "kernel column"), last_layer=True, words=weight_words,
        stored=True,
        change=ChangedWeight,
    )  # fmt: skip

    def words(self, place: Place) -> tuple[tuple[int, ...], int] | None:
        return None if place.unit is None else (place.unit.weights.shape, weight_register(place.unit).bits)

    def changes(self, network: Network, fault: Fault) -> Sequence[Change]:
        _, unit = unit_at(network, fault)
        assert fault.bit is not None
        m, c, y, x = fault.index
        word = int(unit.weights[m, c, y, x])
        return (ChangedWeight(unit.name, (m, c, y, x), word, fault.bit, weight_register(unit), held(fault)),)
