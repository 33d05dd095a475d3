"""Max-pooling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fat_fpga.errors import ModelError
from fat_fpga.network.operators.base import IntArray, Layer, Shape

Padding = tuple[int, int, int, int]
UNPADDED: Padding = (0, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class MaxPool(Layer):
    """Maximum over windows; named after the layer in front: ``conv1.pool``.

    Attributes:
        kernel, stride: vertical, horizontal.
        padding: top, left, bottom, right; padded places hold no value, and a window has at least one that does.
    """

    name: str
    kernel: tuple[int, int]
    stride: tuple[int, int]
    node: str = ""
    inputs: tuple[str, ...] = ()
    padding: Padding = UNPADDED
    type: ClassVar[str] = "pool"

    def output(self, *streams: IntArray) -> IntArray:
        (activations,) = streams
        windows = sliding_window_view(padded(activations, self.padding, -(2**31)), self.kernel, axis=(2, 3))
        pooled: IntArray = windows[:, :, :: self.stride[0], :: self.stride[1]].max(axis=(4, 5))
        return pooled

    def hashed(self) -> Iterator[bytes]:
        padding = (self.padding,) if any(self.padding) else ()
        yield repr((self.name, self.kernel, self.stride, *padding)).encode()

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        return window_shape(self.name, self.kernel, self.stride, shape, self.padding)


def padded(activations: IntArray, padding: Padding, value: int) -> IntArray:
    """Activations [N, C, H, W] with ``value`` around them."""
    if not any(padding):
        return activations
    top, left, bottom, right = padding
    return np.pad(activations, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=value)


def window_shape(
    name: str, kernel: tuple[int, int], stride: tuple[int, int], shape: Shape, padding: Padding = UNPADDED
) -> Shape:
    """Shape of a stream with a value for each window; ModelError where a window is larger than its input, or lies in
    the padding alone."""
    top, left, bottom, right = padding
    if max(top, bottom) >= kernel[0] or max(left, right) >= kernel[1]:
        raise ModelError(f"{name}: padding {list(padding)} is as large as the window {list(kernel)}")
    c, h, w = shape[0], shape[1] + top + bottom, shape[2] + left + right
    if h < kernel[0] or w < kernel[1]:
        raise ModelError(f"{name}: window {list(kernel)} is larger than its input {[c, h, w]}")
    return c, (h - kernel[0]) // stride[0] + 1, (w - kernel[1]) // stride[1] + 1
