"""Which of many cells fail when each does so with a probability: from one failure straight to the next.

The distance between failures is geometric, so the cost follows the number of failures and not that of cells; no cell
is drawn twice. Random words come from Philox (Salmon et al. 2011), a counter-based generator, keyed by a text. Its
words are fixed by its definition, so a draw is the same on every machine and with every version of numpy.

Draws of many counters of one text, as of many images, are made together: by compiled code one after the other, or
without it by numpy, which computes the words of all of them. Both give the same cells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from threading import local

import numpy as np
import numpy.typing as npt

try:
    from fat_fpga.faults._hits import draw as _draw
except ImportError:  # where nothing is compiled, as on a board
    _draw = None  # type: ignore[assignment]

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

BLOCK = 4
"""Words that Philox makes of one counter."""
_ROUNDS = 10
_MARGIN = 2
"""Deviations of the number of failures that words are made for at first; where there are more, they are made again."""
_NEAR = 2.0**-48
"""Two logarithms, of numpy and of the compiler's library, differ by less, relatively: each is wrong by some units in
the last place, 2**-52. A distance that is so near to an integer is left to numpy."""
_NO_COUNTER = np.zeros(BLOCK, np.uint64)
_kept = local()
_HALF, _LOW = np.uint64(32), np.uint64(2**32 - 1)
_MULTIPLIERS = np.array([[0xD2E7470EE14C6C93], [0xCA5A826395121157]], np.uint64)
_BY_HIGH, _BY_LOW = _MULTIPLIERS >> _HALF, _MULTIPLIERS & _LOW
_WEYL = np.array([[0x9E3779B97F4A7C15], [0xBB67AE8584CAA73B]], np.uint64)


def _key(text: str) -> Words:
    """The key of a text, uint64 [2]."""
    return np.frombuffer(hashlib.sha256(text.encode()).digest()[:16], np.uint64)


def generator(key: str, counter: int = 0) -> np.random.Philox:
    """The generator of a text; with another ``counter`` its words are others, as for each image."""
    return np.random.Philox(key=_key(key), counter=[0, 0, counter, 0])


def passing_generator(key: str) -> np.random.Philox:
    """What ``generator(key)`` is, to be used before the next call in the same thread: to make one takes longer than to
    draw a few words from it, so each thread has one that is set anew."""
    if not hasattr(_kept, "generator"):
        _kept.generator = np.random.Philox(0)
        _kept.state = _kept.generator.state
    _kept.state["state"] = {"counter": _NO_COUNTER, "key": _key(key)}
    _kept.state["buffer_pos"], _kept.state["has_uint32"] = BLOCK, 0  # nothing of the words before
    source: np.random.Philox = _kept.generator
    source.state = _kept.state
    return source


def philox(key: str, counters: Ints, first: int, blocks: int) -> Words:
    """What ``generator(key, counter).random_raw`` gives from word ``4 * first`` on, for each counter.

    Returns:
        uint64 [len(counters), 4 * blocks].
    """
    one = _key(key)
    keys = np.broadcast_to(one, (len(counters) * blocks, 2))
    numbers = np.tile(np.arange(first, first + blocks), len(counters))
    return _blocks(keys, np.repeat(counters, blocks), numbers).reshape(len(counters), BLOCK * blocks)


def _blocks(keys: Words, counters: Ints, numbers: Ints) -> Words:
    """Block ``number`` of each key and counter.

    Args:
        keys: uint64 [B, 2].
        counters, numbers: int64 [B].

    Returns:
        uint64 [B, 4].
    """
    count = len(keys)
    factors = np.stack([numbers.astype(np.uint64) + np.uint64(1), counters.astype(np.uint64)])  # words 0 and 2
    others = np.zeros((2, count), np.uint64)  # words 1 and 3
    own = keys.T.copy()
    product = _Product(count)
    for _ in range(_ROUNDS):
        high, low = product(factors)
        np.bitwise_xor(high[::-1], others, out=factors)
        factors ^= own
        others[:] = low[::-1]
        own += _WEYL
    found = np.empty((count, BLOCK), np.uint64)
    found[:, 0::2], found[:, 1::2] = factors.T, others.T
    return found


class _Product:
    """Products of the multipliers and words, [2, B], in memory that is used again: to ask for it takes as long as to
    compute."""

    def __init__(self, count: int) -> None:
        self._low, self._upper, self._lower, self._high, self._middle = np.empty((5, 2, count), np.uint64)

    def __call__(self, words: Words) -> tuple[Words, Words]:
        """High and low words, uint64 [2, B]; they hold until the next call."""
        low, upper, lower, high, middle = self._low, self._upper, self._lower, self._high, self._middle
        np.multiply(words, _MULTIPLIERS, out=low)
        np.right_shift(words, _HALF, out=upper)
        np.bitwise_and(words, _LOW, out=lower)
        np.multiply(lower, _BY_LOW, out=middle)
        middle >>= _HALF
        lower *= _BY_HIGH
        middle += lower
        np.bitwise_and(middle, _LOW, out=lower)
        np.multiply(upper, _BY_LOW, out=high)
        lower += high
        lower >>= _HALF
        middle >>= _HALF
        np.multiply(upper, _BY_HIGH, out=high)
        high += middle
        high += lower
        return high, low


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
        places = last + np.cumsum(_distances(source.random_raw(int(expected + 4 * expected**0.5) + 8), rate, cells))
        found.append(places)
        last = int(places[-1])
    every = np.concatenate(found)
    return every[every < cells]


def failures_of_each(key: str, counters: Ints, rate: float, cells: int) -> tuple[Ints, Ints]:
    """``failures(generator(key, counter), rate, cells)`` for each counter.

    Returns:
        Positions in ``counters``, ascending, and the numbers of the cells, ascending for each position; int64 [H] both.
    """
    return failures_of_all([key], counters, rate, [cells])[0]


def failures_of_all(keys: Sequence[str], counters: Ints, rate: float, cells: Sequence[int]) -> list[tuple[Ints, Ints]]:
    """``failures_of_each`` of several keys, each with its own number of cells, drawn together."""
    lanes, found, ends = failures_together(keys, counters, rate, cells)
    starts = [0, *ends.tolist()]
    return [
        (lanes[start:end] - len(counters) * number, found[start:end])
        for number, (start, end) in enumerate(pairwise(starts))
    ]


def failures_together(
    keys: Sequence[str], counters: Ints, rate: float, cells: Sequence[int]
) -> tuple[Ints, Ints, Ints]:
    """The same in one piece.

    Returns:
        Lanes ``key * len(counters) + position in counters``, ascending, int64 [H]; the numbers of the cells, ascending
        for each lane, int64 [H]; the end of each key in these, int64 [len(keys)].
    """
    images, nothing = len(counters), np.empty(0, np.int64)
    if rate <= 0 or not images or not keys:
        return nothing, nothing, np.zeros(len(keys), np.int64)
    most = np.array(cells, np.int64)
    if rate >= 1:
        lanes = np.repeat(np.arange(len(keys) * images), np.repeat(most, images))
        places = [np.tile(np.arange(count), images) for count in cells]
        return lanes, np.concatenate(places), np.cumsum(images * most)
    every = np.stack([_key(key) for key in keys])
    drawn = None if _draw is None else _draw(every, counters, float(np.log1p(-rate)), most, _NEAR)
    return _vectorised(every, counters, rate, most) if drawn is None else drawn


def _vectorised(keys: Words, counters: Ints, rate: float, cells: Ints) -> tuple[Ints, Ints, Ints]:
    """By numpy, in rounds: a round draws words for all lanes that are not at their end yet. A draw of few failures
    costs as many calls of numpy as one of many."""
    images, nothing = len(counters), np.empty(0, np.int64)
    lanes = np.flatnonzero(np.repeat(cells > 0, images))  # one for each key and counter
    most = np.repeat(cells, images)
    every = np.repeat(keys, images, axis=0)
    counter = np.tile(counters, len(keys))
    last, first = np.full(len(most), -1, np.int64), np.zeros(len(most), np.int64)
    which: list[Ints] = [nothing]
    found: list[Ints] = [nothing]
    while len(lanes):
        expected = rate * (most[lanes] - last[lanes]).astype(np.float64)
        blocks = (expected + _MARGIN * np.sqrt(expected)).astype(np.int64) // BLOCK + 1
        ends = np.cumsum(blocks)
        of_block = np.repeat(lanes, blocks)
        numbers = first[of_block] + np.arange(len(of_block)) - np.repeat(ends - blocks, blocks)
        words = _blocks(every[of_block], counter[of_block], numbers).reshape(-1)
        lane = np.repeat(of_block, BLOCK)
        sums = np.cumsum(_distances(words, rate, most[lane]))
        before = np.concatenate([[0], sums[BLOCK * ends[:-1] - 1]])
        places = sums + np.repeat(last[lanes] - before, BLOCK * blocks)
        hit = places < most[lane]
        which.append(lane[hit])
        found.append(places[hit])
        first[lanes] += blocks
        last[lanes] = places[BLOCK * ends - 1]
        lanes = lanes[hit[BLOCK * ends - 1]]
    positions, places = np.concatenate(which), np.concatenate(found)
    if len(which) > 2:
        order = np.argsort(positions, kind="stable")
        positions, places = positions[order], places[order]
    return positions, places, np.searchsorted(positions, images * np.arange(1, len(keys) + 1))


def _distances(words: Words, rate: float, cells: int | Ints) -> Ints:
    """From one failure to the next, by random words; no more than ``cells`` and one."""
    uniform = ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53  # in (0, 1), both ends left out
    distances: Ints = np.minimum(np.floor(np.log(uniform) / np.log1p(-rate)), cells).astype(np.int64) + 1
    return distances


def nonzero(source: np.random.Philox, bits: int, count: int) -> Ints:
    """Words of so many bits that are not 0, each as likely as any other, int64 [count]."""
    return _nonzero(source.random_raw(count), bits)


def nonzero_of_each(key: str, counters: Ints, bits: int, counts: Sequence[int] | Ints) -> Ints:
    """``nonzero(generator(key, counter), bits, count)`` for each counter, one after another."""
    numbers = np.asarray(counts, np.int64)
    if not numbers.sum():
        return np.empty(0, np.int64)
    words = philox(key, counters, 0, (int(numbers.max()) + BLOCK - 1) // BLOCK)
    return _nonzero(words[np.arange(words.shape[1]) < numbers[:, None]], bits)


def _nonzero(words: Words, bits: int) -> Ints:
    return (words % np.uint64((1 << bits) - 1)).astype(np.int64) + 1
