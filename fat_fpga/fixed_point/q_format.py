"""Formats of fixed point: Qm.n, a word of m + n bits in two's complement."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError

LEAST_BITS, MOST_BITS = 2, 16
"""Of a word."""
_FORM = re.compile(r"[Qq]?(-?[0-9]{1,4})\.(-?[0-9]{1,4})")


def nearest(integer_bits: int, fraction_bits: int) -> str:
    """A format that can be, with as many of these bits before the point, and then after it, as there can be."""
    before = min(max(integer_bits, 1), MOST_BITS)
    return f"Q{before}.{min(max(fraction_bits, LEAST_BITS - before, 0), MOST_BITS - before)}"


@dataclass(frozen=True, order=True)
class QFormat:
    """Words of ``integer_bits + fraction_bits`` bits in two's complement, each worth its integer times ``step``.

    >>> QFormat(2, 6)
    Q2.6
    >>> QFormat(2, 6).quantise(np.array([0.51, 7.0, -7.0])).tolist()
    [33, 127, -128]

    Attributes:
        integer_bits: bits before the point, the sign among them: 1 or more.
        fraction_bits: bits after the point, 0 or more.
    """

    integer_bits: int
    fraction_bits: int

    def __post_init__(self) -> None:
        if self.fraction_bits < 0 or self.integer_bits < 0:
            raise ModelError(f"format {self}: bits before and after the point must not be negative")
        wrong = ""
        if not LEAST_BITS <= self.bits <= MOST_BITS:
            wrong = f"it has {self.bits or 'no'} bit{'' if self.bits == 1 else 's'}"
        elif self.integer_bits == 0:
            wrong = "it has no bit for the sign, which counts before the point"
        if wrong:
            raise ModelError(
                f"format {self}: {wrong}: expected a word of {LEAST_BITS} to {MOST_BITS} bits, at least 1 of them "
                f"before the point, as {nearest(self.integer_bits, self.fraction_bits)}"
            )

    def __repr__(self) -> str:
        return f"Q{self.integer_bits}.{self.fraction_bits}"

    __str__ = __repr__

    @property
    def bits(self) -> int:
        """Bits of a word."""
        return self.integer_bits + self.fraction_bits

    @property
    def step(self) -> float:
        """The real value of the integer 1, a power of two."""
        return float(2.0**-self.fraction_bits)

    @property
    def low(self) -> int:
        """The smallest integer of a word."""
        return -(1 << (self.bits - 1))

    @property
    def high(self) -> int:
        """The largest integer of a word."""
        return (1 << (self.bits - 1)) - 1

    def quantise(self, values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The integers nearest to real values; halves go to the even one, and what is beyond the ends to the end.

        Args:
            values: finite, of any shape.

        Returns:
            int64, of the same shape.
        """
        return np.clip(np.rint(values.astype(np.float64) / self.step), self.low, self.high).astype(np.int64)


@checked
def parse_format(text: str) -> QFormat:
    """Read ``Q2.6``, or ``2.6`` for short.

    Raises:
        ModelError: it is no format, or one of words that cannot be.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ModelError(
            f"format '{text[:24]}' is not understood: expected Qm.n, as Q2.6: 2 bits before the point, the sign among "
            "them, and 6 after it"
        )
    return QFormat(int(found[1]), int(found[2]))
