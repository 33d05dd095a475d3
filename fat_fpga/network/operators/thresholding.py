"""Thresholds on a stream, without a matrix product in front: FINN's Thresholding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.base import IntArray
from fat_fpga.network.operators.channel_wise import ChannelWise
from fat_fpga.network.operators.threshold_logic import COUNT
from fat_fpga.network.operators.thresholds import activate, check_thresholds


@dataclass(frozen=True, eq=False)
class Thresholding(ChannelWise):
    """An activation on a stream, as behind an addition: ``out = base + step * (number of thresholds that it meets)``.

    Attributes:
        name: that of the layer in front, and ``.thresholding``.
        thresholds: int32 [C, levels.count - 1], ascending along the last axis; see `MatrixVectorUnit.thresholds`.
        levels: output levels.
        node: name of its node in the file.
        threshold_type: QONNX datatype of the threshold memory, where the file tells.
        threshold_logic: as of a `MatrixVectorUnit`.
    """

    name: str
    thresholds: IntArray
    levels: Levels
    node: str = ""
    threshold_type: str = ""
    inputs: tuple[str, ...] = ()
    threshold_logic: str = COUNT
    type: ClassVar[str] = "thresholding"
    enumerated: ClassVar[bool] = True

    def __repr__(self) -> str:
        return f"<Thresholding {self.name}: {self.channels} channels, {self.levels}>"

    def __post_init__(self) -> None:
        check_thresholds(self.name, self.thresholds, self.channels, self.levels)

    @property
    def channels(self) -> int:
        return len(self.thresholds)

    @property
    def thresholded(self) -> Thresholding:
        return self

    def output(self, *streams: IntArray) -> IntArray:
        (integers,) = streams
        return activate(integers, self.thresholds, self.levels)

    def output_levels(self, *before: Levels) -> Levels | None:
        return self.levels

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "thresholding", self.thresholds.shape, self.levels.base, self.levels.step)).encode()
        yield np.ascontiguousarray(self.thresholds, dtype="<i4").tobytes()
