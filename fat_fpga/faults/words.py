"""The words that a kind of fault changes at a place: how they stand in bits, and what is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fat_fpga.faults.place import Place
from fat_fpga.faults.register import (
    Register,
    accumulator_register,
    activation_register,
    stored_thresholds,
    threshold_register,
    weight_register,
)
from fat_fpga.network.layers import IntArray
from fat_fpga.network.operators.threshold_logic import BAKED


@dataclass(frozen=True, eq=False)
class Words:
    """Words at a place.

    Attributes:
        register: how they stand in bits.
        stored: the integers of a memory; None where other words pass for each image.
        order: in which order of its axes the memory holds them, the last one fastest; empty where that is their own.
    """

    register: Register
    stored: IntArray | None = None
    order: tuple[int, ...] = ()


FINN_WEIGHTS = (0, 2, 3, 1)
"""Weights in FINN's memories: output channel, kernel row, kernel column, input channel; see `fat_fpga.finn.layout`."""


def weight_words(place: Place) -> Words | None:
    """Of a unit's weight memory."""
    return None if place.unit is None else Words(weight_register(place.unit), place.unit.weights, FINN_WEIGHTS)


def threshold_words(place: Place) -> Words | None:
    """Of a layer's threshold memory; None also where thresholds are baked into logic."""
    layer = place.thresholded
    if layer is None or layer.thresholds is None or layer.threshold_logic == BAKED:
        return None
    return Words(threshold_register(place), stored_thresholds(place))


def no_words(of: Callable[[Place], Words | None] | None, place: Place) -> str:
    """Why a place has no words of a kind, where its hardware is the reason; else empty."""
    layer = place.thresholded
    if of is threshold_words and layer is not None and layer.threshold_logic == BAKED:
        return "its thresholds are baked into logic, not kept in a memory"
    return ""


def accumulator_words(place: Place) -> Words | None:
    """Of a unit's accumulators."""
    return None if place.unit is None else Words(accumulator_register(place))


def activation_words(place: Place) -> Words | None:
    """Of a stream."""
    return None if place.levels is None else Words(activation_register(place.levels))
