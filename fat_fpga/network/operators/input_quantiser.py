"""The input: pixels become the integers of the first stream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.base import IntArray, Shape


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
