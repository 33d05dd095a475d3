"""The input of integers: they are the first stream themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.datatypes import OPERAND, is_word
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.base import IntArray, Shape
from fat_fpga.network.operators.input import Data, InputOfLevels, in_range


@dataclass(frozen=True, eq=False)
class IntegerInput(InputOfLevels):
    """Integers of a datatype, as ``INT8``, ``UINT4``, ``BIPOLAR`` or ``TERNARY``, enter the first layer as they are.

    Attributes:
        shape: channels, height, width of a row.
        values: the integers that there can be.
        scale, order: see `Input`.
    """

    shape: Shape
    values: Levels
    scale: float = 1.0
    order: IntArray | None = None

    def __repr__(self) -> str:
        return f"<IntegerInput: {'x'.join(map(str, self.shape))} integers {self.datatype}>"

    def __post_init__(self) -> None:
        if not is_word(self.values.stored_as, OPERAND):
            raise ModelError(f"the input's integers {self.values} have more than {OPERAND} bits: quantise them first")

    @property
    def datatype(self) -> str:  # type: ignore[override]
        return self.values.stored_as

    @property
    def takes(self) -> str:
        return f"integers {self.datatype}"

    @property
    def row_type(self) -> str:
        return self.datatype

    @property
    def as_thresholds(self) -> None:
        return None

    def integers(self, rows: Data) -> IntArray:
        return rows.astype(np.int32, copy=False)

    def hashed(self) -> Iterator[bytes]:
        yield repr(("integers", self.values.base, self.values.step, self.values.count)).encode()

    def random(self, rng: np.random.Generator, count: int) -> Data:
        steps = rng.integers(0, self.values.count, (count, *self.shape))
        return (self.values.base + self.values.step * steps).astype(np.int32)

    def _values(self, rows: Data) -> Data:
        return in_range(rows, self.values, self.datatype).astype(np.int32)
