"""What a cross-check found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

NO_FAULT = "no fault"
"""In place of a fault, or of its kind: the fault-free network."""


@dataclass(frozen=True)
class Difference:
    """Where two engines first differ.

    Attributes:
        fault: its text, ``no fault`` for the fault-free network.
        image: number of the first image that differs.
        place: the first stream that differs on it; None where both engines' streams agree, or are not shown, and the
            predicted class differs.
        index: channel, row and column of the first activation that differs; None with ``place``.
        values: what each of the two engines has there.
    """

    fault: str
    image: int
    place: str | None
    index: tuple[int, int, int] | None
    values: tuple[int, int]

    def __str__(self) -> str:
        where = "predicted class"
        if self.place is not None and self.index is not None:
            channel, row, column = self.index
            where = f"{self.place} channel {channel} pixel [{row},{column}]"
        return f"{self.fault}, image {self.image}, {where}: {self.values[0]} against {self.values[1]}"


@dataclass(frozen=True)
class Refusal:
    """A kind of fault that an engine does not take, or streams that it does not show.

    Attributes:
        engine, kind: ``no fault`` is the kind of the fault-free network.
        faults: how many were not compared.
        streams: only the streams are missing; predictions were compared.
        reason: the engine's words.
        some: the engine takes others of the kind.
    """

    engine: str
    kind: str
    faults: int
    streams: bool
    reason: str
    some: bool = False


@dataclass
class Pair:
    """Two engines, side by side.

    Attributes:
        engines: their names.
        faults: how many both took; the fault-free network is not counted.
        predictions, activations: how many numbers were compared, the fault-free ones included.
        differing: faults that differ, the fault-free network included.
        difference: the first of them.
    """

    engines: tuple[str, str]
    faults: int = 0
    predictions: int = 0
    activations: int = 0
    differing: int = 0
    difference: Difference | None = None

    def add(self, faults: int, predictions: int, activations: int, difference: Difference | None) -> None:
        """Count one comparison."""
        self.faults += faults
        self.predictions += predictions
        self.activations += activations
        if difference is not None:
            self.differing += 1
            self.difference = self.difference or difference

    def join(self, other: Pair) -> None:
        """Count what was compared later."""
        self.faults += other.faults
        self.predictions += other.predictions
        self.activations += other.activations
        self.differing += other.differing
        self.difference = self.difference or other.difference


@dataclass
class Found:
    """What was found in some of the faults.

    Attributes:
        pairs: every two of the engines.
        refusals: what was not compared, and why.
        seconds: by engine, what it took.
    """

    pairs: list[Pair]
    refusals: list[Refusal]
    seconds: dict[str, float]


@dataclass(frozen=True)
class CrossCheck:
    """The whole comparison.

    Attributes:
        images: number of images.
        pairs: every two of the engines.
        refusals: what was not compared, and why.
        seconds: by engine, what it took.
    """

    images: int
    pairs: tuple[Pair, ...]
    refusals: tuple[Refusal, ...]
    seconds: dict[str, float]

    def __repr__(self) -> str:
        verdict = "equal" if self.equal else "NOT equal"
        return f"<CrossCheck of {', '.join(self.seconds)}: {self.images:,} images, {verdict}>"

    @property
    def equal(self) -> bool:
        """Whether everything that was compared is equal."""
        return all(pair.difference is None for pair in self.pairs)

    @property
    def compared(self) -> bool:
        """Whether every pair had faults to compare."""
        return all(pair.faults for pair in self.pairs)


def joined(images: int, engines: Sequence[str], parts: Sequence[Found]) -> CrossCheck:
    """The whole comparison of its parts, in their order.

    Refusals of one engine and kind become one, in the words of the first.
    """
    pairs = {names: Pair(names) for names in combinations(engines, 2)}
    refusals: dict[tuple[str, str, bool, bool], Refusal] = {}
    seconds = dict.fromkeys(engines, 0.0)
    for part in parts:
        for pair in part.pairs:
            pairs[pair.engines].join(pair)
        for new in part.refusals:
            key = new.engine, new.kind, new.streams, new.some
            old = refusals.get(key)
            refusals[key] = new if old is None else replace(old, faults=old.faults + new.faults)
        for name, taken in part.seconds.items():
            seconds[name] += taken
    return CrossCheck(images, tuple(pairs.values()), tuple(refusals.values()), seconds)
