"""Streams that are finished, as several nodes read them or an addition makes them, and what follows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.bounds import Lattice
from fat_fpga.network.datatypes import span_of
from fat_fpga.network.layers import Input, Layer, Requantise, Table, Thresholding
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering import selecting
from fat_fpga.network.lowering.activation import activation
from fat_fpga.network.lowering.affine import affine_of
from fat_fpga.network.lowering.builder import Builder
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.constants import whole
from fat_fpga.network.lowering.graph import Graph, Node, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.operators import QUANTISERS
from fat_fpga.network.lowering.pending import Pending
from fat_fpga.network.lowering.pooling import PendingPool, check_pools
from fat_fpga.network.lowering.real import Real, Scaled
from fat_fpga.network.lowering.sites import Sites, stream_site, threshold_site
from fat_fpga.network.lowering.thresholds import memory_type

MOST_COMPARED = 2**16
"""Integers on which a chain is executed to find out whether it changes any."""
OWN = ""
"""In `PendingStream.streams`, the place of the layer that its chain becomes, whose name is not known yet."""


@dataclass(frozen=True)
class Stream:
    """A finished stream.

    Attributes:
        name: of the layer that makes it, or ``input``.
        root: the part of that name in front of the point, which layers behind it are named after.
        source: what decides its integers.
        scale: the real value of one step of them; None where it is not the same for all channels.
        real: the real values of its integers, where they are not simply multiples of ``scale``.
        span: the smallest and the largest integer under any fault, where they are beyond the words of its levels.
        why: there is no common scale.
    """

    name: str
    root: str
    source: Input | Levels
    scale: float | None
    real: Real | None = None
    span: tuple[int, int] | None = None
    why: str = ""

    @property
    def levels(self) -> Levels:
        return self.source if isinstance(self.source, Levels) else self.source.levels

    @property
    def grid(self) -> Grid | str:
        """The integers behind its float values, or why there are none."""
        return self.why if self.scale is None else Grid(self.scale, self.levels)

    @property
    def step(self) -> float:
        """The real value of one step, of a stream that has one."""
        assert self.scale is not None
        return self.scale

    @property
    def values(self) -> Real:
        """The real values of its integers."""
        return self.real or Scaled(self.step)

    @property
    def words(self) -> tuple[int, int]:
        """The smallest and the largest integer that it can have, also under a fault."""
        found = self.span or span_of(self.levels.stored_as)
        assert found is not None
        return found


Origin = Callable[[Node, Sites], Stream]
"""Finishes a stream that several chains begin with, once one of them needs it."""


@dataclass(frozen=True)
class Known:
    """The origin of a stream that is finished already."""

    stream: Stream

    def __call__(self, node: Node, sites: Sites) -> Stream:
        return self.stream

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and other.stream is self.stream

    def __hash__(self) -> int:
        return hash(self.stream.name)


@dataclass
class PendingStream(Pending):
    """State between a stream and the next node that needs integers: pools, and what may become a layer.

    Attributes:
        origin: finishes the stream; the same for all that begin with it.
        root: what layers behind it are named after.
        tensor, layout: where the file has the stream.
        order: number of the first node behind it.
    """

    origin: Origin
    root: str
    tensor: str
    layout: Layout
    order: int
    chain: Chain
    builder: Builder
    behind: list[selecting.Behind] = field(default_factory=list)
    pools: list[PendingPool] = field(default_factory=list)
    streams: dict[str, tuple[str, Layout, Grid]] = field(default_factory=dict)
    voted: ClassVar[bool] = False

    @classmethod
    def of(
        cls, stream: Stream, tensor: str, layout: Layout, order: int, graph: Graph, builder: Builder
    ) -> PendingStream:
        """What follows a stream that is finished."""
        chain = Chain(graph, layout.shape[0])
        return cls(Known(stream), stream.root, tensor, layout, order, chain, builder)

    def fork(self, order: int) -> PendingStream:
        """The same for another branch, whose first node is number ``order``."""
        names = {layer.name: self.named(layer.type) for layer in self.behind}
        behind = [replace(layer, name=names[layer.name]) for layer in self.behind]
        streams = {names.get(place, place): shown for place, shown in self.streams.items()}
        return replace(
            self, order=order, chain=self.chain.copy(), behind=behind, pools=list(self.pools), streams=streams
        )

    @property
    def origin_name(self) -> str:
        return self.root

    def add_vote(self, node: Node, grid: Grid | str, layout: Layout) -> Layout:
        """A vote is on what a unit computes."""
        raise refuse(
            node, "expected right behind the activation quantiser of a matrix product, which nothing else reads"
        )

    def show(self, tensor: str, layout: Layout, grid: Grid) -> None:
        """Note where the stream behind the chain, or behind the last pool, is now."""
        if self.behind:
            self.streams[self.behind[-1].name] = tensor, layout, grid
        elif self.chain.steps:
            self.streams[OWN] = tensor, layout, grid

    def finish(self, node: Node, grid: Grid | str, sites: Sites) -> Stream:
        """Finish what lies in front of ``node``, which reads activations on ``grid``.

        Without a grid the chain must be one that scales, shifts and limits integers.
        """
        check_pools(self.pools, self.chain)
        stream, layers = self.origin(node, sites), list[Layer](self.behind)
        made = self._layer(node, stream, grid, sites)
        levels, span = stream.levels, stream.span
        if isinstance(made, str):
            raise refuse(node, made)
        layer, scale = made
        if layer is not None:
            layers.insert(0, layer)
            found = layer.output_levels(levels)
            assert found is not None
            levels, span = found, None
        for place, (tensor, layout, shown) in self.streams.items():
            name = layer.name if layer is not None and place == OWN else place
            if name in [layer.name for layer in layers]:
                known = grid.levels if isinstance(grid, Grid) and isinstance(layer, Requantise) else levels
                sites.streams[name] = stream_site(tensor, layout, shown, known)
        self.builder.add(self.order, layers, (stream.name,))
        source = levels if layers else stream.source
        return Stream(layers[-1].name if layers else stream.name, self.root, source, scale, span=span)

    def _layer(self, node: Node, stream: Stream, grid: Grid | str, sites: Sites) -> tuple[Layer | None, float] | str:
        """The layer that the chain becomes, if it changes any integer, and the scale behind it; or what is wrong."""
        if isinstance(grid, str):
            affine = affine_of(self.chain, stream.values)
            if isinstance(affine, str) and stream.scale is None and stream.span is None:
                raise ModelError(stream.why)
            if isinstance(affine, str):
                return needs_quantiser(f"{affine}; {grid}" if grid else affine)
            if affine.plain and stream.scale is not None:
                return None, affine.scale
            name = self.named("requantise")
            return affine.layer(name, self.chain.nodes[-1].name if self.chain.nodes else node.name), affine.scale
        if not self._changes(stream, grid):
            return None, grid.scale
        last, chain, levels = self.chain.nodes[-1], self.chain, stream.levels
        if last.op_type not in QUANTISERS:
            affine = affine_of(chain, stream.values)
            if not isinstance(affine, str) and not affine.limited:
                name = self.named("requantise")
                return affine.layer(name, last.name), affine.scale
        ends = np.repeat([[levels.min], [levels.max]], chain.count, axis=1).astype(np.int32)
        reach = Lattice(ends[0], ends[1], levels.step)
        layer = activation("", chain, stream.values, grid, reach, stream.words)
        layer = replace(layer, name=self.named(layer.type))
        if isinstance(layer, Thresholding):
            layer = self._stored(layer, stream, reach, sites)
        elif isinstance(layer, Table):
            layer = replace(layer, node=last.name)
        return layer, grid.scale

    def _stored(self, layer: Thresholding, stream: Stream, reach: Lattice, sites: Sites) -> Thresholding:
        """Thresholds with the datatype of their memory, and where the file has them."""
        last, chain = self.chain.nodes[-1], self.chain
        rows = 0 if last.op_type != "MultiThreshold" else len(chain.graph.constants[last.input[1]].values)
        stored = len(chain.nodes) == 1 and stream.scale == 1 and rows in (1, chain.count)
        holder = last if stored else None
        if stream.scale is not None:
            sites.units[layer.name] = threshold_site(
                self.tensor, self.layout, stream.scale,
                None if holder is None else (holder.output[0], chain.graph.constants[holder.input[1]].values),
            )  # fmt: skip
        return replace(layer, threshold_type=memory_type(holder, chain.graph, layer.thresholds, reach))

    def _changes(self, stream: Stream, grid: Grid) -> bool:
        """Whether the chain makes other integers of any that the stream can have, also under a fault.

        What only scales the real values is no layer.
        """
        if not self.chain.steps:
            return False
        if stream.scale is None:
            return True
        levels, span = stream.levels, stream.words
        if levels.bipolar:
            values = np.array(levels.values)
        else:
            count = min(span[1] - span[0] + 1, MOST_COMPARED)
            values = np.unique(np.linspace(span[0], span[1], count).astype(np.int64))
        every = np.repeat(values[:, None], self.chain.count, axis=1)
        found = whole(self.chain(stream.values(every)), grid.scale)
        return found is None or not np.array_equal(found, every)


def needs_quantiser(why: str) -> str:
    """What is wrong with floats in front of a node that takes integers."""
    return (
        "float activations reach it: it needs a quantiser in front, of one scale and at most 16 bits "
        f"(in Brevitas QuantIdentity or QuantReLU); {why}"
    )
