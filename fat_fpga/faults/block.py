"""A block: all faults of one kind at one place, countable without going through them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fat_fpga.errors import FaultError
from fat_fpga.faults.fault import FLIP, STUCK_BIT, Effect, Fault

BIT_EFFECTS = (FLIP, *STUCK_BIT)


@dataclass(frozen=True)
class Block:
    """Every address of one kind at one place, times every effect.

    Attributes:
        place, kind: of the faults.
        axes: names of the index's parts, for messages: ``("channel", "row", "column")``.
        dims: how many there are of each.
        effects: what is enumerated; ``possible`` is what a fault may say.
        possible: by default the same.
        of: number of PEs, where the index is a PE.
        bits: of each word, where bits fail.
        frames: number of images, where a fault lasts for one of them.
        bit: the only bit of each word that is enumerated; None for all of them.
    """

    place: str
    kind: str
    axes: tuple[str, ...]
    dims: tuple[int, ...]
    effects: tuple[Effect, ...]
    possible: tuple[Effect, ...] = ()
    of: int | None = None
    bits: int | None = None
    frames: int | None = None
    bit: int | None = None

    @property
    def addresses(self) -> int:
        """Number of addresses: indices, times bits, times frames."""
        bits = 1 if self.bit is not None else self.bits or 1
        return math.prod(self.dims) * bits * (1 if self.frames is None else self.frames)

    def __len__(self) -> int:
        return self.addresses * len(self.effects)

    def fault(self, number: int) -> Fault:
        """Fault ``number``, counted with the effect fastest, then bit, then the index's last part; frames slowest."""
        number, effect = divmod(number, len(self.effects))
        bit, frame = self.bit, None
        if self.bits is not None and bit is None:
            number, bit = divmod(number, self.bits)
        index = []
        for size in reversed(self.dims):
            number, part = divmod(number, size)
            index.append(part)
        if self.frames is not None:
            frame = number
        value, flip = self.effects[effect]
        return Fault(self.place, self.kind, tuple(reversed(index)), value, self.of, bit, flip, frame)

    def narrowed(self, effects: Sequence[Effect]) -> Block:
        """Only these of the possible effects are enumerated."""
        return replace(self, effects=tuple(effect for effect in self.possible or self.effects if effect in effects))

    def of_bit(self, bit: int) -> Block:
        """Only this bit of each word is enumerated."""
        return replace(self, bit=bit)

    def check(self, fault: Fault) -> None:
        """FaultError, saying what there is, unless the fault is one of this block (whatever its frame)."""
        if len(fault.index) != len(self.dims):
            raise FaultError(
                f"{fault}: expected {self.kind}[{','.join(self.axes)}], got {len(fault.index)} "
                f"{'number' if len(fault.index) == 1 else 'numbers'}"
            )
        for part, size, axis in zip(fault.index, self.dims, self.axes, strict=True):
            if part >= size:
                raise FaultError(f"{fault}: {self.place} has {plural(axis)} 0 to {size - 1}")
        if (fault.bit is None) != (self.bits is None):
            wanted = f".bit[0] to .bit[{self.bits - 1}]" if self.bits else "no .bit[...]"
            raise FaultError(f"{fault}: a fault of kind {self.kind} takes {wanted}")
        if self.bits is not None and fault.bit is not None and fault.bit >= self.bits:
            raise FaultError(f"{fault}: these words of {self.place} have bits 0 to {self.bits - 1}")
        if (fault.of is None) != (self.of is None):
            raise FaultError(f"{fault}: 'of {fault.of}' counts PEs, and kind {self.kind} has none")
        if (fault.frame is None) != (self.frames is None):
            raise FaultError(f"{fault}: kind {self.kind} takes {'no frame' if self.frames is None else '@ frame[...]'}")
        if fault.effect not in (self.possible or self.effects):
            raise FaultError(f"{fault}: expected {_choices(self.possible or self.effects, self.bits is not None)}")


def plural(axis: str) -> str:
    """``columns`` for ``column``."""
    return f"{axis}s"


def _choices(effects: Sequence[Effect], bits: bool) -> str:
    """What a fault may say, for people: ``= -1, 0, +1`` or ``^ 1, = 0, = 1``."""
    if bits:
        return ", ".join("^ 1" if effect.flip else f"= {effect.value}" for effect in effects)
    values = [f"{effect.value:+d}" if effect.value else "0" for effect in effects]
    return f"= {', '.join(values)}" if len(values) <= 16 else f"= a level from {values[0]} to {values[-1]}"
