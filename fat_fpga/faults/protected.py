"""A part of a pattern where it matters in which words bits are: protected memories, and errors that hit neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fat_fpga.faults.decode import Left, WordCounts, decoded
from fat_fpga.faults.draws import Ints, failures, passing_generator
from fat_fpga.faults.pattern import Action
from fat_fpga.faults.stored import Layout

if TYPE_CHECKING:
    from fat_fpga.faults.parts import Part


def layout(part: Part) -> Layout | None:
    """Where the bits of a memory are; None where that does not matter, or there is no memory."""
    if part.words is None or part.words.stored is None:
        return None
    if part.pattern.protection is None and part.pattern.burst == 1:
        return None
    return Layout(part.words, part.pattern.protection)


def check_hits(part: Part) -> Ints:
    """The check bits that are hit, by number, word x check bits + bit, ascending int64 [H].

    There are none where errors hit one bit of each value only.
    """
    where = layout(part)
    if where is None or not where.checks or not part.each_bit:
        return np.empty(0, np.int64)
    source = passing_generator(f"{part.key} check")
    return failures(source, part.pattern.rate, where.count * where.checks)


def left(part: Part) -> Left | None:
    """What is left of errors in a memory; None where `layout` does not matter."""
    where = layout(part)
    if where is None:
        return None
    pattern, hits, checks = part.pattern, part.hits(range(0))[1], check_hits(part)
    if not part.each_bit:
        assert pattern.bit is not None
        hits = hits * where.words.register.bits + pattern.bit
    words, numbers = where.of_cells(hits)
    if len(checks):
        more, at = np.divmod(checks, where.checks)
        words, numbers = np.concatenate([words, more]), np.concatenate([numbers, where.data + at])
    if pattern.burst > 1:
        words, numbers = where.neighbours(words, numbers, pattern.burst)
    if pattern.action is Action.HOLD:  # what holds the value already is not wrong
        wrong = where.stored_bits(words, numbers) != pattern.value
        words, numbers = words[wrong], numbers[wrong]
    if where.protection is None:
        return Left(np.sort(where.cells(words, numbers)), np.empty(0, np.int64), WordCounts())
    return decoded(where, words, numbers)
