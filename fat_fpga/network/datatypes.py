"""QONNX datatype names."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from fat_fpga.network.layers import MatrixVectorUnit


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


def holds(datatype: str, values: npt.NDArray[np.int32]) -> bool:
    """Whether every value is one of the datatype's; False for a datatype that is no integer one."""
    low, high = int(values.min()), int(values.max())
    if datatype in ("BIPOLAR", "BINARY", "TERNARY"):
        smallest, largest = (0, 1) if datatype == "BINARY" else (-1, 1)
        return smallest <= low and high <= largest and (datatype != "BIPOLAR" or not np.any(values == 0))
    found = re.fullmatch(r"(U?)INT(\d+)", datatype)
    if not found:
        return False
    bits = int(found[2])
    smallest, largest = (0, 2**bits - 1) if found[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return smallest <= low and high <= largest


def unit_weight_type(unit: MatrixVectorUnit) -> str:
    """The datatype that a unit's weights have in a file: as declared, if that holds them."""
    return unit.weight_type if holds(unit.weight_type, unit.weights) else type_of(unit.weights)
