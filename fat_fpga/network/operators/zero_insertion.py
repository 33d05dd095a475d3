"""Zeros between the pixels of a stream: what makes a convolution behind it a transposed one."""

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
class ZeroInsertion(Layer):
    """``stride - 1`` rows and columns of zeros between each two of a stream; none around it.

    It is named after the layer in front: ``conv1.zeros``. FINN's FMPadding_Pixel.

    Attributes:
        stride: vertical, horizontal; above 0, and not both 1.
        node: name of its node in the file.
    """

    name: str
    stride: tuple[int, int]
    node: str = ""
    inputs: tuple[str, ...] = ()
    type: ClassVar[str] = "zeros"

    def __repr__(self) -> str:
        return f"<ZeroInsertion {self.name}: {self.stride[0]} x {self.stride[1]}>"

    def __post_init__(self) -> None:
        if min(self.stride) < 1 or self.stride == (1, 1):
            raise ModelError(f"{self.name}: expected strides above 0, one of them above 1, got {list(self.stride)}")

    def output_shape(self, *shapes: Shape) -> Shape:
        ((channels, height, width),) = shapes
        return channels, (height - 1) * self.stride[0] + 1, (width - 1) * self.stride[1] + 1

    def output(self, *streams: IntArray) -> IntArray:
        (activations,) = streams
        count, *shape = activations.shape
        spread = np.zeros((count, *self.output_shape((shape[0], shape[1], shape[2]))), np.int32)
        spread[:, :, :: self.stride[0], :: self.stride[1]] = activations
        return spread

    def output_levels(self, *before: Levels) -> Levels | None:
        """The levels, and 0, on the widest evenly spaced grid that holds them."""
        (levels,) = before
        if 0 in levels:
            return levels
        low, high, step = min(levels.min, 0), max(levels.max, 0), math.gcd(levels.step, levels.base)
        count = (high - low) // step + 1
        if count > MOST_LEVELS:
            raise ModelError(f"{self.name}: its stream has {count:,} levels with 0: expected {FEWER}")
        return Levels(low, step, count, levels.datatype)

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "zeros", self.stride)).encode()
