"""The single faults of a part of a pattern, as arrays: a network has millions of words, and Python objects are slow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fat_fpga.faults.decode import Left
from fat_fpga.faults.draws import Ints
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.parts import Part, hits_of
from fat_fpga.faults.pattern import Action
from fat_fpga.faults.protected import left

MOST_TOGETHER = 100_000
"""Expected hits that are drawn together, so that memory is needed for no more than these and one part's."""
FLIPPED = -1
"""Stands for the value of a bit that is inverted."""


@dataclass(frozen=True, eq=False)
class Singles:
    """Single faults in the order in which they act.

    Attributes:
        frames: int64 [S], the only image that meets each; None where all images do.
        words: int64 [S], number of the word or level in the part's block.
        bits: int64 [S], the bit of the word; None where whole levels are held.
        to: int64 [S], what the bit or level is held at, `FLIPPED` for a bit that is inverted.
    """

    frames: Ints | None
    words: Ints
    bits: Ints | None
    to: Ints

    def __len__(self) -> int:
        return len(self.words)


def singles(part: Part, images: range) -> Singles:
    """The single faults of a part on these images."""
    rest = left(part)
    return _of_hits(part, *part.hits(images)) if rest is None else _left(part, rest)


def singles_of(parts: Sequence[Part], images: range) -> Iterator[Singles]:
    """The same of each part of one pattern. What is drawn for each image is drawn for several parts together, which is
    faster where hits are few."""
    for lot in lots(parts, images):
        if lot[0].transient:
            yield from _together(lot, images)
        else:
            yield singles(lot[0], images)


def lots(parts: Sequence[Part], images: range) -> Iterator[list[Part]]:
    """Parts whose hits are drawn together, in their order; one that is not drawn for each image is alone."""
    waiting: list[Part] = []
    expected = 0.0
    for part in parts:
        if part.transient:
            waiting.append(part)
            expected += part.cells * len(images) * part.pattern.rate
        if waiting and (not part.transient or expected > MOST_TOGETHER):
            yield waiting
            waiting, expected = [], 0.0
        if not part.transient:
            yield [part]
    if waiting:
        yield waiting


def _together(parts: Sequence[Part], images: range) -> Iterator[Singles]:
    for part, (frames, hits) in zip(parts, hits_of(parts, images), strict=True):
        yield _of_hits(part, frames, hits)


def _of_hits(part: Part, frames: Ints | None, hits: Ints) -> Singles:
    """What hit cells are."""
    words, bits = np.divmod(hits, part.block.bits or 1) if part.each_bit else (hits, None)
    if bits is None and part.pattern.bit is not None:
        bits = np.full(len(words), part.pattern.bit)
    return _ACTIONS[part.pattern.action](part, frames, words, bits)


def faults_of(part: Part, images: range) -> Iterator[Fault]:
    """The same as faults."""
    found, block = singles(part, images), part.block
    indices = np.stack(np.unravel_index(found.words, block.dims), axis=1).tolist()
    bits = [None] * len(found) if found.bits is None else found.bits.tolist()
    frames = [None] * len(found) if found.frames is None else found.frames.tolist()
    for index, bit, to, frame in zip(indices, bits, found.to.tolist(), frames, strict=True):
        flip = bit is not None and to == FLIPPED
        yield Fault(block.place, block.kind, tuple(index), 1 if flip else to, None, bit, flip, frame)


def _left(part: Part, rest: Left) -> Singles:
    """What is left of errors in a memory after its words have been decoded."""
    assert part.register is not None
    words, bits = np.divmod(rest.cells, part.register.bits)
    return _joined(Singles(None, words, bits, np.full(len(words), FLIPPED)), _held(part, None, rest.erased, 0))


def _flips(part: Part, frames: Ints | None, words: Ints, bits: Ints | None) -> Singles:
    return Singles(frames, words, bits, np.full(len(words), FLIPPED))


def _holds(part: Part, frames: Ints | None, words: Ints, bits: Ints | None) -> Singles:
    value = part.pattern.value
    if bits is None and part.register is not None:
        return _held(part, frames, words, value)
    return Singles(frames, words, bits, np.full(len(words), value))


def _held(part: Part, frames: Ints | None, words: Ints, value: int) -> Singles:
    """Whole words held at an integer: each of their bits is."""
    assert part.register is not None
    bits = np.tile(np.arange(part.register.bits), len(words))
    stored = part.register.word_of(value)
    times = part.register.bits
    return Singles(_repeated(frames, times), np.repeat(words, times), bits, stored >> bits & 1)


def _uniform(part: Part, frames: Ints | None, words: Ints, bits: Ints | None) -> Singles:
    """Every value but the right one is as likely (conditionally uniform: Vialatte and Leduc-Primeau 2017): bits are
    flipped by a random word that is not 0."""
    assert part.register is not None
    masks = part.deviations(frames, len(words))
    which, flipped = (masks[:, None] >> np.arange(part.register.bits) & 1).nonzero()
    return Singles(_taken(frames, which), words[which], flipped, np.full(len(which), FLIPPED))


def _masked(part: Part, frames: Ints | None, words: Ints, bits: Ints | None) -> Singles:
    """Bit masking (Hacene et al. 2019, after Minerva): a wrong sign bit makes the word 0, any other wrong bit takes the
    value of the sign bit; unsigned words have the sign 0, so of activations every wrong bit becomes 0."""
    register, memory = part.register, part.memory
    assert register is not None
    assert bits is not None
    if memory is None:
        assert not register.signed
        return Singles(frames, words, bits, np.zeros(len(words), np.int64))
    signs = bits == register.bits - 1 if register.signed else np.zeros(len(words), np.bool_)
    zero = _held(part, None, words[signs], 0)
    rest = (~np.isin(words, words[signs])).nonzero()[0]
    sign = (register.signed & (memory.reshape(-1)[words[rest]] < 0)).astype(np.int64)
    return _joined(zero, Singles(None, words[rest], bits[rest], sign))


def _joined(first: Singles, then: Singles) -> Singles:
    """Those in a memory, which are in every image."""
    assert first.bits is not None
    assert then.bits is not None
    words, bits = np.concatenate([first.words, then.words]), np.concatenate([first.bits, then.bits])
    return Singles(None, words, bits, np.concatenate([first.to, then.to]))


def _repeated(frames: Ints | None, times: int) -> Ints | None:
    return None if frames is None else np.repeat(frames, times)


def _taken(frames: Ints | None, which: Ints) -> Ints | None:
    return None if frames is None else frames[which]


_ACTIONS: dict[Action, Callable[[Part, Ints | None, Ints, Ints | None], Singles]] = {
    Action.FLIP: _flips,
    Action.HOLD: _holds,
    Action.UNIFORM: _uniform,
    Action.MASKED: _masked,
}
