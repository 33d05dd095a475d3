"""What flips of bits change in what memories hold, and which share of critical faults that lets one expect.

Ruospo et al., DATE 2023, section III: for bit b, D_b = f0 D(0 to 1) + f1 D(1 to 0), where f0 and f1 are how often the
bit is 0 and 1, and D the mean distance that its flip moves a value; scaled from the smallest to the largest of a layer
into 0 to 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fat_fpga.faults import MODELS, AnySubject, FaultSpace, Place, places
from fat_fpga.faults.block import Block
from fat_fpga.faults.register import Register
from fat_fpga.faults.strata import Key
from fat_fpga.network.layers import IntArray

LEAST_SHARE = 0.01
"""Scaled to 0, the least bit of a layer would get no fault at all."""


def expected_shares(network: AnySubject, parts: Mapping[Key, FaultSpace]) -> dict[Key, float]:
    """For each stratum the share of critical faults to expect; 0.5 where faults are no bits of stored words.

    A stratum of several bits or layers has the largest share of any of them, which asks for the most draws.
    """
    found = places(network)
    return {key: max(_share(found.get(block.place), block) for block in part.blocks) for key, part in parts.items()}


def mean_change(words: IntArray, register: Register, bit: int) -> float:
    """The mean distance that a flip of ``bit`` moves the integers of a memory: the mean over words is the sum that
    weights both directions by how often they occur."""
    return float(np.abs(register.change(words, bit, None).astype(np.int64) - words).mean())


def _share(place: Place | None, block: Block) -> float:
    words_at = MODELS[block.kind].traits.words
    words = None if place is None or words_at is None else words_at(place)
    if words is None or words.stored is None or block.bit is None:
        return 0.5
    changes = [mean_change(words.stored, words.register, bit) for bit in range(words.register.bits)]
    low, high = min(changes), max(changes)
    if low == high:
        return 0.5
    return max(LEAST_SHARE, 0.5 * (changes[block.bit] - low) / (high - low))
