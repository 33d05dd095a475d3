"""Fixed-point scaling of a stream: FINN's ChannelwiseOp and Requant."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelError
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.base import IntArray
from fat_fpga.network.operators.channel_wise import ChannelWise

ROUNDINGS = ("even", "down")
"""To the nearest integer, halves to the even one; or to the next integer below."""


@dataclass(frozen=True, eq=False)
class Requantise(ChannelWise):
    """``clip(round((factors[c] * x + offsets[c]) / 2^shift), low, high)`` for each channel ``c``, in 64 bits.

    A bias or a factor for each channel between integers has a shift of 0; a quantiser of more than 8 bits has one
    above 0.

    Attributes:
        name: that of the layer in front, and ``.requantise``.
        factors, offsets: int32 [C].
        shift: 0 to 31.
        low, high: ends of what comes out, in int32.
        rounding: one of `ROUNDINGS`.
        node: name of its node in the file.
    """

    name: str
    factors: IntArray
    offsets: IntArray
    shift: int
    low: int
    high: int
    rounding: str = "even"
    node: str = ""
    inputs: tuple[str, ...] = ()
    type: ClassVar[str] = "requantise"
    enumerated: ClassVar[bool] = True

    def __repr__(self) -> str:
        return f"<Requantise {self.name}: {self.channels} channels, {self.low}..{self.high}>"

    def __post_init__(self) -> None:
        for what, values in (("factors", self.factors), ("offsets", self.offsets)):
            if values.dtype != np.int32 or values.shape != (self.channels,) or not self.channels:
                raise ModelError(f"{self.name}: {what} must be int32 [C], got {values.dtype} {list(values.shape)}")
        if not 0 <= self.shift <= 31 or self.rounding not in ROUNDINGS or not -(2**31) <= self.low < self.high < 2**31:
            raise ModelError(
                f"{self.name}: expected a shift of 0 to 31, rounding {' or '.join(ROUNDINGS)} and low below high in "
                f"int32, got {self.shift}, {self.rounding}, {self.low} and {self.high}"
            )

    @property
    def channels(self) -> int:
        return len(self.factors)

    def output(self, *streams: IntArray) -> IntArray:
        (integers,) = streams
        factors, offsets = (values.astype(np.int64)[:, None, None] for values in (self.factors, self.offsets))
        return self._rounded(integers * factors + offsets)

    def output_levels(self, *before: Levels) -> Levels | None:
        """Every result of a level, on the widest evenly spaced grid that holds them all."""
        (levels,) = before
        ends = np.array([levels.min, levels.max])[:, None]
        results = self._rounded(self.factors.astype(np.int64) * ends + self.offsets)
        low, high, step = int(results.min()), int(results.max()), 1
        if self.shift == 0:
            step = math.gcd(*(self.factors.astype(np.int64) * levels.step).tolist(), *(results - low).ravel().tolist())
            cut = self.low > -(2**31) or self.high < 2**31 - 1
            step = math.gcd(step, self.low - low, self.high - low) if cut else step
        return Levels(low, step or 1, max((high - low) // (step or 1) + 1, 2))

    @property
    def parameters(self) -> Mapping[str, IntArray]:
        return {"factors": self.factors, "offsets": self.offsets}

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "requantise", self.shift, self.low, self.high, self.rounding)).encode()
        yield np.ascontiguousarray(self.factors, dtype="<i4").tobytes()
        yield np.ascontiguousarray(self.offsets, dtype="<i4").tobytes()

    def _rounded(self, fixed: npt.NDArray[np.int64]) -> IntArray:
        down = fixed >> self.shift
        if self.shift and self.rounding == "even":
            rest, half = fixed - (down << self.shift), 1 << (self.shift - 1)
            down = down + ((rest > half) | ((rest == half) & (down & 1 == 1)))
        rounded: IntArray = np.clip(down, self.low, self.high).astype(np.int32)
        return rounded
