"""Constants of a graph, and the integers that quantised ones are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.network.layers import IntArray

Array = npt.NDArray[Any]
ROUNDING = 2.0**-21
"""How far a float32 quotient of value and scale may lie from an integer, relative to the largest number that took part
in it: four units in the last place, which float32 arithmetic can add to an exact multiple. Nothing else is absorbed."""


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant tensor.

    Attributes:
        values: as the float graph sees them.
        steps, scale: of the shape of ``values``, where a quantiser made the tensor: its integers, exact, and the real
            value of one step of them.
        datatype: QONNX datatype of the integers, where known.
    """

    values: Array
    steps: IntArray | None = None
    scale: Array | None = None
    datatype: str | None = None

    def integers(self) -> tuple[IntArray, Array] | None:
        """Integers and their scale, both of the shape of ``values``; None where the values are not quantised.

        What no quantiser made must be exactly integer.
        """
        if self.steps is not None and self.scale is not None:
            return self.steps, self.scale
        steps = exactly(self.values)
        return None if steps is None else (steps, np.ones(self.values.shape, np.float32))

    def moved(self, operation: Callable[[Array], Array]) -> Constant:
        """The constant after an operation that only moves values, as a transposition."""
        if self.steps is None or self.scale is None:
            return Constant(operation(self.values), datatype=self.datatype)
        return Constant(operation(self.values), operation(self.steps), operation(self.scale), self.datatype)


def exactly(values: Array) -> IntArray | None:
    """The values as integers, or None where one of them is none, or too large."""
    if values.dtype.kind not in "fiub" or not np.all(np.abs(values.astype(np.float64)) < 2**31):
        return None
    integers = values.astype(np.int32)
    return integers if np.array_equal(integers, values) else None


def whole(values: Array, scale: Array | np.float32 | float, largest: float = 0) -> IntArray | None:
    """The integers ``values / scale``, or None where a quotient is none.

    Args:
        largest: the largest integer that took part in computing ``values``, where it is larger than the result, as in
            a difference. By default an integer may only be off by its own rounding, and 0 comes from 0 alone.
    """
    with np.errstate(all="ignore"):
        quotient = values.astype(np.float64) / np.asarray(scale, np.float64)
        if not np.all(np.abs(quotient) < 2**31 - 1):
            return None
        integers = np.rint(quotient)
        allowed = np.minimum(ROUNDING * np.maximum(np.abs(integers), largest), 0.25)
        return integers.astype(np.int32) if np.all(np.abs(quotient - integers) <= allowed) else None


def uniform(values: Array) -> float | None:
    """The one value of a tensor whose elements are all equal, else None."""
    flat = values.ravel()
    return float(flat[0]) if flat.size and np.all(flat == flat[0]) else None
