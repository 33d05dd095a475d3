"""Additions of two streams: the end of a residual branch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.base import IntArray, Layer, Shape

MOST_LEVELS = 2**24
"""Levels that a stream of sums may have: as many as float32, in which files are written, counts."""

FEWER = f"at most {MOST_LEVELS:,} levels, none above {2**24:,}: quantise to fewer bits in front"


@dataclass(frozen=True, eq=False)
class Add(Layer):
    """The sum of two streams of the same shape, each of them times an integer: ``factors[0] * a + factors[1] * b``.

    Factors are how many steps of a common grid one integer of a stream stands for: 2 and 1 where the scale of the first
    is twice that of the second. FINN's AddStreams has factors of 1.

    Attributes:
        name: ``add0``, ``add1``, ...
        inputs: the two streams; twice the same one is possible.
        factors: of each input; the first is above 0, the second is below 0 for a difference.
        node: name of its node in the file.
        datatype: QONNX datatype that the file gives its stream, if it does.
    """

    name: str
    inputs: tuple[str, ...] = ()
    factors: tuple[int, int] = (1, 1)
    node: str = ""
    datatype: str = ""
    type: ClassVar[str] = "add"
    enumerated: ClassVar[bool] = True

    def __repr__(self) -> str:
        terms = (f"{factor} * {name}" for factor, name in zip(self.factors, self.inputs, strict=True))
        return f"<Add {self.name}: {' + '.join(terms)}>"

    def __post_init__(self) -> None:
        if len(self.inputs) != 2:
            raise ModelError(f"{self.name}: expected two inputs, got {', '.join(self.inputs) or 'none'}")
        if self.factors[0] < 1 or self.factors[1] == 0:
            raise ModelError(f"{self.name}: expected a factor above 0 and one that is not 0, got {list(self.factors)}")

    @property
    def arity(self) -> int:
        return 2

    def output_shape(self, *shapes: Shape) -> Shape:
        first, second = shapes
        if first != second:
            raise ModelError(f"{self.name}: it adds streams of {list(first)} and {list(second)}")
        return first

    def output(self, *streams: IntArray) -> IntArray:
        (first, second), (a, b) = streams, self.factors
        total: IntArray = np.int32(a) * first + np.int32(b) * second
        return total

    def output_levels(self, *before: Levels) -> Levels | None:
        """Every sum of levels, on the widest evenly spaced grid that holds them all."""
        ends = [
            sorted((factor * levels.min, factor * levels.max))
            for levels, factor in zip(before, self.factors, strict=True)
        ]
        step = math.gcd(*(factor * levels.step for levels, factor in zip(before, self.factors, strict=True)))
        low, high = sum(end[0] for end in ends), sum(end[1] for end in ends)
        count = (high - low) // step + 1
        if count > MOST_LEVELS or max(-low, high) > 2**24:
            raise ModelError(f"{self.name}: its sums have {count:,} levels up to {max(-low, high):,}: expected {FEWER}")
        return Levels(low, step, count, self.datatype)

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "add", self.factors)).encode()
