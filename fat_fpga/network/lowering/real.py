"""The real values that integers of a stream stand for, as the file's own float arithmetic has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


class Real(Protocol):
    """Real values of integers [V, C]."""

    def __call__(self, integers: Integers) -> npt.NDArray[Any]:
        """As the file has them, in float32, or in float64 where float32 does not hold the integers."""

    def double(self, integers: Integers) -> npt.NDArray[np.float64] | None:
        """The same in float64, without rounding of the file's; None where they do not lie on a line."""


@dataclass(frozen=True)
class Scaled:
    """Integers times one scale."""

    scale: float

    def __call__(self, integers: Integers) -> npt.NDArray[Any]:
        return integers.astype(np.float32) * np.float32(self.scale)

    def double(self, integers: Integers) -> npt.NDArray[np.float64] | None:
        found: npt.NDArray[np.float64] = np.multiply(integers, np.float64(np.float32(self.scale)), dtype=np.float64)
        return found


@dataclass(frozen=True, eq=False)
class Interpolated:
    """Integers some of which stand for known values, in ascending order; the others lie between them.

    Attributes:
        integers, values: int64 [K] and float64 [K], both ascending.
    """

    integers: Integers
    values: npt.NDArray[np.float64]

    def __call__(self, integers: Integers) -> npt.NDArray[Any]:
        return np.interp(integers, self.integers, self.values).astype(np.float32)

    def double(self, integers: Integers) -> npt.NDArray[np.float64] | None:
        return None
