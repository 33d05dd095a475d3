"""Parts of a stream, in any order: slices, splits, crops, shuffled channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from fat_fpga.errors import ModelError
from fat_fpga.network.operators.base import IntArray, Layer, Shape


@dataclass(frozen=True, eq=False)
class Select(Layer):
    """Some channels, rows and columns of a stream: ``out[c, y, x] = in[channels[c], rows[y], columns[x]]``.

    It is named after the layer in front: ``conv1.select``.

    Attributes:
        channels, rows, columns: numbers of those of the stream in front, in any order, some more than once.
        node: name of its node in the file.
    """

    name: str
    channels: tuple[int, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    node: str = ""
    inputs: tuple[str, ...] = ()
    type: ClassVar[str] = "select"

    def __repr__(self) -> str:
        return f"<Select {self.name}: {' x '.join(str(len(part)) for part in self.parts)}>"

    def __post_init__(self) -> None:
        if not all(self.parts) or min(map(min, self.parts)) < 0:
            raise ModelError(f"{self.name}: expected one channel, row and column or more, none below 0")

    @property
    def parts(self) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        return self.channels, self.rows, self.columns

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if any(max(part) >= size for part, size in zip(self.parts, shape, strict=True)):
            highest = [max(part) for part in self.parts]
            raise ModelError(f"{self.name}: it selects up to {highest}, its input is {list(shape)}")
        if all(tuple(part) == tuple(range(size)) for part, size in zip(self.parts, shape, strict=True)):
            raise ModelError(f"{self.name}: it selects all of its input {list(shape)}, as it is: leave it out")
        return len(self.channels), len(self.rows), len(self.columns)

    def output(self, *streams: IntArray) -> IntArray:
        (activations,) = streams
        for axis, part in enumerate(self.parts, start=1):
            activations = activations.take(part, axis)
        return activations

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "select", *self.parts)).encode()
