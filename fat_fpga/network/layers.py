"""The layers of an integer dataflow network, named and meant as FINN does.

All of them are immutable, all arithmetic is on integers. Activations are arrays [N, C, H, W];
a fully connected layer is a matrix-vector unit whose kernel covers its whole input.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelError
from fat_fpga.network.levels import Levels

IntArray = npt.NDArray[np.int32]
Shape = tuple[int, int, int]
"""Channels, height, width of one image's activations."""


@dataclass(frozen=True, eq=False)
class InputQuantiser:
    """Turns pixels into the first layer's integers, by table.

    Attributes:
        shape: channels, height, width of an image.
        table: int32 [C, 256]; ``table[c, pixel]`` is the integer that channel ``c`` sees for a uint8 pixel.
        scale: real value of one integer step; documents what the integers stand for.
        datatype: QONNX datatype of the integers, where the file tells.
    """

    shape: Shape
    table: IntArray
    scale: float = 1.0
    datatype: str = ""

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.shape))
        return f"<InputQuantiser: {shape} pixels to integers {self.min}..{self.max}>"

    def __post_init__(self) -> None:
        if self.table.shape != (self.shape[0], 256) or self.table.dtype != np.int32:
            raise ModelError(
                f"input table: expected int32 [{self.shape[0]}, 256], got {self.table.dtype} {list(self.table.shape)}"
            )

    @property
    def min(self) -> int:
        return int(self.table.min())

    @property
    def max(self) -> int:
        return int(self.table.max())

    @property
    def levels(self) -> Levels:
        """Evenly spaced integers that hold every entry of the table, with as wide a step as they allow."""
        step = int(np.gcd.reduce(self.table.ravel() - self.min)) or 1
        return Levels(self.min, step, max((self.max - self.min) // step + 1, 2), self.datatype)


class Layer(ABC):
    """What every layer has. A layer's own properties are here; what a room makes of it, the room's handlers say.

    Attributes:
        type: the word for its kind in run files.
        enumerated: whether its stream is among the places whose faults are enumerated unless others are named.
        name: its address.
        node: name of its node in the file.
    """

    type: ClassVar[str]
    enumerated: ClassVar[bool] = False
    name: str
    node: str

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """Shape behind this layer for an input of ``shape``; ModelError where it does not fit."""

    @abstractmethod
    def hashed(self) -> Iterator[bytes]:
        """Everything that decides its function, for the network's fingerprint."""

    def output_levels(self, before: Levels) -> Levels | None:
        """What its activations can be, behind a stream of some levels; None for class scores."""
        return before

    @property
    def unit(self) -> MatrixVectorUnit | None:
        """The layer itself where it is a matrix-vector unit, which has PEs and memories; else None."""
        return None


@dataclass(frozen=True, eq=False)
class MatrixVectorUnit(Layer):
    """A convolution or fully connected layer with its activation: FINN's MVAU.

    ``acc[m] = sum_k weights[m, k] * window[k]`` and, with thresholds,
    ``out[m] = levels.base + levels.step * sum_i (acc[m] >= thresholds[m, i])``.

    Attributes:
        name: address of the layer, the same from every form of file: ``conv0``, ``conv1``, ..., ``fc8``.
        weights: int32 [M, C, KH, KW].
        thresholds: int32 [M, levels.count - 1], ascending along the last axis; None in the last layer. They are the
            file's own, right for every sum that a fault can give, not only for those that occur without one; the
            ends of int32 stand for thresholds that every sum meets, or none.
        levels: output levels; None in the last layer, whose accumulators are the class scores.
        stride: vertical, horizontal.
        padding: top, left, bottom, right; padded places hold the integer 0.
        weight_type: QONNX datatype of the weights, as in the file (``BIPOLAR``, ``INT2``, ...).
        node: name of the matrix node in the file.
        accumulator_type, threshold_type: QONNX datatypes of accumulators and threshold memory, where the file tells;
            what holds them otherwise is in `fat_fpga.network.words`.
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
        if (self.thresholds is None) != (self.levels is None):
            raise ModelError(f"{self.name}: thresholds and levels must be given together")
        if self.thresholds is not None and self.levels is not None:
            expected = (self.channels, self.levels.count - 1)
            if self.thresholds.shape != expected or self.thresholds.dtype != np.int32:
                raise ModelError(
                    f"{self.name}: thresholds must be int32 {list(expected)}, "
                    f"got {self.thresholds.dtype} {list(self.thresholds.shape)}"
                )
            if np.any(self.thresholds[:, 1:] < self.thresholds[:, :-1]):
                raise ModelError(f"{self.name}: thresholds must ascend along each channel")

    @property
    def channels(self) -> int:
        """Number of output channels M."""
        return int(self.weights.shape[0])

    @property
    def kernel(self) -> tuple[int, int]:
        return int(self.weights.shape[2]), int(self.weights.shape[3])

    def output_shape(self, shape: Shape) -> Shape:
        """Shape behind this layer for an input of ``shape``; ModelError where it does not fit."""
        c, h, w = shape
        top, left, bottom, right = self.padding
        rows = h + top + bottom - self.kernel[0]
        columns = w + left + right - self.kernel[1]
        if c != self.weights.shape[1] or rows < 0 or columns < 0:
            raise ModelError(f"{self.name}: weights {list(self.weights.shape)} do not fit an input of {list(shape)}")
        return self.channels, rows // self.stride[0] + 1, columns // self.stride[1] + 1

    def hashed(self) -> Iterator[bytes]:
        levels = self.levels and (self.levels.base, self.levels.step)
        yield repr((self.name, self.weights.shape, self.stride, self.padding, levels)).encode()
        yield self.weights.astype("<i4").tobytes()
        if self.thresholds is not None:
            yield np.ascontiguousarray(self.thresholds, dtype="<i4").tobytes()

    def output_levels(self, before: Levels) -> Levels | None:
        return self.levels

    @property
    def unit(self) -> MatrixVectorUnit:
        return self

    def macs(self, shape: Shape) -> int:
        """Multiply-accumulates for one image with an input of ``shape``."""
        _, h, w = self.output_shape(shape)
        return h * w * self.weights.size


@dataclass(frozen=True, eq=False)
class MaxPool(Layer):
    """Maximum over windows, without padding; named after the layer in front: ``conv1.pool``."""

    name: str
    kernel: tuple[int, int]
    stride: tuple[int, int]
    node: str = ""
    type: ClassVar[str] = "pool"

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, self.kernel, self.stride)).encode()

    def output_shape(self, shape: Shape) -> Shape:
        """Shape behind this layer for an input of ``shape``; ModelError where it does not fit."""
        c, h, w = shape
        if h < self.kernel[0] or w < self.kernel[1]:
            raise ModelError(f"{self.name}: window {list(self.kernel)} is larger than its input {list(shape)}")
        return c, (h - self.kernel[0]) // self.stride[0] + 1, (w - self.kernel[1]) // self.stride[1] + 1


@dataclass(frozen=True, eq=False)
class MajorityVote(Layer):
    """Bitwise majority of replicated channels, right behind the unit that computes the copies: ``conv1.vote``.

    ``out[c] = a & b | a & c | b & c`` of the three integers ``a, b, c = in[sources[c]]``, bit by bit as two's
    complement (two of three bipolar values are always equal, so this holds for their single bit as well). As long as
    two copies agree, their value passes.

    Attributes:
        name: address of the layer: that of the unit in front, and ``.vote``.
        sources: int32 [C, 3]; the three channels in front that output channel ``c`` is decided by. A channel without
            copies stands there three times.
        node: name of its node in the file.
    """

    name: str
    sources: IntArray
    node: str = ""
    type: ClassVar[str] = "vote"
    enumerated: ClassVar[bool] = True

    @classmethod
    def behind(cls, unit: str, sources: IntArray, node: str = "") -> MajorityVote:
        """The vote on the copies that a unit computes, with the name that such a vote has."""
        return cls(f"{unit}.vote", sources, node)

    def __repr__(self) -> str:
        return f"<MajorityVote {self.name}: {self.voted.sum()} of {self.channels} channels voted on>"

    def __post_init__(self) -> None:
        if self.sources.ndim != 2 or self.sources.shape[1] != 3 or self.sources.dtype != np.int32:
            raise ModelError(
                f"{self.name}: sources must be int32 [C, 3], got {self.sources.dtype} {list(self.sources.shape)}"
            )
        if not self.sources.size or self.sources.min() < 0:
            raise ModelError(f"{self.name}: sources must be numbers of channels, from 0 on")

    @property
    def channels(self) -> int:
        """Number of output channels C."""
        return len(self.sources)

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, self.sources.tolist())).encode()

    @property
    def voted(self) -> npt.NDArray[np.bool_]:
        """bool [C]: whether three different channels decide."""
        a, b, c = self.sources.T
        voted: npt.NDArray[np.bool_] = (a != b) & (a != c) & (b != c)
        return voted

    def output_shape(self, shape: Shape) -> Shape:
        """Shape behind this layer for an input of ``shape``; ModelError where it does not fit."""
        if self.sources.max() >= shape[0]:
            raise ModelError(
                f"{self.name}: it votes on channel {self.sources.max()}, there are channels 0 to {shape[0] - 1}"
            )
        return self.channels, shape[1], shape[2]
