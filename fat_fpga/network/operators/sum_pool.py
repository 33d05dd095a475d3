"""Sums over windows: an average pool without its division, which becomes part of the scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fat_fpga.errors import ModelError
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.add import FEWER, MOST_LEVELS
from fat_fpga.network.operators.base import IntArray, Layer, Shape
from fat_fpga.network.operators.max_pool import window_shape


@dataclass(frozen=True, eq=False)
class SumPool(Layer):
    """Sum over windows, without padding; named after the layer in front: ``conv8.sum``.

    FINN's GlobalAccPool, where the window is the whole image.
    """

    name: str
    kernel: tuple[int, int]
    stride: tuple[int, int]
    node: str = ""
    inputs: tuple[str, ...] = ()
    type: ClassVar[str] = "sum"

    @property
    def size(self) -> int:
        """How many activations a sum is of."""
        return self.kernel[0] * self.kernel[1]

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        return window_shape(self.name, self.kernel, self.stride, shape)

    def output(self, *streams: IntArray) -> IntArray:
        (activations,) = streams
        windows = sliding_window_view(activations, self.kernel, axis=(2, 3))
        sums = windows[:, :, :: self.stride[0], :: self.stride[1]].sum(axis=(4, 5), dtype=np.int64)
        pooled: IntArray = sums.astype(np.int32)
        return pooled

    def output_levels(self, *before: Levels) -> Levels | None:
        (levels,) = before
        count = (levels.count - 1) * self.size + 1
        sums = replace(levels, base=levels.base * self.size, count=count, datatype="")
        if count > MOST_LEVELS or max(-sums.min, sums.max) > 2**24:
            raise ModelError(f"{self.name}: its sums have {count:,} levels: expected {FEWER}")
        return sums

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "sum", self.kernel, self.stride)).encode()
