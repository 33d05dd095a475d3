"""Patterns: errors at a rate. Each cell of a memory or stream fails with the same probability, on its own.

``*/weight[*].bit[*] ^ 1 ~ 1e-06 @ sample[17]`` is sample 17 of: every bit of every weight memory is flipped with a
probability of one in a million. Where the errors fall follows from the text alone (`fat_fpga.faults.draws`), so a
pattern is a fault like any other; `expand` gives the single faults that it is, the same ones for every engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from fat_fpga.errors import FaultError
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.protection import Protection

JOIN, EVERY = "+", "*"
WITH = "with"
"""Comes before a protection in the text form."""
MOST_BURST = 1024
"""Most cells that one error hits."""


class Action(Enum):
    """What an error does to the cell that it hits."""

    FLIP = "^ 1"
    HOLD = "="
    UNIFORM = "= uniform"
    MASKED = "= masked"


@dataclass(frozen=True)
class Pattern:
    """Errors at a rate; ``str`` gives the text form, `fat_fpga.faults.parse_fault` reads it.

    Attributes:
        layers: names of places, or ``*`` alone.
        kinds: names of fault models.
        bit: which bit of each word; None where whole words or values are hit; -1 for every bit, each on its own.
        action: what an error does.
        value: what is held, where the action is ``HOLD``: the bit's value, or the integer.
        rate: probability that a cell is hit, 0 to 1.
        sample: number of the draw; another one hits other cells.
        burst: so many neighbouring cells of a memory are flipped by one error, as by a multiple-cell upset.
        protection: of the memories among what is hit; None where there is none. Errors hit check bits, too.
    """

    layers: tuple[str, ...]
    kinds: tuple[str, ...]
    bit: int | None
    action: Action
    value: int
    rate: float
    sample: int
    burst: int = 1
    protection: Protection | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise FaultError(f"a rate is a probability, 0 to 1, got {self.rate:g}")
        if self.action is Action.MASKED and self.bit is None:
            raise FaultError("'= masked' is about bits that are known to be wrong: write .bit[*] before it")
        if self.action is Action.UNIFORM and self.bit is not None:
            raise FaultError("'= uniform' is about whole words: leave .bit[...] out")
        if not 1 <= self.burst <= MOST_BURST:
            raise FaultError(f"one error flips 1 to {MOST_BURST:,} neighbouring cells, got burst[{self.burst}]")
        if self.burst > 1 and (self.action is not Action.FLIP or self.bit is None or self.bit >= 0):
            raise FaultError("a burst is of flips of every bit: .bit[*] ^ 1 burst[2]")
        if self.protection and (self.bit is None or self.action not in (Action.FLIP, Action.HOLD)):
            raise FaultError("a code protects against wrong bits: errors flip or hold .bit[...]")

    @property
    def layer(self) -> str:
        """``conv1+conv3``, or ``*``."""
        return JOIN.join(self.layers)

    @property
    def kind(self) -> str:
        """``weight+activation``."""
        return JOIN.join(self.kinds)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """It has none before it is expanded for a network and images: FaultError."""
        raise FaultError(f"{self}: a pattern has single faults only in a network: see fat_fpga.faults.expand")

    @property
    def cells(self) -> str:
        """What is hit: ``conv1/weight[*].bit[*]``."""
        bit = "" if self.bit is None else f".bit[{EVERY if self.bit < 0 else self.bit}]"
        return f"{self.layer}/{self.kind}[{EVERY}]{bit}"

    @property
    def errors(self) -> str:
        """What errors do, without protection, rate and sample: ``conv1/weight[*].bit[*] ^ 1``."""
        more = f" {self.value}" if self.action is Action.HOLD else f" burst[{self.burst}]" if self.burst > 1 else ""
        return f"{self.cells} {self.action.value}{more}"

    @property
    def what(self) -> str:
        """The pattern without rate and sample: ``conv1/weight[*].bit[*] ^ 1 with secded[64]``."""
        return self.errors + (f" {WITH} {self.protection}" if self.protection else "")

    def key(self, place: str, kind: str) -> str:
        """What the draws at one place depend on: a pattern of several places is the union of theirs.

        Burst and protection change nothing about it, so with and without them the same cells of data are hit.
        """
        bit = "" if self.bit is None else str(self.bit)
        return f"{place}/{kind}.{bit} {self.action.value} {self.value} ~ {self.rate!r} #{self.sample}"

    @property
    def index_text(self) -> str:
        return EVERY

    @property
    def effect_text(self) -> str:
        """All of the text form that is behind the index."""
        return str(self).partition(f"[{EVERY}]")[2].lstrip(". ")

    def __str__(self) -> str:
        return f"{self.what} ~ {self.rate!r} @ sample[{self.sample}]"
