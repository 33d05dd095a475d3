"""The input: data become the integers of the first stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import DataError
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.base import IntArray, Shape

Data = npt.NDArray[Any]
"""Data of any type and shape [N, ...], one row for each image, signal or vector of features."""
CODES = 256
"""Different integers that a table of a uint8 holds."""


class Input(ABC):
    """How data become integers. A subclass says which data, and how.

    Attributes:
        shape: channels, height, width of the first stream.
        scale: real value of one integer step; documents what the integers stand for.
        datatype: QONNX datatype of the integers, where the file tells.
        order: int32 of the shape that one row has in the file; position in the flattened [C, H, W] of each of its
            elements, -1 for those that the file leaves out. None where rows lie as [C, H, W].
    """

    shape: Shape
    scale: float
    datatype: str
    order: IntArray | None

    @property
    @abstractmethod
    def min(self) -> int:
        """The smallest integer."""

    @property
    @abstractmethod
    def max(self) -> int:
        """The largest integer."""

    @property
    @abstractmethod
    def levels(self) -> Levels:
        """Evenly spaced integers that hold every one of the stream."""

    @property
    @abstractmethod
    def takes(self) -> str:
        """What it takes, in words: ``uint8 pixels``."""

    @property
    def raw_pixels(self) -> bool:
        """Whether the integers are the pixels 0..255 themselves."""
        return False

    @property
    def pixels(self) -> bool:
        """Whether it takes pixels."""
        return False

    @property
    @abstractmethod
    def row_type(self) -> str:
        """QONNX datatype of what it takes: ``UINT8``, ``FLOAT32``."""

    @property
    @abstractmethod
    def as_thresholds(self) -> tuple[npt.NDArray[Any], IntArray] | None:
        """Thresholds [R, T] and signs int32 [R], so that `FeatureQuantiser` would give the same; None where the data
        are the integers.

        Raises:
            ModelError: there are no such thresholds.
        """

    @abstractmethod
    def integers(self, rows: Data) -> IntArray:
        """The first stream, int32 [N, C, H, W], of rows as `taken` gives them."""

    @abstractmethod
    def hashed(self) -> Iterator[bytes]:
        """Everything that decides the integers, but for the shape, for the network's fingerprint."""

    @abstractmethod
    def random(self, rng: np.random.Generator, count: int) -> Data:
        """Rows [count, C, H, W] that it takes, such that all its integers occur."""

    @abstractmethod
    def _values(self, rows: Data) -> Data:
        """Rows in the type that `integers` takes.

        Raises:
            DataError: they are of another type, or hold what they must not.
        """

    def taken(self, rows: Data) -> Data:
        """Rows [N, C, H, W], as `integers` takes them, of rows that lie so, or as in the file.

        Raises:
            DataError: they have another shape or type, or a value that it does not take; the message goes on
                after the name of who takes them, and names the row.
        """
        found = rows.shape[1:]
        flat = self.shape[1:] == (1, 1) and found == self.shape[:1]
        moved = self.order is not None and found == self.order.shape and found != self.shape
        if found != self.shape and not flat and not moved:
            raise DataError(
                f"takes {self.takes} {self._expected}, got {rows.dtype} {list(rows.shape)}{self._hint(found)}"
            )
        try:
            values = self._values(rows)
        except DataError as error:
            raise DataError(f"takes {self.takes} {self._expected}, got {error}") from error
        if moved and self.order is not None:
            read = np.flatnonzero(self.order.ravel() >= 0)
            placed = np.empty((len(rows), len(read)), values.dtype)
            placed[:, self.order.ravel()[read]] = values.reshape(len(rows), -1)[:, read]
            values = placed
        return values.reshape(len(rows), *self.shape)

    def codes(self, rows: Data) -> tuple[IntArray, npt.NDArray[np.uint8]] | None:
        """The stream as a table int32 [C, 256] and positions uint8 [N, C, H, W] in it; None where it has more
        integers.

        Args:
            rows: as `taken` gives them.
        """
        table = self.code_table
        if table is None:
            return None
        levels = self.levels
        return table, ((self.integers(rows) - levels.min) // levels.step).astype(np.uint8)

    @property
    def code_table(self) -> IntArray | None:
        """The table of `codes`."""
        levels = self.levels
        if levels.count > CODES:
            return None
        row = np.minimum(np.arange(CODES), levels.count - 1) * levels.step + levels.min
        return np.tile(row.astype(np.int32), (self.shape[0], 1))

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one row, as the file has it."""
        if self.order is not None:
            return self.order.shape
        return self.shape[:1] if self.shape[1:] == (1, 1) and not self.pixels else self.shape

    @property
    def _expected(self) -> str:
        """The shape of all rows, as text."""
        return f"[N, {', '.join(map(str, self.row_shape))}]"

    def _hint(self, found: tuple[int, ...]) -> str:
        """What to do about rows of another shape, as the end of a message."""
        if self.pixels and self.shape[1:] == (1, 1) and len(found) == 3 and np.prod(found) == self.shape[0]:
            sizes = ",".join(map(str, found))
            how = f"--image-shape {sizes} (image_shape= in Python)"
            return f": the file's input is flat, so give its image shape with {how}"
        if len(found) == 3 and (found[2], found[0], found[1]) == self.row_shape:
            return ": the channels are last, so bring them to the front with .transpose(0, 3, 1, 2)"
        if len(found) == 2 and (1, *found) == self.row_shape:
            return ": grey images need an axis for their channel, images[:, None]"
        return ""


class InputOfLevels(Input):
    """An input whose integers are known by their levels.

    Attributes:
        values: the integers.
    """

    values: Levels

    @property
    def min(self) -> int:
        return self.values.min

    @property
    def max(self) -> int:
        return self.values.max

    @property
    def levels(self) -> Levels:
        return self.values


def first_wrong(wrong: npt.NDArray[np.bool_], rows: Data) -> str:
    """Where the first wrong value of rows [N, ...] is, and what it is, for a message."""
    at = np.unravel_index(int(wrong.argmax()), wrong.shape)
    value, count = rows[at], int(wrong.sum())
    more = f" ({count:,} such values)" if count > 1 else ""
    return f"row {at[0]}, position {[int(i) for i in at[1:]]} is {value:g}{more}"


def in_range(rows: Data, levels: Levels, name: str) -> Data:
    """Whole numbers among ``levels``, of any dtype; DataError where one is none."""
    if rows.dtype.kind not in "biuf":
        raise DataError(f"{rows.dtype}, which is no type of numbers")
    with np.errstate(invalid="ignore"):
        wrong = (rows < levels.min) | (rows > levels.max) | (rows != np.floor(rows))
        wrong = wrong if rows.dtype.kind != "f" else wrong | ~np.isfinite(rows)
        if not wrong.any() and levels.step > 1:
            wrong = (rows.astype(np.int64) - levels.min) % levels.step != 0
    if wrong.any():
        raise DataError(f"other values: {first_wrong(wrong, rows)}; {name} is one of {levels}")
    return rows
