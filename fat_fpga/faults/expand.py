"""From a pattern to the single faults that it is in a network, on some images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.errors import FaultError
from fat_fpga.faults.block import Block
from fat_fpga.faults.decode import Left, WordCounts
from fat_fpga.faults.draws import Ints, failures, generator, nonzero
from fat_fpga.faults.fault import Fault, FaultSet
from fat_fpga.faults.model import Setting
from fat_fpga.faults.pattern import EVERY, Action, Pattern
from fat_fpga.faults.place import Place, places
from fat_fpga.faults.protected import check_hits, layout, left
from fat_fpga.faults.protection import OnDetect
from fat_fpga.faults.register import Register
from fat_fpga.faults.registry import fault_model
from fat_fpga.faults.words import Words
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray


@dataclass(frozen=True, eq=False)
class Part:
    """A pattern at one place, for one kind.

    Attributes:
        block: the faults of the kind there.
        words: the words that are hit; None where whole activation levels are held.
        each_bit: whether every bit is a cell of its own; else every word is, or one bit of it.
    """

    pattern: Pattern
    block: Block
    words: Words | None

    @property
    def register(self) -> Register | None:
        """How its words stand in bits; None where whole activation levels are held."""
        return None if self.words is None else self.words.register

    @property
    def memory(self) -> IntArray | None:
        """The words that are stored, where there are any."""
        return None if self.words is None else self.words.stored

    @property
    def each_bit(self) -> bool:
        return self.pattern.bit is not None and self.pattern.bit < 0

    @property
    def cells(self) -> int:
        """How many cells there are, in each image where errors are drawn anew for each."""
        words = int(np.prod(self.block.dims, dtype=np.int64))
        return words * (self.block.bits or 1) if self.each_bit else words

    @property
    def transient(self) -> bool:
        """Whether errors are drawn anew for each image."""
        return self.block.frames is not None

    def hits(self, frame: int | None) -> Ints:
        """The cells that are hit, in one image where they are drawn anew."""
        key = self.pattern.key(self.block.place, self.block.kind)
        return failures(generator(key, 0 if frame is None else frame + 1), self.pattern.rate, self.cells)

    def faults(self, frame: int | None) -> Iterator[Fault]:
        """The single faults, in the order of the cells."""
        rest = left(self)
        if rest is not None:
            yield from self._of(rest)
            return
        hits = self.hits(frame)
        words, bits = np.divmod(hits, self.block.bits or 1) if self.each_bit else (hits, None)
        yield from _ACTIONS[self.pattern.action](self, words, bits, frame)

    def _of(self, rest: Left) -> Iterator[Fault]:
        """The single faults of what is left of errors in a memory."""
        assert self.register is not None
        for word, bit in zip(*(part.tolist() for part in np.divmod(rest.cells, self.register.bits)), strict=True):
            yield self.single(word, None, bit, 1, flip=True)
        for word in rest.erased.tolist():
            yield from self.held(word, None, 0)

    def single(self, word: int, frame: int | None, bit: int | None, value: int, flip: bool = False) -> Fault:
        index = tuple(int(i) for i in np.unravel_index(word, self.block.dims))
        return Fault(self.block.place, self.block.kind, index, value, None, bit, flip, frame)

    def held(self, word: int, frame: int | None, value: int) -> Iterator[Fault]:
        """A whole word held at an integer: each of its bits is."""
        if self.register is None:
            yield self.single(word, frame, None, value)
            return
        stored = (value - self.register.offset) // self.register.step
        for bit in range(self.register.bits):
            yield self.single(word, frame, bit, stored >> bit & 1)


@checked
def expand(network: Network, pattern: Pattern, first_frame: int, images: int) -> FaultSet:
    """The single faults of a pattern on ``images`` images from number ``first_frame`` on; there may be none.

    Errors in memories are in every image; those of activations are drawn anew for each.

    Raises:
        FaultError: the network has no such cells.
    """
    found: list[Fault] = []
    for part in parts_of(network, pattern):
        for frame in range(first_frame, first_frame + images) if part.transient else (None,):
            found += part.faults(frame)
    return FaultSet(tuple(found))


def count_hits(network: Network, pattern: Pattern, first_frame: int, images: int) -> int:
    """How many cells are hit on these images; errors that are in every image count with image 0 alone, so that counts
    of consecutive images add up."""
    total = 0
    for part in parts_of(network, pattern):
        if part.transient:
            total += sum(len(part.hits(frame)) for frame in range(first_frame, first_frame + images))
        elif first_frame == 0:
            total += len(part.hits(None)) + len(check_hits(part))
    return total


def count_words(network: Network, pattern: Pattern) -> WordCounts:
    """What became of the words of protected memories; zeros where nothing is protected."""
    total = WordCounts()
    if pattern.protection is not None:
        for rest in map(left, parts_of(network, pattern)):
            total = total if rest is None else total.plus(rest.counts)
    return total


def parts_of(network: Network, pattern: Pattern) -> list[Part]:
    """A pattern by place and kind, at least one; FaultError, which says what there is, where it does not fit."""
    known = places(network)
    everywhere = pattern.layers == (EVERY,)
    for name in pattern.layers:
        if name != EVERY and name not in known:
            raise FaultError(f"{pattern}: unknown place '{name}': {network.name} has {', '.join(known)}, and *")
    names = [place.name for place in known.values() if place.enumerated] if everywhere else list(pattern.layers)
    found, reason = [], ""
    for name in dict.fromkeys(names):
        for kind in dict.fromkeys(pattern.kinds):
            part = _part(network, pattern, known[name], kind)
            wrong = "it has no such faults" if part is None else _wrong(part)
            if part is not None and not wrong:
                found.append(part)
            elif not everywhere:
                raise FaultError(f"{pattern}: {kind} at {name}: {wrong}")
            else:
                reason = reason or f"; {kind} at {name}: {wrong}"
    if not found:
        raise FaultError(f"{pattern}: {network.name} has no such cells at any layer{reason}")
    if (pattern.protection or pattern.burst > 1) and not any(map(layout, found)):
        what = f"protection '{pattern.protection}'" if pattern.protection else "burst"
        raise FaultError(f"{pattern}: the {what} is of words in memories, and {pattern.kind} has none")
    return found


def _part(network: Network, pattern: Pattern, place: Place, kind: str) -> Part | None:
    model = fault_model(kind)
    if model.traits.needs_folding:
        raise FaultError(f"{pattern}: there are no patterns of kind {kind}, which need a folding")
    block = model.block(network, place, Setting(frames=1))
    if block is None:
        return None
    words = None if model.traits.words is None else model.traits.words(place)
    if words is None and block.bits is not None:
        raise FaultError(f"{pattern}: there are no patterns of kind {kind}, whose words are not known")
    return Part(pattern, block, words)


def _wrong(part: Part) -> str:
    """Why a pattern does not fit a place; empty where it does."""
    pattern, register = part.pattern, part.register
    if register is None:
        if pattern.bit is not None or pattern.action is not Action.HOLD:
            return "whole activations are held at a level, as in [*] = 0"
        fits = any(effect.value == pattern.value for effect in part.block.effects)
        return "" if fits else f"{pattern.value} is none of its activation levels"
    if pattern.bit is not None:
        if pattern.bit >= register.bits:
            return f"its words have bits 0 to {register.bits - 1}"
        if pattern.action is Action.MASKED and part.memory is None:
            return "bits are masked by what a memory stores, so '= masked' is for weights and thresholds"
        if pattern.action is Action.MASKED and register.step != 1:
            return "its words have no sign bit and no 0"
        erases = pattern.protection is not None and pattern.protection.detected is OnDetect.ERASE
        if erases and part.memory is not None and not register.holds(0):
            return "its words cannot be 0, so what is detected is not erased: take detected[reload], or leave it out"
        return ""
    if pattern.action is Action.FLIP:
        return "a flip is of bits: write .bit[*] before it"
    if pattern.action is Action.HOLD and not register.holds(pattern.value):
        low, high = register.span
        return f"its words cannot hold {pattern.value}: they are {low} to {high} in steps of {register.step}"
    return ""


def _flips(part: Part, words: Ints, bits: Ints | None, frame: int | None) -> Iterator[Fault]:
    for word, bit in _pairs(part, words, bits):
        yield part.single(word, frame, bit, 1, flip=True)


def _holds(part: Part, words: Ints, bits: Ints | None, frame: int | None) -> Iterator[Fault]:
    if part.pattern.bit is None:
        for word in words.tolist():
            yield from part.held(word, frame, part.pattern.value)
        return
    for word, bit in _pairs(part, words, bits):
        yield part.single(word, frame, bit, part.pattern.value)


def _uniform(part: Part, words: Ints, bits: Ints | None, frame: int | None) -> Iterator[Fault]:
    """Every value but the right one is as likely (conditionally uniform: Vialatte and Leduc-Primeau 2017): bits are
    flipped by a random word that is not 0."""
    assert part.register is not None
    key = part.pattern.key(part.block.place, part.block.kind)
    source = generator(f"{key} deviation", 0 if frame is None else frame + 1)
    for word, mask in zip(words.tolist(), nonzero(source, part.register.bits, len(words)).tolist(), strict=True):
        for bit in range(part.register.bits):
            if mask >> bit & 1:
                yield part.single(word, frame, bit, 1, flip=True)


def _masked(part: Part, words: Ints, bits: Ints | None, frame: int | None) -> Iterator[Fault]:
    """Bit masking (Hacene et al. 2019, after Minerva): a wrong sign bit makes the word 0, any other wrong bit takes the
    value of the sign bit; unsigned words have the sign 0."""
    register, memory = part.register, part.memory
    assert register is not None
    assert memory is not None
    sign, flat = register.bits - 1, memory.reshape(-1)
    lost: set[int] = set()
    if register.signed:
        for word, bit in _pairs(part, words, bits):
            if bit == sign:
                lost.add(word)
                yield from part.held(word, frame, 0)
    for word, bit in _pairs(part, words, bits):
        if word not in lost:
            yield part.single(word, frame, bit, int(register.signed and flat[word] < 0))


def _pairs(part: Part, words: Ints, bits: Ints | None) -> Iterator[tuple[int, int]]:
    """Word and bit of each cell."""
    if bits is not None:
        yield from zip(words.tolist(), bits.tolist(), strict=True)
    else:
        assert part.pattern.bit is not None
        for word in words.tolist():
            yield word, part.pattern.bit


_ACTIONS: dict[Action, Callable[[Part, Ints, Ints | None, int | None], Iterator[Fault]]] = {
    Action.FLIP: _flips,
    Action.HOLD: _holds,
    Action.UNIFORM: _uniform,
    Action.MASKED: _masked,
}
