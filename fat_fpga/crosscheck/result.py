"""What a cross-check found."""

from __future__ import annotations

from dataclasses import dataclass

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
    """

    engine: str
    kind: str
    faults: int
    streams: bool
    reason: str


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
