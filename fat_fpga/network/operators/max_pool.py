"""Max-pooling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from numpy.lib.stride_tricks import sliding_window_view

from fat_fpga.errors import ModelError
from fat_fpga.network.operators.base import IntArray, Layer, Shape


@dataclass(frozen=True, eq=False)
class MaxPool(Layer):
    """Maximum over windows, without padding; named after the layer in front: ``conv1.pool``."""

    name: str
    kernel: tuple[int, int]
    stride: tuple[int, int]
    node: str = ""
    inputs: tuple[str, ...] = ()
    type: ClassVar[str] = "pool"

    def output(self, *streams: IntArray) -> IntArray:
        (activations,) = streams
        windows = sliding_window_view(activations, self.kernel, axis=(2, 3))
        pooled: IntArray = windows[:, :, :: self.stride[0], :: self.stride[1]].max(axis=(4, 5))
        return pooled

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, self.kernel, self.stride)).encode()

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        return window_shape(self.name, self.kernel, self.stride, shape)


def window_shape(name: str, kernel: tuple[int, int], stride: tuple[int, int], shape: Shape) -> Shape:
    """Shape of a stream with a value for each window; ModelError where a window is larger than its input."""
    c, h, w = shape
    if h < kernel[0] or w < kernel[1]:
        raise ModelError(f"{name}: window {list(kernel)} is larger than its input {[c, h, w]}")
    return c, (h - kernel[0]) // stride[0] + 1, (w - kernel[1]) // stride[1] + 1
