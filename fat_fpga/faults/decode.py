"""What is left of the errors in a memory after its words have been decoded.

Only words with wrong bits are looked at, so the cost follows the number of hits and not the size of the memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fat_fpga.faults.codes import FLAG
from fat_fpga.faults.draws import Ints
from fat_fpga.faults.protection import OnDetect
from fat_fpga.faults.stored import Layout


class WordCounts(NamedTuple):
    """Words with wrong bits, by what became of them.

    Attributes:
        corrected: their data are right, and nothing was told.
        detected: the decoder has told that they are wrong.
        missed: their data are wrong, and nothing was told; also where the decoder has corrected another bit.
        miscorrected: those of the missed ones in which the decoder has inverted a bit.
    """

    corrected: int = 0
    detected: int = 0
    missed: int = 0
    miscorrected: int = 0

    def plus(self, other: WordCounts) -> WordCounts:
        return WordCounts(*(one + more for one, more in zip(self, other, strict=True)))


@dataclass(frozen=True, eq=False)
class Left:
    """What is left of errors.

    Attributes:
        cells: cells of data that are read wrong, ascending int64 (see `Layout`).
        erased: values that are 0, ascending int64; none of ``cells`` is in them.
        counts: what became of the words.
    """

    cells: Ints
    erased: Ints
    counts: WordCounts


def decoded(layout: Layout, words: Ints, numbers: Ints) -> Left:
    """What is left of wrong stored bits, each named once: numbers of words, and of bits in them, int64 [H]."""
    protection = layout.protection
    assert protection is not None
    decoder = protection.decoder
    if not len(words):
        return Left(words, words, WordCounts())
    order = np.lexsort((numbers, words))
    words, numbers = words[order], numbers[order]
    hit, starts, of = np.unique(words, return_index=True, return_inverse=True)
    acts = decoder.acts[np.bitwise_xor.reduceat(decoder.columns[numbers], starts)]
    told, inverts = acts == FLAG, acts >= 0
    # a bit that the decoder inverts is wrong now if it was right, and right if it was wrong
    pairs = np.concatenate([words, hit[inverts]]) * (decoder.data + decoder.checks)
    pairs += np.concatenate([numbers, acts[inverts]])
    pairs, times = np.unique(pairs, return_counts=True)
    words, numbers = np.divmod(pairs[times == 1], decoder.data + decoder.checks)
    of = np.searchsorted(hit, words)
    of_data = layout.has_data(words, numbers)  # a zero that fills up the last word may be inverted, too
    wrong = np.zeros(len(hit), np.bool_)
    wrong[of[of_data]] = True
    counts = WordCounts(
        int((~told & ~wrong).sum()),
        int(told.sum()),
        int((~told & wrong).sum()),
        int((~told & wrong & inverts).sum()),
    )
    erased = np.empty(0, np.int64)
    if protection.detected is not OnDetect.KEEP:
        of_data &= ~told[of]
    cells = np.sort(layout.cells(words[of_data], numbers[of_data]))
    if protection.detected is OnDetect.ERASE:
        erased = layout.values_in(hit[told])
        cells = cells[~np.isin(cells // layout.words.register.bits, erased)]
    return Left(cells, erased, counts)
