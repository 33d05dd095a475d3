"""Codes that protect the words of a memory: parity, and SECDED, which corrects one wrong bit and detects two.

SECDED is the extended Hamming code (Hamming 1950, "Error detecting and error correcting codes"; Lin and Costello,
"Error Control Coding", chapter 4), shortened to the data width: each stored bit has a column, the syndrome of a word is
the exclusive or of the columns of its ones, and it is 0 for a word without errors. A block RAM with built-in ECC has 64
data bits and 8 check bits. Codes are linear: what a decoder does follows from the wrong bits alone, whatever the data
are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import FaultError

Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint8]
NOTHING, FLAG = -1, -2
"""What a decoder does, where it corrects no bit: nothing, or tell that the word is wrong."""
NARROWEST, WIDEST = 1, 1024
"""Data bits of a word."""


@dataclass(frozen=True, eq=False)
class Code:
    """A linear code. Stored bits are numbered: data bits first, then check bits.

    Attributes:
        name: ``parity`` or ``secded``.
        data: number of data bits D.
        columns: what each stored bit adds to the syndrome, int64 [D + check bits].
        acts: what the decoder does for each syndrome, int64 [S]: the stored bit that it inverts, ``NOTHING`` or
            ``FLAG``.
    """

    name: str
    data: int
    columns: Ints
    acts: Ints

    @property
    def checks(self) -> int:
        """Number of check bits."""
        return len(self.columns) - self.data

    def encode(self, data: Bits) -> Bits:
        """Check bits uint8 [W, check bits] of words [W, D]."""
        own = np.bitwise_xor.reduce(np.where(data == 1, self.columns[: self.data], 0), axis=1)
        checks = np.zeros((len(data), self.checks), np.uint8)
        # the last column is a single bit of the syndrome, the others are that bit and one of their own
        for at, column in enumerate(self.columns[self.data : -1].tolist()):
            checks[:, at] = (own & column & ~int(self.columns[-1])) != 0
        own = own ^ np.bitwise_xor.reduce(np.where(checks == 1, self.columns[self.data :], 0), axis=1)
        checks[:, -1] = (own & self.columns[-1]) != 0
        return checks

    def decode(self, stored: Bits) -> tuple[Bits, npt.NDArray[np.bool_]]:
        """Data uint8 [W, D] of stored words [W, D + check bits], and whether each is told to be wrong."""
        acts = self.acts[np.bitwise_xor.reduce(np.where(stored == 1, self.columns, 0), axis=1)]
        read, corrected = stored.copy(), acts >= 0
        read[corrected, acts[corrected]] ^= 1
        return read[:, : self.data], acts == FLAG


@lru_cache(maxsize=64)
def code(name: str, data: int) -> Code:
    """The code of so many data bits; FaultError for an unknown one."""
    if name not in CODES:
        raise FaultError(f"unknown code '{name}': known are {', '.join(CODES)}")
    if not NARROWEST <= data <= WIDEST:
        raise FaultError(f"{name} protects words of {NARROWEST} to {WIDEST:,} data bits, got {data}")
    return CODES[name](data)


def _parity(data: int) -> Code:
    """One check bit: the number of ones is even."""
    return Code("parity", data, np.ones(data + 1, np.int64), np.array([NOTHING, FLAG]))


def _secded(data: int) -> Code:
    """The columns of a Hamming code, numbers from 1 on, powers of two for its check bits; and a bit of all, the parity.

    An odd number of wrong bits is taken for one, and corrected where the syndrome is the column of a stored bit; an
    even number that gives a syndrome is detected.
    """
    checks = 2
    while (1 << checks) < data + checks + 1:
        checks += 1
    parity = 1 << checks
    numbers = [number for number in range(1, data + checks + 1) if number & (number - 1)]
    columns = np.array([*numbers, *(1 << j for j in range(checks)), 0], np.int64) | parity
    acts = np.full(2 * parity, FLAG, np.int64)
    acts[0] = NOTHING
    acts[columns] = np.arange(len(columns))
    return Code("secded", data, columns, acts)


CODES = {"parity": _parity, "secded": _secded}
"""Every code by name."""
