"""Where the bits of a memory's values are: in which word, and beside which other bits.

A memory holds its values one after another in the order in which hardware reads them, the lowest bit first, without
gaps. A code cuts this string of bits into words of its data width; a last one that is not full is filled up with
zeros, which are no cells. The check bits follow the data bits of their word. With an interleaving of N, N words lie
beside each other bit by bit. Without a code the string is the memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fat_fpga.faults.draws import Ints
from fat_fpga.faults.protection import Protection
from fat_fpga.faults.words import Words


@dataclass(frozen=True, eq=False)
class Layout:
    """A memory with a protection, or without.

    A *cell* of data is a number, value x bits + bit, with values numbered as the fault model does. A stored bit is a
    pair: number of its word, number in the word.
    """

    words: Words
    protection: Protection | None

    @property
    def values(self) -> Ints:
        """What is stored, as unsigned words of the register's bits, int64 [V]."""
        assert self.words.stored is not None
        register = self.words.register
        found: Ints = (self.words.stored.astype(np.int64).reshape(-1) - register.offset) // register.step
        return found & ((1 << register.bits) - 1)

    @property
    def bits(self) -> int:
        """Bits of data in the memory."""
        assert self.words.stored is not None
        return self.words.stored.size * self.words.register.bits

    @property
    def data(self) -> int:
        """Data bits of a word."""
        return self.bits if self.protection is None else self.protection.data

    @property
    def checks(self) -> int:
        """Check bits of a word."""
        return 0 if self.protection is None else self.protection.decoder.checks

    @property
    def count(self) -> int:
        """Number of words."""
        return -(-self.bits // self.data)

    def has_data(self, words: Ints, numbers: Ints) -> npt.NDArray[np.bool_]:
        """Whether these are bits of values: no check bits, and no zeros that fill up the last word."""
        found: npt.NDArray[np.bool_] = (numbers < self.data) & (words * self.data + numbers < self.bits)
        return found

    def of_cells(self, cells: Ints) -> tuple[Ints, Ints]:
        """Words and numbers in them of cells of data."""
        width = self.words.register.bits
        values, bits = np.divmod(cells, width)
        return np.divmod(self._moved(values, back=False) * width + bits, self.data)

    def cells(self, words: Ints, numbers: Ints) -> Ints:
        """The cells of data at these places, where there are data."""
        width = self.words.register.bits
        values, bits = np.divmod(words * self.data + numbers, width)
        return self._moved(values, back=True) * width + bits

    def values_in(self, words: Ints) -> Ints:
        """The values that have a bit in any of these words, ascending."""
        words, numbers = np.repeat(words, self.data), np.tile(np.arange(self.data), len(words))
        there = self.has_data(words, numbers)
        return np.unique(self.cells(words[there], numbers[there]) // self.words.register.bits)

    def neighbours(self, words: Ints, numbers: Ints, count: int) -> tuple[Ints, Ints]:
        """Each of these stored bits and the next ones, ``count`` in all; what is hit an even number of times is left
        out, and what lies in no cell."""
        beside = 1 if self.protection is None else self.protection.interleave
        width = self.data + self.checks
        row, lane = np.divmod(words, beside)
        first = (row * width + numbers) * beside + lane
        every, times = np.unique((first[:, None] + np.arange(count)).reshape(-1), return_counts=True)
        rest, lane = np.divmod(every[times % 2 == 1], beside)
        row, numbers = np.divmod(rest, width)
        words = row * beside + lane
        there = (words < self.count) & ((numbers >= self.data) | self.has_data(words, numbers))
        return words[there], numbers[there]

    def stored_bits(self, words: Ints, numbers: Ints) -> Ints:
        """What these bits of the memory hold, 0 or 1."""
        found = np.zeros(len(words), np.int64)
        of_data, values = numbers < self.data, self.values
        cells, width = self.cells(words[of_data], numbers[of_data]), self.words.register.bits
        found[of_data] = values[cells // width] >> (cells % width) & 1
        if not of_data.all():
            assert self.protection is not None
            own, at = np.unique(words[~of_data], return_inverse=True)
            where = own[:, None] * self.data + np.arange(self.data)
            cells = self.cells(np.zeros(1, np.int64), np.minimum(where, self.bits - 1))
            data = np.where(where < self.bits, values[cells // width] >> (cells % width) & 1, 0)
            found[~of_data] = self.protection.decoder.encode(data.astype(np.uint8))[at, numbers[~of_data] - self.data]
        return found

    def _moved(self, values: Ints, back: bool) -> Ints:
        """Numbers of values in the memory, for their numbers in the array; or the other way round."""
        assert self.words.stored is not None
        order, shape = self.words.order, self.words.stored.shape
        if not order:
            return values
        inner = tuple(shape[axis] for axis in order)
        if back:
            index = np.unravel_index(values, inner)
            return np.ravel_multi_index(tuple(index[order.index(axis)] for axis in range(len(shape))), shape)
        index = np.unravel_index(values, shape)
        return np.ravel_multi_index(tuple(index[axis] for axis in order), inner)
