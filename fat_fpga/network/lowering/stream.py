"""Streams that are finished, as several nodes read them or an addition makes them, and what follows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from fat_fpga.network.bounds import Lattice
from fat_fpga.network.datatypes import span_of
from fat_fpga.network.layers import InputQuantiser, Layer, Thresholding
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.builder import Builder
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.constants import whole
from fat_fpga.network.lowering.geometry import NONE, Padding
from fat_fpga.network.lowering.graph import Graph, Node, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.pooling import PendingPool, check_pools, culprit, read_pool
from fat_fpga.network.lowering.sites import Sites, stream_site, threshold_site
from fat_fpga.network.lowering.thresholds import found_thresholds, memory_type
from fat_fpga.network.program import INPUT

MOST_COMPARED = 2**16
"""Integers on which a chain is executed to find out whether it changes any."""

FRONT = (
    "a max-pool in front of the first matrix product is not supported yet: "
    "give images of the smaller size, and export the model without it"
)


@dataclass(frozen=True)
class Stream:
    """A finished stream.

    Attributes:
        name: of the layer that makes it, or ``input``.
        root: the part of that name in front of the point, which layers behind it are named after.
        source: what decides its integers.
        scale: the real value of one step of them.
    """

    name: str
    root: str
    source: InputQuantiser | Levels
    scale: float

    @property
    def grid(self) -> Grid:
        """The integers behind its float values."""
        return Grid(self.scale, self.source if isinstance(self.source, Levels) else self.source.levels)


@dataclass
class PendingStream:
    """State between a finished stream and the next node that needs integers: pools, and what may become thresholds.

    Attributes:
        tensor, layout: where the file has the stream.
        order: number of the first node behind it.
        chain: the element-wise nodes behind it.
        behind: pools.
        pools: the same, with their places in the chain.
        streams: tensor, layout and grid of what the file shows of the streams behind it, by place.
    """

    stream: Stream
    tensor: str
    layout: Layout
    order: int
    chain: Chain
    builder: Builder
    behind: list[Layer] = field(default_factory=list)
    pools: list[PendingPool] = field(default_factory=list)
    streams: dict[str, tuple[str, Layout, Grid]] = field(default_factory=dict)
    voted: ClassVar[bool] = False
    _name: str = ""

    @classmethod
    def of(
        cls, stream: Stream, tensor: str, layout: Layout, order: int, graph: Graph, builder: Builder
    ) -> PendingStream:
        return cls(stream, tensor, layout, order, Chain(graph, layout.shape[0]), builder)

    def add_pool(self, node: Node, graph: Graph, layout: Layout, zeros: Padding = NONE) -> Layout:
        """Take in a max-pool; the layout behind it."""
        if self.stream.name == INPUT:
            raise refuse(node, FRONT)
        pool, behind = read_pool(node, graph, layout, self.builder.name("pool", root=self.stream.root), zeros)
        self.behind.append(pool)
        self.pools.append(PendingPool(node, len(self.chain.steps)))
        return behind

    def add_vote(self, node: Node, grid: Grid | str, layout: Layout) -> Layout:
        """A vote is on what a unit computes."""
        raise refuse(
            node, "expected right behind the activation quantiser of a matrix product, which nothing else reads"
        )

    def show(self, tensor: str, layout: Layout, grid: Grid) -> None:
        """Note where the stream behind the thresholds, or behind the last pool, is now."""
        if self.behind:
            self.streams[self.behind[-1].name] = tensor, layout, grid
        elif self.chain.steps:
            self.streams[self._thresholding] = tensor, layout, grid

    def finish(self, node: Node, grid: Grid, sites: Sites) -> Stream:
        """Finish what lies in front of ``node``, which reads activations on ``grid``."""
        check_pools(self.pools, self.chain)
        source, layers = self.stream.source, list(self.behind)
        if self._changes(grid):
            layers.insert(0, thresholding := self._thresholds(grid, sites))
            source = thresholding.levels
        levels = source if isinstance(source, Levels) else source.levels
        for place, (tensor, layout, shown) in self.streams.items():
            if place in [layer.name for layer in layers]:
                sites.streams[place] = stream_site(tensor, layout, shown, levels)
        self.builder.add(self.order, layers, (self.stream.name,))
        return Stream(layers[-1].name if layers else self.stream.name, self.stream.root, source, grid.scale)

    @property
    def _thresholding(self) -> str:
        """What its thresholds are called, if it comes to have some."""
        self._name = self._name or self.builder.name("thresholding", root=self.stream.root)
        return self._name

    def _real(self, integers: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Float values of integers."""
        real: npt.NDArray[np.float32] = integers.astype(np.float32) * np.float32(self.stream.scale)
        return real

    def _changes(self, grid: Grid) -> bool:
        """Whether the chain makes other integers of any that the stream can have, also under a fault.

        What only scales the real values is no layer.
        """
        if not self.chain.steps:
            return False
        levels = self.stream.grid.levels
        assert levels is not None
        span = span_of(levels.stored_as)
        assert span is not None
        values = np.array(levels.values) if levels.bipolar else np.arange(span[0], span[1] + 1)
        if len(values) > MOST_COMPARED:
            values = np.unique(np.linspace(span[0], span[1], MOST_COMPARED).astype(np.int64))
        every = np.repeat(values[:, None], self.chain.count, axis=1)
        found = whole(self.chain(self._real(every)), grid.scale)
        return found is None or not np.array_equal(found, every)

    def _thresholds(self, grid: Grid, sites: Sites) -> Thresholding:
        last, chain, levels = self.chain.nodes[-1], self.chain, grid.levels
        assert levels is not None
        if self.stream.name == INPUT:
            raise refuse(last, "behind an image that several nodes read, another quantiser is not supported yet")
        falls = np.flatnonzero(chain.direction() < 0)
        if len(falls):
            raise refuse(
                culprit(chain, 0, int(falls[0])),
                f"it decreases for channel {falls[0]}: thresholds on a stream cannot; take a factor above 0",
            )
        before = self.stream.grid.levels
        assert before is not None
        ends = np.repeat([[before.min], [before.max]], chain.count, axis=1).astype(np.int32)
        reach = Lattice(ends[0], ends[1], before.step)
        thresholds = found_thresholds(chain, self._real, grid, reach)
        rows = 0 if last.op_type != "MultiThreshold" else len(chain.graph.constants[last.input[1]].values)
        stored = len(chain.nodes) == 1 and self.stream.scale == 1 and rows in (1, chain.count)
        holder = last if stored else None
        name = self._thresholding
        sites.units[name] = threshold_site(
            self.tensor, self.layout, self.stream.scale,
            None if holder is None else (holder.output[0], chain.graph.constants[holder.input[1]].values),
        )  # fmt: skip
        return Thresholding(name, thresholds, levels, last.name, memory_type(holder, chain.graph, thresholds, reach))
