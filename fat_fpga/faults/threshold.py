"""A bit of threshold memory, flipped or stuck (the MVTU's thresholds: Zahid et al. 2020, section II, Figure 1).

Permanent for the whole data set, as with weights. The word stands in the memory whatever its neighbours are, and the
layer's logic (`fat_fpga.network.operators.threshold_logic`) makes of it what it makes: it counts the thresholds that
are met, or searches among them as if they ascended. Thresholds that are baked into logic have no memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.faults.changes import Change, ChangedThreshold
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.memory import MemoryBits, held
from fat_fpga.faults.place import Place, place_of
from fat_fpga.faults.register import stored_thresholds, threshold_register
from fat_fpga.faults.traits import CHANNEL_AXIS, Family, Traits
from fat_fpga.faults.words import threshold_words
from fat_fpga.network import Network


class ThresholdBit(MemoryBits):
    kind = "threshold"
    cause = "a bit of the threshold memory"
    traits = Traits(
        Family.MEMORY_BIT, "faulty threshold bit", "threshold bits", "worst effect", axes=(CHANNEL_AXIS, "threshold"),
        words=threshold_words, stored=True,
        change=ChangedThreshold,
    )  # fmt: skip

    def words(self, place: Place) -> tuple[tuple[int, ...], int] | None:
        found = threshold_words(place)
        return None if found is None else (stored_thresholds(place).shape, found.register.bits)

    def changes(self, network: Network, fault: Fault) -> Sequence[Change]:
        place = place_of(network, fault.layer)
        assert fault.bit is not None
        channel, index = fault.index
        word, register = int(stored_thresholds(place)[channel, index]), threshold_register(place)
        return (ChangedThreshold(place.name, (channel, index), word, fault.bit, register, held(fault)),)
