"""Random small integer networks with branches: residual blocks, sums over windows, an image that two layers read.

Like ``random_network``: ``random_graph(seed)`` and the strategy ``graphs()`` build from the same recipe.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from fat_fpga.engines.reference import quantise
from fat_fpga.network import InputQuantiser, Layer, Levels, MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.layers import Add, Concat, IntArray, SumPool, Thresholding
from tests.designs.random_network import (
    IMAGES,
    LEVELS,
    WEIGHTS,
    Choose,
    input_quantiser,
    random_images,
    replicated,
    with_thresholds,
)

CHANNELS = (3, 2, 5, 8, 17)


def random_graph(seed: int | np.random.Generator) -> Network:
    """A network that depends on nothing but the seed or the state of the generator."""
    rng = np.random.default_rng(seed)
    return Maker(lambda options: options[int(rng.integers(len(options)))], rng).network()


def random_groups(seed: int) -> Network:
    """A chain of convolutions, most of them grouped, depthwise or dilated, that depends on nothing but the seed."""
    rng = np.random.default_rng(seed)
    return Maker(lambda options: options[int(rng.integers(len(options)))], rng).chain()


@st.composite
def graphs(draw: st.DrawFn) -> Network:
    """Strategy: every structure that ``random_graph`` can give."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed of weights"))
    return Maker(lambda options: draw(st.sampled_from(options)), rng).network()


