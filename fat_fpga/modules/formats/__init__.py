"""Formats: how the values of a module stand in bits. One file each; `format_of` reads their names.

| name | bits |
|---|---|
| ``float64``, ``float32``, ``float16``, ``bfloat16``, ``float8_e4m3fn``, ``float8_e5m2`` | sign, exponent, mantissa |
| ``Q2.6`` | two's complement, 2 bits before the point, the sign among them, 6 after it |
| ``int8:0.05``, ``uint8:0.02:128`` | integers of 2 to 16 bits, with a scale and a zero point |
| ``int8`` | for parameters: symmetric, the scale is the largest magnitude / 127 |
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError
from fat_fpga.modules.formats import fixed, floating, integer
from fat_fpga.modules.formats.base import Format

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Format", "fitted", "format_of"]

_KNOWN = f"known are {', '.join(floating.NAMES)}, Qm.n as Q2.6, and int8:SCALE or int8:SCALE:ZERO"


@checked
def format_of(name: str) -> Format:
    """The format called ``name``.

    >>> format_of("Q2.6")
    <Format Q2.6: 8 bits>

    Raises:
        ModelError: there is no such format, or it needs a scale.
    """
    if name in floating.NAMES:
        return floating.Floating(name)
    found = fixed.FORM.fullmatch(name)
    if found is not None:
        whole, fraction = int(found[1]), int(found[2])
        if whole < 1 or not 2 <= whole + fraction <= fixed.MOST:
            raise ModelError(f"format {name}: m is at least 1 (the sign), and m + n is 2 to {fixed.MOST}")
        return fixed.Fixed(whole, fraction)
    found = integer.FORM.fullmatch(name)
    if found is None:
        raise ModelError(f"unknown format '{name}': {_KNOWN}")
    if found[3] is None:
        raise ModelError(f"format {name} needs a scale, as {name}:0.05; it follows from the values for parameters only")
    bits, signed = _bits(name, found[1], found[2])
    try:
        scale = float(found[3])
    except ValueError:
        scale = 0.0
    if not (isfinite(scale) and scale > 0):
        raise ModelError(f"format {name}: the scale is a number above 0, got '{found[3]}'")
    return integer.Integer(bits, signed, scale, int(found[4] or 0))


def fitted(name: str, values: Tensor) -> Format:
    """The same for parameters of these values: ``int8`` alone takes the scale that just holds the largest of them."""
    found = integer.FORM.fullmatch(name)
    if found is None or found[3] is not None:
        return format_of(name)
    bits, signed = _bits(name, found[1], found[2])
    if not signed:
        raise ModelError(f"format {name} needs a scale, as {name}:0.05; only signed ones follow from the values")
    largest = float(values.abs().max()) if values.numel() else 0.0
    if not isfinite(largest):
        raise ModelError(f"format {name}: the values are not all finite, so they have no scale")
    return integer.Integer(bits, signed, (largest or 1.0) / ((1 << bits - 1) - 1))


def _bits(name: str, unsigned: str, digits: str) -> tuple[int, bool]:
    bits = int(digits)
    if not (1 if unsigned else 2) <= bits <= integer.MOST:
        raise ModelError(f"format {name}: integers have 2 to {integer.MOST} bits")
    return bits, not unsigned
