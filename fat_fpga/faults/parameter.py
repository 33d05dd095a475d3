"""What the fault models of the memories of layers other than units and thresholds have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fat_fpga.faults.changes import Change, ChangedParameter
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.memory import MemoryBits, held
from fat_fpga.faults.place import Place, place_of
from fat_fpga.faults.register import parameter_register
from fat_fpga.faults.words import Words
from fat_fpga.network import Network


class ParameterBit(MemoryBits):
    """A bit of one of the memories in `Layer.parameters`.

    Attributes:
        memory: its name there.
    """

    memory: str

    def words(self, place: Place) -> tuple[tuple[int, ...], int] | None:
        found = words_of(self.memory)(place)
        return None if found is None or found.stored is None else (found.stored.shape, found.register.bits)

    def changes(self, network: Network, fault: Fault) -> Sequence[Change]:
        place = place_of(network, fault.layer)
        found = words_of(self.memory)(place)
        assert found is not None
        assert found.stored is not None
        assert fault.bit is not None
        word = int(found.stored[fault.index])
        return (
            ChangedParameter(place.name, fault.index, word, fault.bit, found.register, held(fault), self.memory),
        )  # fmt: skip


def words_of(memory: str) -> Callable[[Place], Words | None]:
    """The words of a memory of this name at a place."""

    def words(place: Place) -> Words | None:
        if place.layer is None or memory not in place.layer.parameters:
            return None
        return Words(parameter_register(place, memory), place.layer.parameters[memory])

    return words
