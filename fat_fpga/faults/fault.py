"""A fault: an address in the network and an effect, with one text form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from fat_fpga.errors import FaultError


class Effect(NamedTuple):
    """What happens at an address: stuck at a value, or flipped.

    Attributes:
        value: the activation level, or the bit's value, that is held; 1 for a flip.
        flip: the bit is inverted (``^ 1``) instead of held (``=``).
    """

    value: int
    flip: bool = False


FLIP = Effect(1, flip=True)
STUCK_BIT = (Effect(0), Effect(1))


@dataclass(frozen=True)
class Fault:
    """One address and one effect; ``str`` gives the text form, `fat_fpga.faults.parse_fault` reads it.

    ``conv1/channel[17] = +1``, ``conv1/pe[5 of 32] = -1``, ``conv1/weight[17,3,1,2].bit[0] ^ 1``,
    ``conv1/activation[17,3,4].bit[0] ^ 1 @ frame[12]``; every form is in docs/faults.md.

    Attributes:
        layer: name of a place: a layer of the network, ``input``, or ``*``.
        kind: name of a fault model.
        index: where in the place, as the fault model defines it.
        value: the activation level, or the value of the bit, that is held; 1 for a flip.
        of: number of PEs of the folding, where the index is a PE.
        bit: bit of the memory word or register, 0 is the least significant; None where whole values are held.
        flip: the bit is inverted instead of held.
        frame: the only image, counted from 0 through the data set, that meets the fault; None for all of them.
    """

    layer: str
    kind: str
    index: tuple[int, ...]
    value: int
    of: int | None = None
    bit: int | None = None
    flip: bool = False
    frame: int | None = None

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The single faults in it: itself. `FaultSet` has the same property."""
        return (self,)

    @property
    def effect(self) -> Effect:
        return Effect(self.value, self.flip)

    @property
    def sort_key(self) -> tuple[int | tuple[int, ...], ...]:
        """Orders the faults of one kind at one place: by index, then bit, frame and effect."""
        bit, frame = (-1 if part is None else part for part in (self.bit, self.frame))
        return self.of or 0, self.index, bit, frame, self.flip, self.value

    @property
    def index_text(self) -> str:
        """``17``, ``3,4`` or ``5 of 32``."""
        return ",".join(map(str, self.index)) + (f" of {self.of}" if self.of is not None else "")

    @property
    def lasting_text(self) -> str:
        """``= +1``, ``bit[9] = 1`` or ``bit[0] ^ 1``."""
        plus = "+" if self.value > 0 and self.bit is None else ""
        bit = "" if self.bit is None else f"bit[{self.bit}] "
        return f"{bit}{'^' if self.flip else '='} {plus}{self.value}"

    @property
    def effect_text(self) -> str:
        """``lasting_text``, and the frame if there is one."""
        return self.lasting_text + ("" if self.frame is None else f" @ frame[{self.frame}]")

    @property
    def address_text(self) -> str:
        """Where it sits: ``conv1/channel[17]``, ``conv1/weight[17,3,1,2].bit[0]``."""
        return f"{self.layer}/{self.kind}[{self.index_text}]" + ("" if self.bit is None else f".bit[{self.bit}]")

    def __str__(self) -> str:
        dot = "." if self.bit is not None else " "
        return f"{self.layer}/{self.kind}[{self.index_text}]{dot}{self.effect_text}"


@dataclass(frozen=True)
class FaultSet:
    """Several faults at once: ``conv1/channel[17] = +1 & conv3/pixel[0,4] = -1``.

    Where two of them hold the same activation at different values, the one listed later wins.
    """

    faults: tuple[Fault, ...]

    def __post_init__(self) -> None:
        if len(set(self.faults)) < len(self.faults):
            raise FaultError(f"'{self}': a set holds each fault once")

    @property
    def layer(self) -> str:
        """The places, in the order of their first mention: ``conv1+conv3``."""
        return "+".join(dict.fromkeys(fault.layer for fault in self.faults))

    @property
    def kind(self) -> str:
        """The kinds, in the order of their first mention: ``channel+pixel``."""
        return "+".join(dict.fromkeys(fault.kind for fault in self.faults))

    @property
    def index_text(self) -> str:
        return " & ".join(fault.index_text for fault in self.faults)

    @property
    def effect_text(self) -> str:
        return " & ".join(fault.effect_text for fault in self.faults)

    def __str__(self) -> str:
        return " & ".join(map(str, self.faults))


def single_or_set(faults: Iterable[Fault]) -> Fault | FaultSet:
    """The fault itself if there is one, else a set of them."""
    faults = tuple(faults)
    return faults[0] if len(faults) == 1 else FaultSet(faults)
