"""Flips of bits that are drawn anew for each image, as words: a pass of a small network has thousands of them in dozens
of places, so those of all places are computed together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fat_fpga.faults.draws import Ints, failures_together
from fat_fpga.faults.parts import Part
from fat_fpga.faults.pattern import Action
from fat_fpga.faults.singles import lots


@dataclass(frozen=True, eq=False)
class Flips:
    """Flipped bits of the words of one part.

    Attributes:
        images: int64 [H], the position of the image, ascending.
        words: int64 [H], numbers of words in the part's block; none is there twice for one image.
        masks: int64 [H], the bits that are flipped.
    """

    images: Ints
    words: Ints
    masks: Ints

    def __len__(self) -> int:
        return len(self.words)


def all_flips(parts: Sequence[Part]) -> bool:
    """Whether parts of one pattern are flips of bits, drawn anew for each image."""
    return all(part.transient and part.pattern.action is Action.FLIP and part.block.bits for part in parts)


def flips_of(parts: Sequence[Part], images: range) -> Iterator[Flips]:
    """What `fat_fpga.faults.singles.singles_of` gives of such parts, with the bits of one word together."""
    frames = np.arange(images.start, images.stop)
    for lot in lots(parts, images):
        keys, cells = [part.key for part in lot], [part.cells for part in lot]
        lanes, hits, ends = failures_together(keys, frames + 1, lot[0].pattern.rate, cells)
        counts = np.diff(ends, prepend=0)
        if lot[0].each_bit:
            each = [part.block.bits or 1 for part in lot]
            words, bits = _divided(hits, each[0] if len(set(each)) == 1 else np.repeat(each, counts))
        else:
            words, bits = hits, np.full(len(hits), lot[0].pattern.bit)
        masks = np.left_shift(np.int64(1), bits)
        again = (lanes[1:] == lanes[:-1]) & (words[1:] == words[:-1])
        if again.any():
            starts = np.concatenate([[0], np.flatnonzero(~again) + 1])
            ends = np.searchsorted(starts, ends)
            lanes, words, masks = lanes[starts], words[starts], np.bitwise_or.reduceat(masks, starts)
        _, rows = _divided(lanes, len(images))
        first = 0
        for end in ends.tolist():
            yield Flips(rows[first:end], words[first:end], masks[first:end])
            first = end


def _divided(integers: Ints, by: int | Ints) -> tuple[Ints, Ints]:
    """What ``divmod`` gives of integers of at least 0, in a third of its time where ``by`` is one for all."""
    quotients = integers // by
    return quotients, integers - quotients * by
