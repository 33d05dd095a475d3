"""Constants of a graph, and the integers behind quantised ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.network.layers import IntArray

Array = npt.NDArray[Any]
TOLERANCE = 0.01
"""How far from an integer a float32 quotient of value and scale may lie; rounding moves it by far less."""


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant tensor.

    Attributes:
        values: as the float graph sees them.
        scale: of the shape of ``values``; real value of one integer step, where a quantiser made the tensor.
        datatype: QONNX datatype of the integers, where known.
    """

    values: Array
    scale: Array | None = None
    datatype: str | None = None

    def integers(self) -> tuple[IntArray, Array] | None:
        """Integers and their scale, both of the shape of ``values``; None where the values are not quantised."""
        scale = np.ones(self.values.shape, np.float32) if self.scale is None else self.scale
        integers = whole(self.values, scale)
        return None if integers is None else (integers, scale)

    def moved(self, operation: Any) -> Constant:
        """The constant behind an operation that only moves values, as a transposition."""
        scale = None if self.scale is None else operation(self.scale)
        return Constant(operation(self.values), scale, self.datatype)


def whole(values: Array, scale: Array | np.float32 | float) -> IntArray | None:
    """The integers ``values / scale``, or None where a quotient is none."""
    with np.errstate(all="ignore"):
        quotient = values.astype(np.float64) / np.asarray(scale, np.float64)
        if not np.all(np.abs(quotient) < 2**31 - 1):
            return None
        integers = np.rint(quotient)
        return integers.astype(np.int32) if np.all(np.abs(quotient - integers) < TOLERANCE) else None


def uniform(values: Array) -> float | None:
    """The one value of a tensor whose elements are all equal, else None."""
    flat = values.ravel()
    return float(flat[0]) if flat.size and np.all(flat == flat[0]) else None
