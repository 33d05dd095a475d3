"""QONNX datatype names."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import numpy.typing as npt

WIDEST = 31
"""Bits of the widest word that a file is believed to mean. What nobody has narrowed down is INT32 or INT64 there: types
that tensors are stored in, not those of memories."""

OPERAND = 16
"""The same for weights and activations: sums of products of wider words would leave 32 bits under a fault."""


def smallest_type(low: int, high: int) -> str:
    """The narrowest signed or unsigned QONNX integer datatype that holds ``low..high``."""
    if low >= 0:
        return f"UINT{high.bit_length()}" if high > 1 else "BINARY"
    return f"INT{max((-low - 1).bit_length(), high.bit_length()) + 1}"


def type_of(values: npt.NDArray[np.int32]) -> str:
    """The narrowest QONNX datatype that holds all values, BIPOLAR and TERNARY included."""
    low, high = int(values.min()), int(values.max())
    if low == -1 and high <= 1:
        return "TERNARY" if np.any(values == 0) else "BIPOLAR"
    return smallest_type(low, high)


@lru_cache(maxsize=1024)
def span_of(datatype: str) -> tuple[int, int] | None:
    """The smallest and the largest integer of a QONNX datatype; None where it is no integer one."""
    if datatype in ("BIPOLAR", "BINARY", "TERNARY"):
        return (0, 1) if datatype == "BINARY" else (-1, 1)
    found = re.fullmatch(r"(U?)INT([1-9][0-9]{0,2})", datatype)
    if not found:
        return None
    bits = int(found[2])
    return (0, 2**bits - 1) if found[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def bits_of(datatype: str) -> int | None:
    """Bits of a word of a QONNX datatype; None where it is no integer one."""
    span = span_of(datatype)
    if span is None:
        return None
    return 1 if datatype == "BIPOLAR" else (span[1] - span[0]).bit_length()


def is_word(datatype: str, widest: int = WIDEST) -> bool:
    """Whether a datatype that a file gives is one of words in a memory or register: of integers, and not too wide."""
    span = span_of(datatype)
    return span is not None and span[1] - span[0] < 2**widest


def holds(datatype: str, values: npt.NDArray[np.int32]) -> bool:
    """Whether every value is one of the datatype's; False for a datatype that is no integer one."""
    return holds_span(datatype, int(values.min()), int(values.max())) and (
        datatype != "BIPOLAR" or not np.any(values == 0)
    )


def holds_span(datatype: str, low: int, high: int) -> bool:
    """Whether ``low`` and ``high`` are within the datatype; False for a datatype that is no integer one."""
    span = span_of(datatype)
    return span is not None and span[0] <= low and high <= span[1]
