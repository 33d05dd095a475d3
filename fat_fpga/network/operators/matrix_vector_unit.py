"""Matrix-vector units: convolutions and fully connected layers, with their activation.

A fully connected layer is a unit whose kernel covers its whole input.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fat_fpga.errors import ModelError
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.base import IntArray, Layer, Shape
from fat_fpga.network.operators.threshold_logic import COUNT
from fat_fpga.network.operators.thresholds import activate, check_thresholds


@dataclass(frozen=True, eq=False)
class MatrixVectorUnit(Layer):
    """A convolution or fully connected layer with its activation: FINN's MVAU, or VVAU where it is depthwise.

    ``acc[m] = sum_k weights[m, k] * window[k]`` and, with thresholds,
    ``out[m] = levels.base + levels.step * sum_i (acc[m] >= thresholds[m, i])``.

    With G groups, channels in front and behind are cut into G parts in order; each part of the outputs sees one part of
    the inputs, and ``weights[m, c]`` is of channel ``c`` of that part.

    Attributes:
        name: address of the layer, the same from every form of file: ``conv0``, ``conv1``, ..., ``fc8``.
        weights: int32 [M, C / groups, KH, KW].
        thresholds: int32 [M, levels.count - 1], ascending along the last axis; None where there are none. They are the
            file's own, right for every sum that a fault can give, not only for those that occur without one; the
            ends of int32 stand for thresholds that every sum meets, or none.
        levels: output levels; None in the last layer, whose accumulators are the class scores. Without thresholds, they
            are those of the accumulators, which other layers read then.
        stride: vertical, horizontal.
        padding: top, left, bottom, right; padded places hold the integer 0.
        weight_type: QONNX datatype of the weights, as in the file (``BIPOLAR``, ``INT2``, ...).
        node: name of the matrix node in the file.
        accumulator_type, threshold_type: QONNX datatypes of accumulators and threshold memory, where the file tells;
            what holds them otherwise is in `fat_fpga.network.words`.
        groups: number of groups.
        dilation: vertical, horizontal distance between two places of the kernel.
        threshold_logic: how the hardware finds a level: ``count``, ``search`` or ``baked``; see `threshold_logic`. It
            decides what a fault in the threshold memory does, and nothing else.
    """

    name: str
    weights: IntArray
    thresholds: IntArray | None
    levels: Levels | None
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    weight_type: str = "INT8"
    node: str = ""
    accumulator_type: str = ""
    threshold_type: str = ""
    inputs: tuple[str, ...] = ()
    groups: int = 1
    dilation: tuple[int, int] = (1, 1)
    threshold_logic: str = COUNT
    type: ClassVar[str] = "unit"
    enumerated: ClassVar[bool] = True

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.weights.shape))
        return f"<MatrixVectorUnit {self.name}: {self.weight_type} weights {shape}, {self.levels or 'scores'}>"

    def __post_init__(self) -> None:
        if self.weights.ndim != 4 or self.weights.dtype != np.int32:
            raise ModelError(
                f"{self.name}: weights must be int32 [M, C, KH, KW], "
                f"got {self.weights.dtype} {list(self.weights.shape)}"
            )
        if self.groups < 1 or self.channels % self.groups or min(self.dilation) < 1:
            raise ModelError(
                f"{self.name}: {self.channels} channels do not make {self.groups} groups, or its dilation is below 1"
            )
        if self.thresholds is not None and self.levels is None:
            raise ModelError(f"{self.name}: thresholds need levels")
        if self.thresholds is not None and self.levels is not None:
            check_thresholds(self.name, self.thresholds, self.channels, self.levels)

    @property
    def channels(self) -> int:
        """Number of output channels M."""
        return int(self.weights.shape[0])

    @property
    def kernel(self) -> tuple[int, int]:
        return int(self.weights.shape[2]), int(self.weights.shape[3])

    @property
    def span(self) -> tuple[int, int]:
        """Rows and columns from the first to the last place of the kernel."""
        return (self.kernel[0] - 1) * self.dilation[0] + 1, (self.kernel[1] - 1) * self.dilation[1] + 1

    @property
    def plain(self) -> bool:
        """Whether it has neither groups nor dilation."""
        return self.groups == 1 and self.dilation == (1, 1)

    @property
    def row_type(self) -> str:
        return self.type if self.plain else f"grouped {self.type}"

    def place_of(self, index: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """Where a weight is in the weights of `dense`."""
        m, c, y, x = index
        first = m // (self.channels // self.groups) * self.weights.shape[1]
        return m, first + c, y * self.dilation[0], x * self.dilation[1]

    def dense(self, channels: Sequence[int] | None = None) -> MatrixVectorUnit:
        """The unit, or some of its output channels alone, as one without groups and dilation, with zeros for weights
        that it does not have."""
        if channels is None and self.plain:
            return self
        rows = list(range(self.channels) if channels is None else channels)
        thresholds = None if self.thresholds is None else self.thresholds[rows]
        if self.plain:
            return replace(self, weights=self.weights[rows], thresholds=thresholds)
        inputs, (down, right) = self.weights.shape[1], self.dilation
        weights = np.zeros((len(rows), inputs * self.groups, *self.span), np.int32)
        for row, m in enumerate(rows):
            _, first, _, _ = self.place_of((m, 0, 0, 0))
            weights[row, first : first + inputs, ::down, ::right] = self.weights[m]
        return replace(self, weights=weights, thresholds=thresholds, groups=1, dilation=(1, 1))

    def output_shape(self, *shapes: Shape) -> Shape:
        ((c, h, w),) = shapes
        top, left, bottom, right = self.padding
        rows = h + top + bottom - self.span[0]
        columns = w + left + right - self.span[1]
        if c != self.weights.shape[1] * self.groups or rows < 0 or columns < 0:
            raise ModelError(f"{self.name}: weights {list(self.weights.shape)} do not fit an input of {[c, h, w]}")
        return self.channels, rows // self.stride[0] + 1, columns // self.stride[1] + 1

    def accumulate(self, activations: IntArray) -> IntArray:
        """Accumulators int32 [N, M, H', W'] for activations [N, C, H, W]."""
        top, left, bottom, right = self.padding
        padded = np.pad(activations, ((0, 0), (0, 0), (top, bottom), (left, right)))
        windows = sliding_window_view(padded, self.span, axis=(2, 3))[:, :, :: self.stride[0], :: self.stride[1]]
        windows = windows[..., :: self.dilation[0], :: self.dilation[1]]
        count, height, width = len(windows), *windows.shape[2:4]
        grouped = windows.reshape(count, self.groups, -1, *windows.shape[2:]).transpose(1, 0, 3, 4, 2, 5, 6)
        # float64 holds these integers exactly, and has a fast matrix product: a row for each image and output pixel
        vectors = np.array(grouped, np.float64, order="C").reshape(self.groups, count * height * width, -1)
        weights = self.weights.reshape(self.groups, self.channels // self.groups, -1).astype(np.float64)
        sums = (vectors @ weights.transpose(0, 2, 1)).astype(np.int32).reshape(self.groups, count, height, width, -1)
        accumulators: IntArray = sums.transpose(1, 0, 4, 2, 3).reshape(count, self.channels, height, width)
        return accumulators

    def activate(self, accumulators: IntArray) -> IntArray:
        """Output levels for accumulators, of the same shape; the accumulators themselves in the last layer."""
        if self.thresholds is None or self.levels is None:
            return accumulators
        return activate(accumulators, self.thresholds, self.levels)

    def output(self, *streams: IntArray) -> IntArray:
        (activations,) = streams
        return self.activate(self.accumulate(activations))

    def hashed(self) -> Iterator[bytes]:
        levels = self.levels and (self.levels.base, self.levels.step)
        yield repr((self.name, self.weights.shape, self.stride, self.padding, levels)).encode()
        if not self.plain:
            yield repr(("groups", self.groups, self.dilation)).encode()
        yield self.weights.astype("<i4").tobytes()
        if self.thresholds is not None:
            yield np.ascontiguousarray(self.thresholds, dtype="<i4").tobytes()

    def output_levels(self, *before: Levels) -> Levels | None:
        return self.levels

    @property
    def unit(self) -> MatrixVectorUnit:
        return self

    @property
    def thresholded(self) -> MatrixVectorUnit | None:
        return None if self.thresholds is None else self

    def macs(self, shape: Shape) -> int:
        """Multiply-accumulates for one image with an input of ``shape``."""
        _, h, w = self.output_shape(shape)
        return h * w * self.weights.size