class Maker:
    """Builds a network layer by layer, with the streams of some images beside it."""

    def __init__(self, choose: Choose, rng: np.random.Generator) -> None:
        self.choose, self.rng = choose, rng
        self.input: InputQuantiser = input_quantiser(choose, rng, flat=False)
        unit = MatrixVectorUnit("fc0", np.ones((2, *self.input.shape), np.int32), None, None)
        probe = Network("probe", self.input, (unit,))
        images = random_images(probe, IMAGES, int(rng.integers(2**31)))
        self.streams: dict[str, IntArray] = {"input": quantise(probe, images)}
        self.levels: dict[str, Levels | None] = {"input": self.input.levels}
        self.layers: list[Layer] = []
        self.units = self.adds = self.concats = 0

    def network(self) -> Network:
        end = "input"
        for number in range(self.choose([1, 2, 3])):
            end = self.block(end if number else self.unit(end, self.choose(CHANNELS), 3))
        if self.choose([True, False]):
            height, width = self.streams[end].shape[2:]
            end = self.made(SumPool(self.name(end, "sum"), (height, width), (height, width), inputs=(end,)))
        shape = self.streams[end].shape[1:]
        self.unit(end, self.choose([3, 2, 10]), 0, last=True, kernel=shape[1:], kind="fc")
        return Network("graph", self.input, self.in_order())

    def chain(self) -> Network:
        end = self.unit("input", 6, 3)
        for _ in range(self.choose([1, 2])):
            end = self.unit(end, self.choose([6, 12, 3]), self.choose([3, 1]), self.choose([1, 2]))
        self.unit(end, self.choose([3, 10]), 0, last=True, kernel=self.streams[end].shape[2:], kind="fc")
        return Network("groups", self.input, self.in_order())

    def block(self, end: str) -> str:
        """A residual block behind a stream; its end."""
        channels, stride = self.streams[end].shape[1], self.choose([1, 2])
        outputs = self.choose([channels, self.choose(CHANNELS)])
        main = self.unit(end, outputs, 3, stride)
        if self.choose([False, True]):
            main = self.unit(main, outputs, self.choose([3, 1]))
        shortcut = end
        if self.streams[main].shape != self.streams[end].shape or self.choose([False, True]):
            shortcut = self.unit(end, outputs, 1, stride)
        pair = [main, shortcut] if self.choose([True, False]) else [shortcut, main]
        factors = self.choose([(1, 1), (2, 1), (1, 4), (3, 2), (1, -1)])
        add = Add(f"add{self.adds}", (pair[0], pair[1]), factors)
        self.adds += 1
        end = self.made(add)
        if self.choose([False, False, True]):
            concat = Concat(f"concat{self.concats}", (end, pair[self.choose([0, 1])]), self.choose([(1, 1), (1, 3)]))
            self.concats += 1
            end = self.made(concat)
        root = end
        if self.choose([True, False]):
            levels = self.choose(LEVELS)
            thresholds = self.thresholds(end, levels)
            end = self.made(Thresholding(f"{root}.thresholding", thresholds, levels, inputs=(end,)))
        height, width = self.streams[end].shape[2:]
        if min(height, width) >= 2 and self.choose([False, True]):
            kind: Any = self.choose([MaxPool, SumPool])
            name = self.name(end, "pool" if kind is MaxPool else "sum")
            end = self.made(kind(name, (2, 2), self.choose([(2, 2), (1, 1)]), inputs=(end,)))
        return end

    def unit(
        self, end: str, channels: int, size: int, stride: int = 1, last: bool = False,
        kernel: Sequence[int] = (), kind: str = "conv",
    ) -> str:  # fmt: skip
        """A unit behind a stream, with thresholds but for the last, and perhaps a vote; its end."""
        shape, levels = self.streams[end].shape[1:], self.levels[end]
        weight_type = self.choose(list(WEIGHTS))
        common = [count for count in range(1, shape[0] + 1) if shape[0] % count == 0 == channels % count]
        groups = 1 if last else self.choose([1, 1, common[-1], self.choose(common)])
        dilation = self.choose([1, 1, 1, 2]) if size == 3 else 1
        weights = self.rng.choice(WEIGHTS[weight_type], (channels, shape[0] // groups, *(kernel or (size, size))))
        around = size // 2 * dilation
        assert levels is not None
        unit = MatrixVectorUnit(
            f"{kind}{self.units}", weights.astype(np.int32), None, None, (stride, stride),
            (around, around, around, around), weight_type, inputs=(end,), groups=groups,
            dilation=(dilation, dilation),
        )  # fmt: skip
        self.units += 1
        if last:
            return self.made(unit)
        unit = with_thresholds(unit, self.choose(LEVELS), unit.accumulate(self.streams[end]), self.rng)
        if unit.plain and self.choose([False, False, False, True]):
            copied, vote = replicated(self.choose, self.rng, unit)
            self.made(copied)
            return self.made(MajorityVote(vote.name, vote.sources, inputs=(unit.name,)))
        return self.made(unit)

    def thresholds(self, end: str, levels: Levels) -> IntArray:
        """Thresholds at random quantiles of a stream."""
        stream = self.streams[end]
        unit = MatrixVectorUnit("any0", np.ones((stream.shape[1], 1, 1, 1), np.int32), None, None)
        found = with_thresholds(unit, levels, stream, self.rng).thresholds
        assert found is not None
        return found

    def made(self, layer: Layer) -> str:
        """Add a layer; its name."""
        self.layers.append(layer)
        self.streams[layer.name] = layer.output(*(self.streams[name] for name in layer.inputs))
        before = (self.levels[name] for name in layer.inputs)
        self.levels[layer.name] = layer.output_levels(*(levels for levels in before if levels is not None))
        return layer.name

    def in_order(self) -> tuple[Layer, ...]:
        """All layers; those that read the layer right before them do not say so."""
        found, before = [], "input"
        for layer in self.layers:
            found.append(replace(layer, inputs=()) if layer.inputs == (before,) else layer)  # type: ignore[type-var]
            before = layer.name
        return tuple(found)

    def name(self, end: str, word: str) -> str:
        """What a layer behind a stream is called."""
        first = f"{end.split('.')[0]}.{word}"
        more = (f"{first}{number}" for number in itertools.count(2))
        return first if first not in self.streams else next(name for name in more if name not in self.streams)
