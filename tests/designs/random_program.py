"""Random networks with every operator: as ``random_graph``, and sums as streams, tables, fixed point, padded pools,
upsampling, parts of streams, pixel shuffles, zeros between pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from fat_fpga.network import Levels, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.bounds import lattice
from fat_fpga.network.layers import (
    Add,
    AffineScores,
    Requantise,
    Select,
    Shuffle,
    SumPool,
    Table,
    Upsample,
    ZeroInsertion,
)
from tests.designs.random_graph import Maker
from tests.designs.random_network import LEVELS

MOVED = ("shuffle", "zeros")
"""Kinds of layers that put values elsewhere."""


@st.composite
def programs(draw: st.DrawFn) -> Network:
    """Strategy: networks with operators of every kind."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed of weights"))
    return _Program(lambda options: draw(st.sampled_from(options)), rng).network()


def random_program(seed: int) -> Network:
    """A network that depends on nothing but the seed."""
    rng = np.random.default_rng(seed)
    return _Program(lambda options: options[int(rng.integers(len(options)))], rng).network()


class _Program(Maker):
    """Adds an operator of another kind behind each block, and at the end."""

    def network(self) -> Network:
        network = super().network()
        last, kind = network.units[-1], self.choose(["sums", "affine"])
        name, classes = f"{last.name}.scores", last.channels
        if kind == "affine":
            factors, offsets = (self.rng.integers(low, 9, classes).astype(np.int32) for low in (1, -50))
            return replace(network, name="program", layers=(*network.layers, AffineScores(name, factors, offsets)))
        return replace(network, name="program")

    def block(self, end: str) -> str:
        end = super().block(end)
        kind = self.choose(["sums", "table", "requantise", "maximum", "sum", "average", "upsample", "select", *MOVED])
        if kind == "sums":
            return self.sums(end)
        if kind == "table":
            return self.table(end)
        if kind == "requantise":
            return self.requantise(end)
        if kind == "select":
            return self.select(end)
        if kind == "shuffle":
            return self.shuffle(end)
        if kind == "zeros":
            return self.zeros(end)
        if kind == "upsample":
            factors = self.choose([(2, 2), (1, 2), (3, 1)])
            return self.made(Upsample(self.name(end, "upsample"), factors, inputs=(end,)))
        if min(self.streams[end].shape[2:]) < 2:
            return self.table(end)
        padding, stride = self.choose([(1, 0, 1, 1), (0, 1, 0, 0), (1, 1, 1, 1)]), self.choose([(2, 2), (1, 2)])
        if kind == "maximum":
            return self.made(MaxPool(self.name(end, "pool"), (2, 2), stride, inputs=(end,), padding=padding))
        multiple = 4 if kind == "average" else 0
        pool = SumPool(self.name(end, "sum"), (2, 2), stride, inputs=(end,), padding=padding, multiple=multiple)
        return self.made(pool)

    def unit(
        self, end: str, channels: int, size: int, stride: int = 1, last: bool = False,
        kernel: Sequence[int] = (), kind: str = "conv",
    ) -> str:  # fmt: skip
        """Not the last one behind a shuffle, which a file has as another order of its weights."""
        if last and isinstance(self.layers[-1], Shuffle):
            end = self.table(end)
        return super().unit(end, channels, size, stride, last, kernel, kind)

    def shuffle(self, end: str) -> str:
        """A DepthToSpace, a SpaceToDepth, or height and width in each other's place."""
        channels, height, width = self.streams[end].shape[1:]
        name = self.name(end, "shuffle")
        if channels % 4 == 0:
            sizes, order = (2, 2, channels // 4, height, width), (2, 3, 0, 4, 1)
            return self.made(Shuffle(name, sizes, order, (channels // 4, 2 * height, 2 * width), inputs=(end,)))
        if height % 2 == 0 == width % 2:
            sizes, order = (channels, height // 2, 2, width // 2, 2), (2, 4, 0, 1, 3)
            return self.made(Shuffle(name, sizes, order, (4 * channels, height // 2, width // 2), inputs=(end,)))
        if min(height, width) == 1:
            return self.table(end)
        return self.made(Shuffle(name, (channels, height, width), (0, 2, 1), (channels, width, height), inputs=(end,)))

    def zeros(self, end: str) -> str:
        """Zeros between the pixels."""
        strides = [self.choose([2, 3, 1]) if size > 1 else 1 for size in self.streams[end].shape[2:]]
        if strides == [1, 1]:
            return self.table(end)
        return self.made(ZeroInsertion(self.name(end, "zeros"), (strides[0], strides[1]), inputs=(end,)))

    def select(self, end: str) -> str:
        """Some channels, rows and columns, in any order."""
        channels, height, width = self.streams[end].shape[1:]
        wanted = [self.rng.integers(size, size=max(1, size - self.choose([0, 1]))) for size in (height, width)]
        rows, columns = (tuple(np.sort(part).tolist()) for part in wanted)
        count = channels + self.choose([1, 2])
        some = tuple(int(channel) for channel in self.rng.integers(channels, size=count))
        return self.made(Select(self.name(end, "select"), some, rows, columns, inputs=(end,)))

    def sums(self, end: str) -> str:
        """A unit without thresholds, read by two layers, which an addition joins again."""
        shape, levels = self.streams[end].shape[1:], self.levels[end]
        assert levels is not None
        weights = self.rng.integers(-2, 3, (self.choose([2, 3]), shape[0], 1, 1)).astype(np.int32)
        weights[:, 0] = 1
        unit = MatrixVectorUnit(f"conv{self.units}", weights, None, None, inputs=(end,), weight_type="INT3")
        reach = lattice(unit, levels)
        low, high = int(reach.low.min()), int(reach.high.max())
        step = int(np.gcd.reduce(reach.low.astype(np.int64) - low, initial=reach.step))
        self.units += 1
        raw = self.made(replace(unit, levels=Levels(low, step, (high - low) // step + 1)))
        ends = [self.table(raw), self.requantise(raw)]
        add = Add(f"add{self.adds}", (ends[0], ends[1]), self.choose([(1, 1), (3, -2)]))
        self.adds += 1
        return self.made(add)

    def table(self, end: str) -> str:
        """A table of random runs."""
        levels, channels = self.levels[end], self.streams[end].shape[1]
        assert levels is not None
        made, runs = self.choose(LEVELS), self.choose([2, 4, 9])
        starts = np.sort(self.rng.integers(levels.min - 2, levels.max + 3, (channels, runs - 1)), axis=1)
        values = self.rng.choice(np.array(made.values), (channels, runs))
        layer = Table(self.name(end, "table"), starts.astype(np.int32), values.astype(np.int32), made, inputs=(end,))
        return self.made(layer)

    def requantise(self, end: str) -> str:
        """Random factors and offsets."""
        levels, channels = self.levels[end], self.streams[end].shape[1]
        assert levels is not None
        reach = max(abs(levels.min), abs(levels.max), 1)
        shift = self.choose([0, 3, 9])
        factors = self.rng.integers(-4, 5, channels) << max(0, shift - reach.bit_length() + 3)
        factors[0] = 1 << max(0, shift - reach.bit_length() + 3)
        offsets = self.rng.integers(-reach, reach + 1, channels)
        low, high = self.choose([(-8, 7), (0, 100), (-300, 2**31 - 1)])
        first, second = np.asarray(factors, np.int32), np.asarray(offsets, np.int32)
        rounding, name = self.choose(["even", "down"]), self.name(end, "requantise")
        return self.made(Requantise(name, first, second, shift, low, high, rounding, inputs=(end,)))
