"""A pattern place by place and kind by kind: which words it changes there, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod

import numpy as np

from fat_fpga.errors import FaultError
from fat_fpga.faults.block import Block
from fat_fpga.faults.draws import (
    Ints,
    failures,
    failures_of_all,
    failures_of_each,
    nonzero,
    nonzero_of_each,
    passing_generator,
)
from fat_fpga.faults.model import FaultModel, Setting
from fat_fpga.faults.pattern import EVERY, Action, Pattern
from fat_fpga.faults.place import Cells, Place, places
from fat_fpga.faults.protected import layout
from fat_fpga.faults.protection import OnDetect
from fat_fpga.faults.register import WordFormat
from fat_fpga.faults.registry import fault_model, is_ours
from fat_fpga.faults.subject import AnySubject, Subject
from fat_fpga.faults.words import Words, no_words
from fat_fpga.network.layers import IntArray


@dataclass(frozen=True, eq=False)
class Part:
    """A pattern at one place, for one kind.

    Attributes:
        pattern: the whole.
        model: the fault model of the kind.
        block: the faults of the kind there.
        words: the words that are hit; None where whole activation levels are held, and in a subject that is no network.
        own: the words that such a subject has there.
        each_bit: whether every bit is a cell of its own; else every word is, or one bit of it.
    """

    pattern: Pattern
    model: FaultModel
    block: Block
    words: Words | None
    own: Cells | None = None

    @property
    def register(self) -> WordFormat | None:
        """How its words stand in bits; None where whole activation levels are held."""
        if self.own is not None:
            return self.own.format
        return None if self.words is None else self.words.register

    @property
    def memory(self) -> IntArray | None:
        """The integers that are stored, where there are any."""
        if self.own is not None and self.own.stored is not None:
            return self.own.stored()
        return None if self.words is None else self.words.stored

    @property
    def each_bit(self) -> bool:
        return self.pattern.bit is not None and self.pattern.bit < 0

    @property
    def cells(self) -> int:
        """How many cells there are, in each image where errors are drawn anew for each."""
        words = prod(self.block.dims)
        return words * (self.block.bits or 1) if self.each_bit else words

    @property
    def transient(self) -> bool:
        """Whether errors are drawn anew for each image."""
        return self.block.frames is not None

    @property
    def key(self) -> str:
        """What its draws depend on."""
        return self.pattern.key(self.block.place, self.block.kind)

    def hits(self, images: range) -> tuple[Ints | None, Ints]:
        """The images and the cells that are hit, image by image, int64 [H] both; no images where errors are in all."""
        if not self.transient:
            return None, failures(passing_generator(self.key), self.pattern.rate, self.cells)
        frames = np.arange(images.start, images.stop)
        which, cells = failures_of_each(self.key, frames + 1, self.pattern.rate, self.cells)
        return frames[which], cells

    def deviations(self, frames: Ints | None, count: int) -> Ints:
        """By which bits so many words that are hit in these images deviate, int64 [count]: never by none."""
        assert self.register is not None
        key, bits = f"{self.key} deviation", self.register.bits
        if frames is None:
            return nonzero(passing_generator(key), bits, count)
        images, counts = np.unique(frames, return_counts=True)
        return nonzero_of_each(key, images + 1, bits, counts)


def hits_of(parts: Sequence[Part], images: range) -> list[tuple[Ints, Ints]]:
    """`Part.hits` of parts of one pattern that are all transient, drawn together."""
    if not parts:
        return []
    frames = np.arange(images.start, images.stop)
    keys, cells = [part.key for part in parts], [part.cells for part in parts]
    each = failures_of_all(keys, frames + 1, parts[0].pattern.rate, cells)
    return [(frames[which], found) for which, found in each]


def parts_of(network: AnySubject, pattern: Pattern) -> list[Part]:
    """A pattern by place and kind, at least one; FaultError, which says what there is, where it does not fit."""
    if not all(map(is_ours, pattern.kinds)):
        return _parts(network, pattern)
    try:
        found = _kept_parts(network, replace(pattern, rate=0.0, sample=0))
    except FaultError:
        return _parts(network, pattern)  # which names the pattern
    return [Part(pattern, part.model, part.block, part.words, part.own) for part in found]


@lru_cache(maxsize=64)
def _kept_parts(network: AnySubject, pattern: Pattern) -> list[Part]:
    """They are the same for each rate and sample."""
    return _parts(network, pattern)


def _parts(network: AnySubject, pattern: Pattern) -> list[Part]:
    known = places(network)
    everywhere = pattern.layers == (EVERY,)
    for name in pattern.layers:
        if name != EVERY and name not in known and isinstance(network, Subject):
            raise FaultError(f"{pattern}: {network.unknown(name)}")
        if name != EVERY and name not in known:
            raise FaultError(f"{pattern}: unknown place '{name}': {network.name} has {', '.join(known)}, and *")
    names = [place.name for place in known.values() if place.enumerated] if everywhere else list(pattern.layers)
    found, reason = [], ""
    for name in dict.fromkeys(names):
        for kind in dict.fromkeys(pattern.kinds):
            part = _part(network, pattern, known[name], kind)
            wrong = _no_such(kind, known[name]) if part is None else _wrong(part)
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
        if isinstance(network, Subject):
            raise FaultError(
                f"{pattern}: the {what} is of memories of integer networks, and {network.name} is a module: bring it "
                "into fixed point with fat-fpga quantise"
            )
        raise FaultError(f"{pattern}: the {what} is of words in memories, and {pattern.kind} has none")
    return found


def _no_such(kind: str, place: Place) -> str:
    return no_words(fault_model(kind).traits.words, place) or "it has no such faults"


def _part(network: AnySubject, pattern: Pattern, place: Place, kind: str) -> Part | None:
    model = fault_model(kind)
    if model.traits.needs_folding:
        raise FaultError(f"{pattern}: there are no patterns of kind {kind}, which need a folding")
    block = model.block(network, place, Setting(frames=1))
    if block is None:
        return None
    own = place.cells.get(kind)
    if own is not None:
        return Part(pattern, model, block, None, own)
    words = None if model.traits.words is None else model.traits.words(place)
    if words is None and block.bits is not None:
        raise FaultError(f"{pattern}: there are no patterns of kind {kind}, whose words are not known")
    return Part(pattern, model, block, words)


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
        in_memory = part.own.memory if part.own is not None else part.memory is not None
        known = part.own is None and part.transient and not register.signed
        if pattern.action is Action.MASKED and not in_memory and not known:
            return (
                "bits are masked by a sign that is known before: '= masked' is for weights and thresholds, and for "
                "activations of an integer network that are never below 0"
            )
        if pattern.action is Action.MASKED and not register.maskable:
            return "its words have no sign bit and no 0, or are no two's complement"
        erases = pattern.protection is not None and pattern.protection.detected is OnDetect.ERASE
        if erases and in_memory and register.wrong(0):
            return "its words cannot be 0, so what is detected is not erased: take detected[reload], or leave it out"
        return ""
    if pattern.action is Action.FLIP:
        return "a flip is of bits: write .bit[*] before it"
    return register.wrong(pattern.value) if pattern.action is Action.HOLD else ""
