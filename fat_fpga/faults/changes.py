"""What a fault does to a network, in six elementary changes. Every engine knows these six and no fault model.

A fault model turns a fault into changes; so a new model works in every engine as soon as it is written down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fat_fpga.faults.register import Register
from fat_fpga.network import MatrixVectorUnit
from fat_fpga.network.layers import IntArray, Layer, Thresholding
from fat_fpga.network.operators.threshold_logic import SEARCH, searched


@dataclass(frozen=True)
class HeldActivations:
    """A box of a stream's activations holds one value, in every image.

    Attributes:
        place: the stream; see `Place`.
        channels, rows, columns: the box; channels may be any range, rows and columns are contiguous.
        value: the activation level.
    """

    place: str
    channels: range
    rows: range
    columns: range
    value: int

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Slices of channels, rows and columns."""
        return _slice(self.channels), _slice(self.rows), _slice(self.columns)

    def apply(self, activations: IntArray) -> IntArray:
        """The faulty stream [N, C, H, W]; the argument is not changed."""
        faulty = activations.copy()
        faulty[(slice(None), *self.box)] = self.value
        return faulty


@dataclass(frozen=True)
class FlippedActivation:
    """One bit of one activation is inverted or held while one image passes.

    Attributes:
        place: the stream.
        index: channel, row, column.
        bit, register: which bit, and how the stream's activations stand in bits.
        frame: the image, counted from 0 through the data set.
        to: the value that the bit holds, None where it is inverted.
    """

    place: str
    index: tuple[int, int, int]
    bit: int
    register: Register
    frame: int
    to: int | None = None

    def apply(self, activations: IntArray, first_frame: int) -> IntArray:
        """The faulty stream [N, C, H, W] of the images from ``first_frame`` on; the argument is not changed."""
        faulty = activations.copy()
        image = self.frame - first_frame
        if 0 <= image < len(activations):
            at = (image, *self.index)
            faulty[at] = self.register.change(faulty[at], self.bit, self.to)
        return faulty


@dataclass(frozen=True)
class ChangedWord:
    """One bit of a memory word is held or inverted. Several bits of one word act on it together, in their order.

    Attributes:
        place: the unit.
        index: of the word.
        word: the integer that the memory holds without a fault.
        bit, register: which bit, and how the words stand in bits.
        to: the value that the bit holds, None where it is inverted.
    """

    place: str
    index: tuple[int, ...]
    word: int
    bit: int
    register: Register
    to: int | None


@dataclass(frozen=True)
class ChangedWeight(ChangedWord):
    """A bit of ``unit.weights[index]``."""


@dataclass(frozen=True)
class ChangedThreshold(ChangedWord):
    """A bit of threshold ``index`` of a layer: channel, number. The word stands in the memory whatever its neighbours
    are; what that means, the layer's ``threshold_logic`` says."""


@dataclass(frozen=True)
class ChangedParameter(ChangedWord):
    """A bit of one of the other memories of a layer, as the values of a table.

    Attributes:
        memory: its name in `Layer.parameters`.
    """

    memory: str


@dataclass(frozen=True)
class ChangedAccumulators:
    """One bit of a channel's finished accumulators, as the thresholds see them, is held or inverted.

    Attributes:
        place: the unit.
        channel: its output channel.
        bit, register: which bit, and how the accumulators stand in bits.
        to: the value that the bit holds, None where it is inverted.
    """

    place: str
    channel: int
    bit: int
    register: Register
    to: int | None

    def apply(self, accumulators: IntArray) -> IntArray:
        """The faulty accumulators [N, M, H, W]; the argument is not changed."""
        faulty = accumulators.copy()
        faulty[:, self.channel] = self.register.change(faulty[:, self.channel], self.bit, self.to)
        return faulty


Change = HeldActivations | FlippedActivation | ChangedWeight | ChangedThreshold | ChangedParameter | ChangedAccumulators
_C = TypeVar("_C", bound=Change)
_L = TypeVar("_L", bound=MatrixVectorUnit | Thresholding)


def changes_at(changes: Iterable[Change], place: str, kind: type[_C]) -> list[_C]:
    """Those of one kind at one place, in their order."""
    return [change for change in changes if isinstance(change, kind) and change.place == place]


