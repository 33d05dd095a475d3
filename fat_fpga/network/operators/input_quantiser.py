"""The input of images: pixels become the integers of the first stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import DataError, ModelError
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.base import IntArray, Shape
from fat_fpga.network.operators.input import Data, Input

PIXELS = np.arange(256)


@dataclass(frozen=True, eq=False)
class InputQuantiser(Input):
    """Turns pixels into the first layer's integers, by table.

    Attributes:
        shape: channels, height, width of an image.
        table: int32 [C, 256]; ``table[c, pixel]`` is the integer that channel ``c`` sees for a uint8 pixel. Where the
            file treats every pixel of a channel by itself, [C * H * W, 256].
        scale, datatype, order: see `Input`.
    """

    shape: Shape
    table: IntArray
    scale: float = 1.0
    datatype: str = ""
    order: IntArray | None = None

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.shape))
        return f"<InputQuantiser: {shape} pixels to integers {self.min}..{self.max}>"

    def __post_init__(self) -> None:
        rows = {(self.shape[0], 256), (int(np.prod(self.shape)), 256)}
        if self.table.shape not in rows or self.table.dtype != np.int32:
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

    @property
    def takes(self) -> str:
        return "uint8 images"

    @property
    def raw_pixels(self) -> bool:
        return bool(np.all(self.table == PIXELS))

    @property
    def pixels(self) -> bool:
        return True

    @property
    def row_type(self) -> str:
        return "UINT8"

    @property
    def as_thresholds(self) -> tuple[npt.NDArray[Any], IntArray] | None:
        if self.raw_pixels:
            return None
        steps = np.diff(self.table.astype(np.int64), axis=1)
        falls = np.any(steps < 0, axis=1)
        if np.any(falls & np.any(steps > 0, axis=1)):
            raise ModelError("an input table that neither ascends nor descends cannot be written as thresholds")
        wanted, last = np.array(self.levels.values[1:]), len(PIXELS) - 1
        thresholds = [
            np.searchsorted(row[::-1], wanted) - last if down else np.searchsorted(row, wanted)
            for row, down in zip(self.table, falls, strict=True)
        ]
        return np.stack(thresholds), np.where(falls, -1, 1).astype(np.int32)

    def integers(self, rows: Data) -> IntArray:
        if len(self.table) == self.shape[0]:
            return np.stack([table[rows[:, c]] for c, table in enumerate(self.table)], axis=1)
        flat = rows.reshape(len(rows), -1)
        found: IntArray = self.table[np.arange(flat.shape[1]), flat]
        return found.reshape(-1, *self.shape)

    def hashed(self) -> Iterator[bytes]:
        yield self.table.astype("<i4").tobytes()

    def random(self, rng: np.random.Generator, count: int) -> Data:
        """Images of which half are noise, and half are darker than average."""
        images = rng.integers(0, 256, (count, *self.shape))
        images[::2] = images[::2] * rng.random((len(images[::2]), 1, 1, 1))
        return images.astype(np.uint8)

    def codes(self, rows: Data) -> tuple[IntArray, npt.NDArray[np.uint8]] | None:
        if len(self.table) == self.shape[0]:
            return self.table, rows
        return super().codes(rows)

    @property
    def code_table(self) -> IntArray | None:
        return self.table if len(self.table) == self.shape[0] else super().code_table

    def _values(self, rows: Data) -> Data:
        if rows.dtype == np.uint8:
            return rows
        if rows.dtype.kind in "iu" and rows.size and rows.min() >= 0 and rows.max() <= 255:
            return rows.astype(np.uint8)
        what = f"{rows.min():.3g} to {rows.max():.3g}" if rows.size and rows.dtype.kind in "iuf" else "no numbers"
        raise DataError(
            f"{rows.dtype}, {what}: convert pixels to uint8, and multiply by 255 first if they are 0 to 1; if the file "
            "takes other data than pixels, say so with --pixels none (pixels='none' in Python)"
        )
