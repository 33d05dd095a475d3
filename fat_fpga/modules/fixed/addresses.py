"""Where the words of a fixed-point network are in the module that it was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fat_fpga.errors import EngineError
from fat_fpga.faults import Fault
from fat_fpga.faults.activation import ActivationUpset
from fat_fpga.faults.register import Register
from fat_fpga.faults.weight import WeightBit
from fat_fpga.modules.formats import Format
from fat_fpga.modules.subject import ModuleSubject


@dataclass(frozen=True)
class Address:
    """Where the words of one kind at one place of the network are.

    Attributes:
        place: of the module.
        call: of it, which gives the stream; 0 for weights.
        dims: of the words in the network.
    """

    place: str
    call: int
    dims: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Addresses:
    """Where all words are that both have.

    Attributes:
        known: by place of the network and kind of fault.
        subject: the module.
    """

    known: Mapping[tuple[str, str], Address]
    subject: ModuleSubject

    def fault(self, fault: Fault) -> Fault:
        """The fault of the module that is a fault of the network; EngineError where there is none."""
        found = self.known.get((fault.layer, fault.kind))
        if found is None:
            raise EngineError(
                f"{fault}: {self.subject.name} has no such words, only weights, and activations that are words of "
                f"fixed point: {self._kinds(fault.kind)}"
            )
        site = self.subject.sites[found.place, fault.kind]
        cell = int(np.ravel_multi_index(fault.index, found.dims)) + found.call * site.size
        index = tuple(int(part) for part in np.unravel_index(cell, site.dims))
        return replace(fault, layer=found.place, index=index)

    def _kinds(self, kind: str) -> str:
        places = [place for place, own in self.known if own == kind]
        return f"{kind} of {', '.join(places)}" if places else ", ".join(sorted({own for _, own in self.known}))

    @property
    def streams(self) -> dict[str, Address]:
        """The streams that both have, by place of the network."""
        return {place: found for (place, kind), found in self.known.items() if kind == ActivationUpset.kind}


def same_bits(register: Register, form: Format) -> bool:
    """Whether bit k of a register is bit k of a word in two's complement with the same value."""
    fits = register.bits == form.bits if register.signed else register.bits < form.bits
    return form.signed and fits and (register.offset, register.step) == (0, 1)


def weight_address(place: str, dims: Sequence[int]) -> tuple[str, Address]:
    """The kind and the address of the weights of a module."""
    return WeightBit.kind, Address(place, 0, tuple(dims))


def stream_address(place: str, call: int, dims: Sequence[int]) -> tuple[str, Address]:
    """The kind and the address of a stream that a module gives."""
    return ActivationUpset.kind, Address(place, call, tuple(dims))
