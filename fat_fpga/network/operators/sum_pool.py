"""Sums over windows: an average pool without its division, which becomes part of the scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fat_fpga.errors import ModelError
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.add import FEWER, MOST_LEVELS
from fat_fpga.network.operators.base import IntArray, Layer, Shape
from fat_fpga.network.operators.max_pool import UNPADDED, Padding, padded, window_shape


@dataclass(frozen=True, eq=False)
class SumPool(Layer):
    """Sum over windows; named after the layer in front: ``conv8.sum``.

    FINN's GlobalAccPool, where the window is the whole image.

    Attributes:
        kernel, stride: vertical, horizontal.
        padding: top, left, bottom, right; padded places hold 0.
        multiple: 0 for plain sums. Where it is more, a sum is taken ``multiple / places`` times, of as many places of
            its window as lie inside the image: an average of these, whose padding does not count.
    """

    name: str
    kernel: tuple[int, int]
    stride: tuple[int, int]
    node: str = ""
    inputs: tuple[str, ...] = ()
    padding: Padding = UNPADDED
    multiple: int = 0
    type: ClassVar[str] = "sum"

    @property
    def size(self) -> int:
        """How many activations a sum is of, or stands for."""
        return self.multiple or self.kernel[0] * self.kernel[1]

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        found = window_shape(self.name, self.kernel, self.stride, shape, self.padding)
        if self.multiple and np.any(self.multiple % self.places(shape)):
            raise ModelError(
                f"{self.name}: {self.multiple} is no multiple of the places that its windows have in {list(shape)}"
            )
        return found

    def places(self, shape: Shape) -> IntArray:
        """How many places of each window lie inside an image, int32 [H', W']."""
        inside = padded(np.ones((1, 1, *shape[1:]), np.int32), self.padding, 0)
        windows = sliding_window_view(inside[0, 0], self.kernel)[:: self.stride[0], :: self.stride[1]]
        found: IntArray = windows.sum(axis=(2, 3)).astype(np.int32)
        return found

    def times(self, shape: Shape) -> IntArray:
        """How many times each sum is taken, int32 [H', W'] or [1, 1]."""
        return np.int32(self.multiple) // self.places(shape) if self.multiple else np.ones((1, 1), np.int32)

    def output(self, *streams: IntArray) -> IntArray:
        (activations,) = streams
        windows = sliding_window_view(padded(activations, self.padding, 0), self.kernel, axis=(2, 3))
        sums = windows[:, :, :: self.stride[0], :: self.stride[1]].sum(axis=(4, 5), dtype=np.int64)
        _, channels, height, width = activations.shape
        pooled: IntArray = (sums * self.times((channels, height, width))).astype(np.int32)
        return pooled

    def output_levels(self, *before: Levels) -> Levels | None:
        (levels,) = before
        low, high, step = levels.min * self.size, levels.max * self.size, levels.step
        if any(self.padding) and not self.multiple:  # sums of fewer, down to none
            low, high, step = min(low, 0), max(high, 0), math.gcd(step, levels.base)
        count = (high - low) // step + 1
        if count > MOST_LEVELS or max(-low, high) > 2**24:
            raise ModelError(f"{self.name}: its sums have {count:,} levels: expected {FEWER}")
        return Levels(low, step, count)

    def hashed(self) -> Iterator[bytes]:
        more = (self.padding, self.multiple) if any(self.padding) else ()
        yield repr((self.name, "sum", self.kernel, self.stride, *more)).encode()
