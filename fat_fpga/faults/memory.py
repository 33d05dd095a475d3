"""What the fault models of memories and registers of a unit have in common: words of bits, flipped or stuck."""

from __future__ import annotations

from fat_fpga.errors import FaultError
from fat_fpga.faults.block import BIT_EFFECTS, Block
from fat_fpga.faults.fault import FLIP, Fault
from fat_fpga.faults.model import Setting
from fat_fpga.faults.place import Place, place_of
from fat_fpga.faults.subject import AnySubject
from fat_fpga.faults.traits import Traits
from fat_fpga.faults.words import no_words
from fat_fpga.network import MatrixVectorUnit, Network


class MemoryBits:
    """Bits of words that belong to a layer. Flips are enumerated; stuck bits may be asked for."""

    kind: str
    cause: str
    traits: Traits

    def words(self, place: Place) -> tuple[tuple[int, ...], int] | None:
        """How many words there are along each axis, and the bits of each; None if the place has none."""
        raise NotImplementedError

    def block(self, network: AnySubject, place: Place, setting: Setting) -> Block | None:
        own = place.cells.get(self.kind)
        found = self.words(place) if own is None else (own.dims, own.format.bits)
        if found is None:
            return None
        dims, bits = found
        axes = self.traits.axes[: len(dims)]
        return Block(place.name, self.kind, axes, dims, (FLIP,), BIT_EFFECTS, bits=bits)

    def block_of(self, network: AnySubject, fault: Fault) -> Block:
        place = place_of(network, fault.layer)
        block = self.block(network, place, Setting())
        if block is None:
            why = no_words(self.traits.words, place)
            raise FaultError(f"{fault}: {place.name} has no {self.kind} memory{f': {why}' if why else ''}")
        return block


def unit_at(network: Network, fault: Fault) -> tuple[Place, MatrixVectorUnit]:
    """The place of a fault that is known to sit at a unit."""
    place = place_of(network, fault.layer)
    assert place.unit is not None
    return place, place.unit


def held(fault: Fault) -> int | None:
    """The value that the fault's bit is held at; None where it is inverted."""
    return None if fault.flip else fault.value
