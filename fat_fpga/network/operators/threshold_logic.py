"""How hardware finds the level of an integer from the words of a threshold memory.

| logic | hardware | level |
|---|---|---|
| ``count`` | FINN's ``MVAU_hls``, our ``fat_mvtu`` | number of words that are not above the integer |
| ``search`` | FINN's ``Thresholding_rtl`` | binary search, right for ascending words |
| ``baked`` | thresholds in the logic itself | as of the words that it was built with; there is no memory |

On ascending words all three are the same. They differ where a fault leaves a word out of order.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fat_fpga.network.operators.base import IntArray

COUNT, SEARCH, BAKED = "count", "search", "baked"
LOGICS = (COUNT, SEARCH, BAKED)
_I = TypeVar("_I", np.int32, np.int64, np.float32)


def met(integers: IntArray, words: IntArray, logic: str = COUNT) -> IntArray:
    """The number of thresholds that each integer meets, as the hardware finds it, int32 of the shape of ``integers``.

    Args:
        integers: [N, C, H, W].
        words: what the memory holds, int32 [C, T], in any order.
        logic: one of `LOGICS`.
    """
    found = np.zeros_like(integers)
    rows = words[None, :, :, None, None]
    if logic != SEARCH:
        for number in range(words.shape[1]):
            found += integers >= rows[:, :, number]
        return found
    for stage in _stages(words.shape[1]):
        at = found + (1 << stage) - 1  # the words of the other half are not looked at
        words_at = words[np.arange(words.shape[0])[None, :, None, None], np.minimum(at, words.shape[1] - 1)]
        found += ((at < words.shape[1]) & (words_at <= integers)).astype(found.dtype) << stage
    return found


def searched(words: npt.NDArray[_I]) -> npt.NDArray[_I]:
    """Ascending words [R, T] that give every integer the level that `SEARCH` finds in these, which are in any order.

    A search goes down a tree of comparisons, so its level never falls as the integer grows, and is decided by the
    smallest integer of each level: a word counts as far as the words that were compared before leave room for it.
    """
    found = words.copy()
    for stage in _stages(words.shape[1]):
        step = 1 << stage
        own, before = found[:, step - 1 :: 2 * step], found[:, 2 * step - 1 :: 2 * step]
        np.maximum(own[:, 1:], before[:, : own.shape[1] - 1], out=own[:, 1:])
        np.minimum(own[:, : before.shape[1]], before, out=own[:, : before.shape[1]])
    return found


def _stages(count: int) -> range:
    """Powers of two of the steps of a search, the largest first: FINN's pipeline has ``clog2(count + 1)`` stages."""
    return range(count.bit_length() - 1, -1, -1)
