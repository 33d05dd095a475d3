"""What every layer has: an operator of the integer program, and where its input streams come from.

All of them are immutable, all arithmetic is on integers. Activations are arrays int32 [N, C, H, W].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from fat_fpga.network.datatypes import smallest_type
from fat_fpga.network.levels import Levels

if TYPE_CHECKING:
    from fat_fpga.network.operators.matrix_vector_unit import MatrixVectorUnit
    from fat_fpga.network.operators.thresholding import Thresholding

IntArray = npt.NDArray[np.int32]
Shape = tuple[int, int, int]
"""Channels, height, width of one image's activations."""


class Layer(ABC):
    """An operator. Its own properties and its meaning are here; what a room makes of it, the room's handlers say.

    Attributes:
        type: the word for its kind in run files.
        enumerated: whether its stream is among the places whose faults are enumerated unless others are named.
        ordinal: whether what it makes is an order only, so that differences and ratios mean nothing.
        name: its address, and that of the stream that it makes.
        node: name of its node in the file.
        inputs: names of the streams that it reads; empty stands for the one stream of the layer right before it, as
            in a chain. `Network.inputs` tells them in either case.
    """

    type: ClassVar[str]
    enumerated: ClassVar[bool] = False
    ordinal: ClassVar[bool] = False
    name: str
    node: str
    inputs: tuple[str, ...] = ()

    @property
    def arity(self) -> int:
        """How many streams it reads."""
        return 1

    @property
    def row_type(self) -> str:
        """The word for it in run files, where some layers of a type are apart from the others."""
        return self.type

    @abstractmethod
    def output_shape(self, *shapes: Shape) -> Shape:
        """Shape of its stream for inputs of ``shapes``; ModelError where they do not fit."""

    @abstractmethod
    def output(self, *streams: IntArray) -> IntArray:
        """What it computes, by definition: its stream [N, C, H, W] for input streams [N, C', H', W']."""

    @abstractmethod
    def hashed(self) -> Iterator[bytes]:
        """Everything that decides its function, but for its inputs, for the network's fingerprint."""

    def output_levels(self, *before: Levels) -> Levels | None:
        """What its activations can be, for input streams of some levels; None for class scores."""
        (levels,) = before
        return levels

    def executed(self, tensor: npt.NDArray[Any]) -> IntArray:
        """Its stream, of what qonnx makes of it in a file that `fat_fpga.network.write_qonnx` has written."""
        integers: IntArray = tensor.astype(np.int32)
        return integers

    @property
    def parameters(self) -> Mapping[str, IntArray]:
        """Its memories beside those of weights and thresholds, by the name of the attribute that they are."""
        return {}

    def parameter_type(self, name: str) -> str:
        """QONNX datatype of one of these memories: the narrowest integers that hold it."""
        words = self.parameters[name]
        return smallest_type(int(words.min()), int(words.max()))

    def with_parameter(self, name: str, words: IntArray) -> Layer:
        """The layer with other words in one of these memories, of the memory's datatype."""
        changed: Layer = replace(self, **{name: words})  # type: ignore[type-var]
        return changed

    @property
    def unit(self) -> MatrixVectorUnit | None:
        """The layer itself where it is a matrix-vector unit, which has PEs and memories; else None."""
        return None

    @property
    def thresholded(self) -> MatrixVectorUnit | Thresholding | None:
        """The layer itself where it has thresholds, and so a memory for them; else None."""
        return None
