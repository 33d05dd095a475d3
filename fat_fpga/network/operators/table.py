"""Tables: any function of one integer at a time with few values, rising or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.base import IntArray
from fat_fpga.network.operators.channel_wise import ChannelWise


@dataclass(frozen=True, eq=False)
class Table(ChannelWise):
    """A function on a stream: LeakyReLU with a slope below 0, SiLU, GELU, or any chain that does not only rise.

    It is kept as the runs of integers that have one value: ``out = values[c, number of starts that it meets]``.

    Attributes:
        name: that of the layer in front, and ``.table``.
        starts: int32 [C, R - 1], ascending: the first integer of each run but the first of all. Where a channel has
            fewer runs, the last ones start at 2^31 - 1, which no integer meets.
        values: int32 [C, R]; each is one of ``levels``.
        levels: output levels.
        node: name of its node in the file.
    """

    name: str
    starts: IntArray
    values: IntArray
    levels: Levels
    node: str = ""
    inputs: tuple[str, ...] = ()
    type: ClassVar[str] = "table"
    enumerated: ClassVar[bool] = True

    def __repr__(self) -> str:
        return f"<Table {self.name}: {self.channels} channels, {self.levels}>"

    def __post_init__(self) -> None:
        starts, values = self.starts, self.values
        if values.ndim != 2 or starts.shape != (len(values), values.shape[1] - 1):
            raise ModelError(
                f"{self.name}: expected starts [C, R - 1] and values [C, R], got {starts.shape}, {values.shape}"
            )
        if starts.dtype != np.int32 or values.dtype != np.int32:
            raise ModelError(f"{self.name}: starts and values must be int32, got {starts.dtype} and {values.dtype}")
        if np.any(starts[:, 1:] < starts[:, :-1]):
            raise ModelError(f"{self.name}: starts must ascend along each channel")
        low, high, steps = self.levels.min, self.levels.max, (values.astype(np.int64) - self.levels.base)
        if values.min() < low or values.max() > high or np.any(steps % self.levels.step):
            raise ModelError(f"{self.name}: its values must be among the levels {self.levels}")

    @property
    def channels(self) -> int:
        return len(self.values)

    def output(self, *streams: IntArray) -> IntArray:
        (integers,) = streams
        out = np.empty_like(integers)
        for channel, (starts, values) in enumerate(zip(self.starts, self.values, strict=True)):
            out[:, channel] = values[np.searchsorted(starts, integers[:, channel], side="right")]
        return out

    def output_levels(self, *before: Levels) -> Levels | None:
        return self.levels

    @property
    def parameters(self) -> Mapping[str, IntArray]:
        return {"values": self.values}

    def parameter_type(self, name: str) -> str:
        return self.levels.stored_as

    def with_parameter(self, name: str, words: IntArray) -> Table:
        """With values that may be none of the levels."""
        low, high, step = int(words.min()), int(words.max()), self.levels.step
        low, high = min(low, self.levels.min), max(high, self.levels.max)
        off_grid = np.any((words.astype(np.int64) - self.levels.base) % step)
        step = 1 if off_grid or (self.levels.base - low) % step else step
        return replace(self, values=words, levels=Levels(low, step, (high - low) // step + 1))

    def hashed(self) -> Iterator[bytes]:
        levels = (self.levels.base, self.levels.step)
        yield repr((self.name, "table", self.starts.shape, levels)).encode()
        yield np.ascontiguousarray(self.starts, dtype="<i4").tobytes()
        yield np.ascontiguousarray(self.values, dtype="<i4").tobytes()
