"""Whether a change is inside of a network, and about the words and registers that the network has."""

from __future__ import annotations

from functools import singledispatch

from fat_fpga.faults.changes import (
    ChangedAccumulators,
    ChangedParameter,
    ChangedThreshold,
    ChangedWeight,
    ChangedWord,
    FlippedActivation,
    HeldActivations,
)
from fat_fpga.faults.place import Place, places
from fat_fpga.faults.register import (
    Register,
    accumulator_register,
    activation_register,
    parameter_register,
    stored_thresholds,
    threshold_register,
    weight_register,
)
from fat_fpga.faults.traits import STREAM_AXES
from fat_fpga.faults.words import threshold_words
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray


def wrong_change(network: Network, change: object) -> str:
    """What is wrong with a change, empty where nothing is: engines execute it as it stands."""
    name = getattr(change, "place", None)
    place = places(network).get(name) if isinstance(name, str) else None
    if place is None:
        return f"there is no place {name!r}"
    return _wrong(change, place)


@singledispatch
def _wrong(change: object, place: Place) -> str:
    return "it is none of the elementary changes"


@_wrong.register
def _(change: HeldActivations, place: Place) -> str:
    for axis, size, span in zip(STREAM_AXES, place.shape, (change.channels, change.rows, change.columns), strict=True):
        if not span or not 0 <= min(span) <= max(span) < size:
            return f"{place.name} has {axis}s 0 to {size - 1}"
        if span.step != 1 and axis != STREAM_AXES[0]:
            return f"{axis}s have to be contiguous"
    if place.levels is None:
        return f"{place.name} has class scores and no activation levels"
    return "" if change.value in place.levels.values else f"the levels of {place.name} are {place.levels}"


@_wrong.register
def _(change: FlippedActivation, place: Place) -> str:
    if place.levels is None:
        return f"{place.name} has class scores and no activation levels"
    if change.frame < 0:
        return "images are counted from 0"
    return _outside(change.index, place.shape, place) or _wrong_bit(change, activation_register(place.levels))


@_wrong.register
def _(change: ChangedAccumulators, place: Place) -> str:
    if place.unit is None:
        return f"{place.name} has no accumulators"
    return _outside((change.channel,), (place.unit.channels,), place) or _wrong_bit(change, accumulator_register(place))


@_wrong.register
def _(change: ChangedWeight, place: Place) -> str:
    if place.unit is None:
        return f"{place.name} has no weights"
    return _wrong_word(change, place, place.unit.weights, weight_register(place.unit))


@_wrong.register
def _(change: ChangedThreshold, place: Place) -> str:
    if place.thresholded is None:
        return f"{place.name} has no thresholds"
    if threshold_words(place) is None:
        return f"the thresholds of {place.name} are baked into logic"
    return _wrong_word(change, place, stored_thresholds(place), threshold_register(place))


@_wrong.register
def _(change: ChangedParameter, place: Place) -> str:
    if place.layer is None or change.memory not in place.layer.parameters:
        return f"{place.name} has no memory '{change.memory}'"
    words = place.layer.parameters[change.memory]
    return _wrong_word(change, place, words, parameter_register(place, change.memory))


def _wrong_word(change: ChangedWord, place: Place, memory: IntArray, register: Register) -> str:
    outside = _outside(change.index, memory.shape, place)
    if outside:
        return outside
    if change.word != memory[change.index]:
        return f"the memory holds {memory[change.index]} there"
    return _wrong_bit(change, register)


def _outside(index: tuple[int, ...], shape: tuple[int, ...], place: Place) -> str:
    inside = len(index) == len(shape) and all(0 <= part < size for part, size in zip(index, shape, strict=True))
    return "" if inside else f"its index is not inside of {'x'.join(map(str, shape))} at {place.name}"


def _wrong_bit(change: FlippedActivation | ChangedWord | ChangedAccumulators, register: Register) -> str:
    if change.register != register:
        return f"the register there is {register}"
    if not 0 <= change.bit < register.bits:
        return f"the register has bits 0 to {register.bits - 1}"
    return "" if change.to in (None, 0, 1) else "a bit is held at 0 or 1"
