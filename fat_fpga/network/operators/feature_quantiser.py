"""The input of real features, signals, or wide integers: thresholds on float32 decide on the first stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import DataError, ModelError
from fat_fpga.network.datatypes import span_of
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.base import IntArray, Shape
from fat_fpga.network.operators.input import Data, InputOfLevels, first_wrong, in_range

REAL = ""
"""What `FeatureQuantiser.given` is where features are real numbers."""
EXACT = 2**24
"""Up to here float32 holds every integer."""


@dataclass(frozen=True, eq=False)
class FeatureQuantiser(InputOfLevels):
    """Turns float32 values into integers: ``base + step * (number of thresholds t with sign * value >= t)``.

    That is what any monotone chain of nodes up to the file's input quantiser does, exactly: each threshold is the
    smallest float32 that the file's own nodes put on the level.

    Attributes:
        shape: channels, height, width of a row.
        thresholds: float32 [R, levels.count - 1], ascending along the last axis; R is C, or C * H * W where the file
            treats every position by itself. Infinite where no value, or every value, meets one.
        sign: int32 [R], -1 where larger values have smaller integers, else 1.
        values: the integers.
        scale, order: see `Input`.
        given: QONNX datatype of the data, where they are integers; empty for real numbers.
    """

    shape: Shape
    thresholds: npt.NDArray[np.float32]
    sign: IntArray
    values: Levels
    scale: float = 1.0
    order: IntArray | None = None
    given: str = REAL

    def __repr__(self) -> str:
        what = self.given or "real"
        return f"<FeatureQuantiser: {'x'.join(map(str, self.shape))} {what} values to integers {self.values}>"

    def __post_init__(self) -> None:
        rows, count = len(self.sign), self.values.count - 1
        sizes = (self.shape[0], int(np.prod(self.shape)))
        good = self.thresholds.shape == (rows, count) and self.thresholds.dtype == np.float32
        if not good or rows not in sizes or self.sign.dtype != np.int32 or not np.all(np.abs(self.sign) == 1):
            raise ModelError(
                f"input thresholds: expected float32 [{self.shape[0]}, {count}] and signs 1 or -1, got "
                f"{self.thresholds.dtype} {list(self.thresholds.shape)} and {self.sign.dtype} {list(self.sign.shape)}"
            )
        if np.any(np.isnan(self.thresholds)) or np.any(self.thresholds[:, 1:] < self.thresholds[:, :-1]):
            raise ModelError("input thresholds must ascend")

    @property
    def datatype(self) -> str:  # type: ignore[override]
        return self.values.datatype

    @property
    def takes(self) -> str:
        return f"integers {self.given}" if self.given else "finite real values"

    @property
    def row_type(self) -> str:
        return self.given or "FLOAT32"

    @property
    def as_thresholds(self) -> tuple[npt.NDArray[Any], IntArray]:
        return self.thresholds, self.sign

    def integers(self, rows: Data) -> IntArray:
        flat = rows.reshape(len(rows), len(self.sign), -1)
        found = np.empty(flat.shape, np.int32)
        for row, (sign, thresholds) in enumerate(zip(self.sign, self.thresholds, strict=True)):
            signed = flat[:, row] if sign > 0 else -flat[:, row]
            found[:, row] = np.searchsorted(thresholds, signed, side="right")
        return (self.values.base + self.values.step * found).reshape(-1, *self.shape)

    def hashed(self) -> Iterator[bytes]:
        levels = self.values
        yield repr(("features", self.given, self.thresholds.shape, levels.base, levels.step)).encode()
        yield self.thresholds.astype("<f4").tobytes()
        yield self.sign.astype("<i4").tobytes()

    def random(self, rng: np.random.Generator, count: int) -> Data:
        """Half of the values lie on a threshold or right below one, where quantisers differ if they do."""
        finite = self.thresholds[np.isfinite(self.thresholds)]
        low, high = (-1.0, 1.0) if not finite.size else (float(finite.min()), float(finite.max()))
        margin = (high - low) / 4 + 2.0**-6
        values = rng.uniform(low - margin, high + margin, (count, *self.shape)).astype(np.float32)
        flat = values.reshape(count, len(self.sign), -1)
        near = self.thresholds[np.arange(len(self.sign))[:, None], rng.integers(
            0, self.thresholds.shape[1], (count, len(self.sign), flat.shape[2]))]  # fmt: skip
        below = np.where(rng.random(near.shape) < 0.5, near, np.nextafter(near, np.float32(-np.inf)))
        signed = below * self.sign[:, None].astype(np.float32)
        on = (rng.random(near.shape) < 0.5) & np.isfinite(signed)
        values = np.where(on, signed, flat).reshape(count, *self.shape)
        if not self.given:
            return values
        allowed = self._allowed
        steps = np.floor((values.astype(np.float64) - allowed.min) / allowed.step)
        return (allowed.min + allowed.step * np.clip(steps, 0, allowed.count - 1)).astype(np.float32)

    @property
    def _allowed(self) -> Levels:
        """The integers that there can be, where the data are integers."""
        low, high = span_of(self.given) or (-EXACT, EXACT)
        low, high, step = max(low, -EXACT), min(high, EXACT), 2 if self.given == "BIPOLAR" else 1
        return Levels(low, step, (high - low) // step + 1)

    def _values(self, rows: Data) -> Data:
        if self.given:
            return in_range(rows, self._allowed, self.given).astype(np.float32)
        if rows.dtype.kind not in "biuf":
            raise DataError(f"{rows.dtype}, which is no type of numbers")
        with np.errstate(over="ignore"):
            values = rows.astype(np.float32)
        wrong = ~np.isfinite(values)
        if wrong.any():
            raise DataError(f"other values: {first_wrong(wrong, rows)}, beyond float32 or no number")
        return values
