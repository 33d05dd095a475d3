"""Which of many cells fail when each does so with a probability: from one failure straight to the next.

The distance between failures is geometric, so the cost follows the number of failures and not that of cells; no cell
is drawn twice. Random words come from Philox (Salmon et al. 2011), a counter-based generator, keyed by a text. Its
words are fixed by its definition, so a draw is the same on every machine and with every version of numpy.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def generator(key: str, counter: int = 0) -> np.random.Philox:
    """The generator of a text; with another ``counter`` its words are others, as for each image."""
    digest = hashlib.sha256(key.encode()).digest()
    return np.random.Philox(key=np.frombuffer(digest[:16], np.uint64), counter=[0, 0, counter, 0])


def failures(source: np.random.Philox, rate: float, cells: int) -> Ints:
    """The numbers of the cells that fail, ascending, int64 [H]; each of ``cells`` fails with probability ``rate``."""
    if rate <= 0 or not cells:
        return np.empty(0, np.int64)
    if rate >= 1:
        return np.arange(cells, dtype=np.int64)
    found: list[Ints] = []
    last = -1
    while last < cells:
        expected = rate * (cells - last)
        words = source.random_raw(int(expected + 4 * expected**0.5) + 8)
        uniform = ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53  # in (0, 1), both ends left out
        skipped = np.minimum(np.floor(np.log(uniform) / np.log1p(-rate)), float(cells)).astype(np.int64)
        places = last + np.cumsum(skipped + 1)
        found.append(places)
        last = int(places[-1])
    every = np.concatenate(found)
    return every[every < cells]


def nonzero(source: np.random.Philox, bits: int, count: int) -> Ints:
    """Words of so many bits that are not 0, each as likely as any other, int64 [count]."""
    words = source.random_raw(count) % np.uint64((1 << bits) - 1)
    return words.astype(np.int64) + 1