def changed_words(changes: Iterable[ChangedWord]) -> dict[tuple[int, ...], int]:
    """The words of one memory that differ under all its changes, by index: each starts from what the memory holds."""
    stored: dict[tuple[int, ...], int] = {}
    found: dict[tuple[int, ...], int] = {}
    for change in changes:
        stored.setdefault(change.index, change.word)
        word = found.get(change.index, change.word)
        found[change.index] = int(change.register.change(np.array(word), change.bit, change.to))
    return {index: word for index, word in found.items() if word != stored[index]}


def changed_unit(unit: MatrixVectorUnit, changes: Iterable[Change]) -> MatrixVectorUnit:
    """The unit with its changed weights and thresholds (`changed_thresholds`); the unit itself if there are none."""
    changes = tuple(changes)
    return changed_thresholds(changed_weights(unit, changes), changes)


def changed_weights(unit: MatrixVectorUnit, changes: Iterable[Change]) -> MatrixVectorUnit:
    """The unit with its changed weights; the unit itself if there are none."""
    weights = changed_words(changes_at(changes, unit.name, ChangedWeight))
    return replace(unit, weights=_with(unit.weights, weights)) if weights else unit


def changed_thresholds(layer: _L, changes: Iterable[Change]) -> _L:
    """The layer with ascending thresholds that make of every integer what its changed words make of it
    (`thresholds_met`); the layer itself if there are none."""
    words = thresholds_met(layer, changes)
    if not words or layer.thresholds is None:
        return layer
    changed: _L = replace(layer, thresholds=np.sort(_with(layer.thresholds, words), axis=1))
    return changed


def stored_words(layer: MatrixVectorUnit | Thresholding, changes: Iterable[Change]) -> IntArray:
    """What the threshold memory of a layer holds, int32 [C, T], with its changed words as they stand, in any order."""
    assert layer.thresholds is not None
    words = changed_words(changes_at(changes, layer.name, ChangedThreshold))
    return _with(layer.thresholds, words) if words else layer.thresholds


def thresholds_met(layer: MatrixVectorUnit | Thresholding, changes: Iterable[Change]) -> dict[tuple[int, ...], int]:
    """Other thresholds by index: counted, in whatever order, they give what the layer gives with the changes."""
    found = changed_words(changes_at(changes, layer.name, ChangedThreshold))
    if not found or layer.threshold_logic != SEARCH or layer.thresholds is None:
        return found
    index, values = searched_words(layer.thresholds, np.array(list(found)), np.array(list(found.values())))
    return {(int(c), int(t)): int(value) for (c, t), value in zip(index, values, strict=True)}


def searched_words(
    thresholds: IntArray, index: npt.NDArray[np.int64], words: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where a search meets other thresholds with some words changed, and which.

    Args:
        thresholds: ascending, int32 [C, T].
        index: channel and number of each word, int64 [W, 2].
        words: what the memory holds there, int64 [W].

    Returns:
        index int64 [V, 2] and thresholds int64 [V] that differ; those of each channel ascend.
    """
    channels, row = np.unique(index[:, 0], return_inverse=True)
    before = thresholds[channels].astype(np.int64)
    held = before.copy()
    held[row, index[:, 1]] = words
    met = searched(held)
    rows, numbers = np.nonzero(met != before)
    return np.stack([channels[rows], numbers], axis=1), met[rows, numbers]


def changed_parameters(layer: Layer, changes: Iterable[Change]) -> Layer:
    """The layer with its other memories changed; the layer itself if there are no changes."""
    own = changes_at(changes, layer.name, ChangedParameter)
    for memory, words in layer.parameters.items():
        found = changed_words(change for change in own if change.memory == memory)
        if found:
            layer = layer.with_parameter(memory, _with(words, found))
    return layer


def changed_stream(activations: IntArray, changes: Iterable[Change], place: str, first_frame: int) -> IntArray:
    """A stream [N, C, H, W] with the changes at ``place``, in their order."""
    for change in changes:
        if isinstance(change, HeldActivations) and change.place == place:
            activations = change.apply(activations)
        elif isinstance(change, FlippedActivation) and change.place == place:
            activations = change.apply(activations, first_frame)
    return activations


def _with(memory: IntArray, words: dict[tuple[int, ...], int]) -> IntArray:
    """A copy of a memory with other words in it."""
    changed = memory.copy()
    for index, word in words.items():
        changed[index] = word
    return changed


def _slice(span: range) -> slice:
    return slice(span.start, span.stop, span.step)
