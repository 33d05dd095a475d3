"""Concatenation of streams along their channels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.add import FEWER, MOST_LEVELS
from fat_fpga.network.operators.base import IntArray, Layer, Shape


@dataclass(frozen=True, eq=False)
class Concat(Layer):
    """The channels of two or more streams of the same height and width, one after the other, each times an integer.

    FINN's StreamingConcat has factors of 1.

    Attributes:
        name: ``concat0``, ``concat1``, ...
        inputs: the streams.
        factors: of each input, above 0; see `Add`.
        node: name of its node in the file.
        datatype: QONNX datatype that the file gives its stream, if it does.
    """

    name: str
    inputs: tuple[str, ...] = ()
    factors: tuple[int, ...] = ()
    node: str = ""
    datatype: str = ""
    type: ClassVar[str] = "concat"
    enumerated: ClassVar[bool] = True

    def __repr__(self) -> str:
        return f"<Concat {self.name}: {', '.join(self.inputs)}>"

    def __post_init__(self) -> None:
        if len(self.inputs) < 2 or len(self.factors) != len(self.inputs) or min(self.factors) < 1:
            raise ModelError(
                f"{self.name}: expected two or more inputs, and as many factors above 0, got "
                f"{len(self.inputs)} and {list(self.factors)}"
            )

    @property
    def arity(self) -> int:
        return len(self.inputs)

    def output_shape(self, *shapes: Shape) -> Shape:
        if len({shape[1:] for shape in shapes}) > 1:
            raise ModelError(f"{self.name}: it puts streams of {' and '.join(str(list(s)) for s in shapes)} together")
        return sum(shape[0] for shape in shapes), *shapes[0][1:]

    def output(self, *streams: IntArray) -> IntArray:
        parts = [np.int32(factor) * stream for factor, stream in zip(self.factors, streams, strict=True)]
        return np.concatenate(parts, axis=1)

    def output_levels(self, *before: Levels) -> Levels | None:
        """Every level of each stream, on the widest evenly spaced grid that holds them all."""
        pairs = list(zip(before, self.factors, strict=True))
        low, high = min(f * levels.min for levels, f in pairs), max(f * levels.max for levels, f in pairs)
        step = math.gcd(*(f * levels.step for levels, f in pairs), *(f * levels.min - low for levels, f in pairs))
        count = (high - low) // step + 1
        if count > MOST_LEVELS or max(-low, high) > 2**24:
            raise ModelError(f"{self.name}: its streams have {count:,} levels together: expected {FEWER}")
        return Levels(low, step, count, self.datatype)

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "concat", self.factors)).encode()
