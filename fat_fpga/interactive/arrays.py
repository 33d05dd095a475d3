"""Arrays of numbers inside of a page: base64 of little-endian integers, in as few bytes as hold them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt

TYPES = (np.uint8, np.uint16, np.uint32, np.int8, np.int16, np.int32)
"""Integers that a page reads; typed arrays of JavaScript have the same names and order of bytes."""


class Packed(TypedDict):
    """An array in a page: the name of the type, and its bytes in base64."""

    type: str
    base64: str


def packed(values: npt.ArrayLike) -> Packed:
    """Integers of any shape, in row-major order, in the first of `TYPES` that holds them all.

    Raises:
        OverflowError: one has more than 32 bits.
    """
    array = np.asarray(values)
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    for kind in TYPES:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            text = base64.b64encode(np.ascontiguousarray(array, np.dtype(kind).newbyteorder("<")).tobytes())
            return {"type": np.dtype(kind).name, "base64": text.decode()}
    raise OverflowError(f"{low} to {high} is more than 32 bits hold")


NONE = -(2**31)
"""Stands for None in `packed_optional`."""


def packed_optional(values: Sequence[int | None]) -> Packed | None:
    """Integers, `NONE` where there is none; None if there is not any."""
    if all(value is None for value in values):
        return None
    return packed([NONE if value is None else value for value in values])
