"""Random small integer networks, for property tests.

``random_network(seed)`` and the hypothesis strategy ``networks()`` build from the same recipe: the structure is a
series of choices among a few options, the simplest option first, so that hypothesis shrinks towards small and plain
networks; weights and thresholds come from a seeded generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from fat_fpga.crosscheck import random_images
from fat_fpga.engines.reference import output, quantise
from fat_fpga.network import InputQuantiser, Layer, Levels, MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.layers import IntArray, Shape

__all__ = ["networks", "random_images", "random_network"]

FloatArray = npt.NDArray[np.float64]
Choose = Callable[[Sequence[Any]], Any]
"""Picks one of the options."""

LEVELS = (
    Levels(-1, 2, 2),  # bipolar
    Levels(-1, 1, 3),  # symmetric two bits
    Levels(0, 1, 2),
    Levels(0, 1, 4),
    Levels(-2, 1, 4),
    Levels(-3, 1, 7),
    Levels(-8, 1, 16),
    Levels(0, 1, 16),
    Levels(-3, 2, 4),
)
WEIGHTS = {
    "BIPOLAR": (-1, 1),
    "TERNARY": (-1, 0, 1),
    "INT2": (-2, -1, 0, 1),
    "INT3": tuple(range(-4, 4)),
    "INT4": tuple(range(-8, 8)),
}
IMAGES = 24  # how many images decide where thresholds are balanced


def random_network(seed: int | np.random.Generator) -> Network:
    """A network that depends on nothing but the seed or the state of the generator."""
    rng = np.random.default_rng(seed)
    return _build(lambda options: options[int(rng.integers(len(options)))], rng)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Strategy: networks of one to six units, every structure that ``random_network`` can give."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed of weights"))
    return _build(lambda options: draw(st.sampled_from(options)), rng)


def _build(choose: Choose, rng: np.random.Generator) -> Network:
    convolutions, hidden = choose([(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (0, 3), (3, 2)])
    quantiser = input_quantiser(choose, rng, flat=not convolutions)
    probe = Network("probe", quantiser, (_unit("fc0", rng, quantiser.shape, 1, quantiser.shape[1:], "BIPOLAR"),))
    activations = quantise(probe, random_images(probe, IMAGES, int(rng.integers(2**31))))
    layers: list[Layer] = []
    zero = True  # whether 0 is a value that the activations can take, so that padding is meaningful
    for index in range(convolutions + hidden + 1):
        shape: Shape = activations.shape[1:]
        last = index == convolutions + hidden
        if index < convolutions:
            unit = _convolution(choose, rng, f"conv{index}", shape, zero)
        else:
            channels = choose([3, 2, 10]) if last else _channels(choose)
            unit = _unit(f"fc{index}", rng, shape, channels, shape[1:], choose(list(WEIGHTS)))
        accumulators = unit.accumulate(activations)
        if last:
            layers.append(unit)
            break
        unit = with_thresholds(unit, choose(LEVELS), accumulators, rng)
        assert unit.levels is not None
        zero = 0 in unit.levels.values
        activations = unit.activate(accumulators)
        if choose([False, False, True]):
            unit, voter = replicated(choose, rng, unit)
            layers += [unit, voter]
        else:
            layers.append(unit)
        if index < convolutions and min(activations.shape[2:]) >= 2 and choose([False, True]):
            size = choose([k for k in (2, 3) if k <= min(activations.shape[2:])])
            window = MaxPool(f"{unit.name}.pool", (size, size), choose([(2, 2), (1, 1), (3, 2)]))
            layers.append(window)
            activations = output(window, activations, ())
    return Network("random", quantiser, tuple(layers))


def _channels(choose: Choose) -> int:
    return int(choose([2, 5, 8, 24, 64, 65, 70, 130, 150, 1]))


def input_quantiser(choose: Choose, rng: np.random.Generator, flat: bool) -> InputQuantiser:
    channels = choose([1, 2, 3])
    side = choose([1, 4, 7]) if flat else choose([5, 7, 9])
    shape = (channels, side, choose([side, side + 2]))
    pixels = np.arange(256)
    table = {
        "raw": pixels,
        "signed": pixels - 128,
        "rounded": np.clip(np.rint((2 * pixels / 255 - 1) * 128), -128, 127),
        "bipolar": np.where(pixels >= 128, 1, -1),
        "two bits": pixels // 64,
    }[choose(["raw", "signed", "rounded", "bipolar", "two bits"])]
    tables = np.stack([table] * channels).astype(np.int32)
    if choose([False, True]):
        tables[0] = tables[0][np.clip(pixels + rng.integers(-20, 20), 0, 255)]  # channels of their own
    return InputQuantiser(shape, tables)


def _unit(
    name: str, rng: np.random.Generator, shape: Shape, channels: int, kernel: tuple[int, int], weight_type: str
) -> MatrixVectorUnit:
    weights = rng.choice(WEIGHTS[weight_type], (channels, shape[0], *kernel)).astype(np.int32)
    return MatrixVectorUnit(name, weights, None, None, weight_type=weight_type)


def _convolution(choose: Choose, rng: np.random.Generator, name: str, shape: Shape, zero: bool) -> MatrixVectorUnit:
    kernel = tuple(choose([k for k in (3, 1, 2, 5, 4) if k <= size]) for size in shape[1:])
    unit = _unit(name, rng, shape, _channels(choose), kernel, choose(list(WEIGHTS)))
    padding = (0, 0, 0, 0)
    if zero:
        padding = choose([padding, (1, 1, 1, 1), (0, 1, 2, 0)])
    stride = choose([(1, 1), (2, 2), (1, 2)])
    return MatrixVectorUnit(name, unit.weights, None, None, stride, padding, unit.weight_type)


def replicated(
    choose: Choose, rng: np.random.Generator, unit: MatrixVectorUnit
) -> tuple[MatrixVectorUnit, MajorityVote]:
    """Some or all channels three times, all rows in any order, and the vote that undoes it."""
    voted = rng.random(unit.channels) < choose([0.3, 1.0])
    rows = rng.permutation(np.repeat(np.arange(unit.channels), np.where(voted, 3, 1)))
    at = [np.flatnonzero(rows == channel) for channel in range(unit.channels)]
    sources = np.stack([np.resize(copies, 3) for copies in at]).astype(np.int32)
    assert unit.thresholds is not None
    copied = replace(unit, weights=unit.weights[rows], thresholds=unit.thresholds[rows])
    return copied, MajorityVote(f"{unit.name}.vote", sources)


def quantiles_of(rows: IntArray, shares: FloatArray) -> FloatArray:
    """What ``np.quantile`` gives for each row and its own shares, to the last bit, for all rows at once."""
    ordered = np.sort(rows, axis=1).astype(np.float64)
    position = shares * (rows.shape[1] - 1)
    at = np.floor(position).astype(np.int64)
    part = position - at
    low = np.take_along_axis(ordered, at, axis=1)
    high = np.take_along_axis(ordered, np.minimum(at + 1, rows.shape[1] - 1), axis=1)
    found: FloatArray = np.where(part < 0.5, low + (high - low) * part, high - (high - low) * (1 - part))
    return found


def with_thresholds(
    unit: MatrixVectorUnit, levels: Levels, accumulators: IntArray, rng: np.random.Generator
) -> MatrixVectorUnit:
    """Thresholds at random quantiles of the accumulators; one channel in twelve is (nearly) constant."""
    count = levels.count - 1
    by_channel = accumulators.swapaxes(0, 1).reshape(unit.channels, -1)
    quantiles = np.sort(rng.uniform(0.1, 0.9, (unit.channels, count)), axis=1)
    thresholds = quantiles_of(by_channel, quantiles)
    thresholds = np.ceil(thresholds + rng.uniform(-0.5, 0.5, thresholds.shape))
    constant = rng.random(unit.channels) < 1 / 12
    thresholds[constant] = rng.choice([-1, 1], (int(constant.sum()), count)) * (np.abs(by_channel).max() + 100)
    return replace(unit, thresholds=np.sort(thresholds, axis=1).astype(np.int32), levels=levels)
