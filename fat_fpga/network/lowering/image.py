"""The input, before it becomes the first stream of integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from fat_fpga.network.layers import Input
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.entry import Entry
from fat_fpga.network.lowering.geometry import NONE, Padding
from fat_fpga.network.lowering.graph import Graph, Node, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.layout import Index, Layout
from fat_fpga.network.lowering.selecting import Parts
from fat_fpga.network.lowering.sites import Sites, stream_site
from fat_fpga.network.lowering.stream import Stream, needs_quantiser
from fat_fpga.network.lowering.types import DType
from fat_fpga.network.program import INPUT


@dataclass
class PendingImage:
    """State in front of the first node that needs integers.

    Attributes:
        entry: what enters the file.
        tensor, layout: the latest tensor.
        order: of the shape that one row has in the file; position in the flattened [C, H, W] of each element, -1 for
            those that are left out.
        steps: the element-wise nodes so far, with the position of each element of their moving input, and its type.
        input: how data become integers, once that is known.
    """

    entry: Entry
    graph: Graph
    tensor: str
    layout: Layout
    order: Index
    steps: list[tuple[Node, Index, DType]] = field(default_factory=list)
    input: Input | None = None
    voted: ClassVar[bool] = False
    streams: dict[str, object] = field(default_factory=dict)

    def add_pool(self, node: Node, graph: Graph, layout: Layout, zeros: Padding = NONE) -> Layout:
        """There can be none on real values."""
        raise refuse(node, "expected integers in front of it")

    def add_vote(self, node: Node, grid: Grid | str, layout: Layout) -> Layout:
        """There can be none."""
        raise refuse(node, "expected right behind the activation quantiser of a matrix product")

    def add_step(self, node: Node, layout: Layout, dtype: DType) -> None:
        """Take in an element-wise node."""
        self.steps.append((node, layout.index, dtype))

    def show(self, tensor: str, layout: Layout, grid: Grid) -> None:
        """Note where the integers are now."""
        self.tensor, self.layout = tensor, layout

    def as_image(self, layout: Layout) -> Layout:
        """The layout in front of a node that takes [N, C, H, W], or [N, C, L]: the axes of ``layout`` are these.

        A file of which the input lies otherwise, with the channels last, or flat, has moved its axes before.
        """
        index = layout.index
        if layout.is_image or index.ndim not in (2, 3):
            return layout
        channels, *rest = index.shape
        return self._become(layout, channels, rest, np.arange(index.size).reshape(index.shape))

    def as_steps(self, layout: Layout) -> Layout:
        """The layout in front of a node that takes [N, L, F], the values of each of L steps: these are the channels."""
        index = layout.index
        if layout.channels_last or index.ndim != 2:
            return layout
        return self._become(layout, index.shape[1], [index.shape[0]], np.arange(index.size).reshape(index.T.shape).T)

    def add_select(self, parts: Parts, layout: Layout) -> bool:
        """Take in a node that selects parts of the image, whose layout is then ``layout``: what it leaves out does not
        enter. False where it repeats some, which no order of the data does."""
        if any(len(set(part)) < len(part) for part in parts):
            return False
        before = self.layout.shape
        places = np.full(int(np.prod(before)) + 1, -1, np.intp)  # the last one for what is left out already
        places[np.ravel_multi_index(np.ix_(*parts), before).ravel()] = np.arange(np.prod(layout.shape))
        self.order = places[self.order]
        self.steps = [(node, places[own], dtype) for node, own, dtype in self.steps]
        self.entry, self.layout = self.entry.of_channels(parts[0]), layout
        return True

    def _become(self, layout: Layout, channels: int, rest: Sequence[int], index: Index) -> Layout:
        """Take the elements of ``layout`` as those of [C, H, W], or [C, L], at other positions, ``index``."""
        places = np.empty(index.size, np.intp)
        places[layout.index.ravel()] = index.ravel()
        height, width = rest if len(rest) == 2 else (1, rest[0])
        shape = (channels, height, width)
        self.order = np.where(self.order < 0, -1, places[self.order])
        self.steps = [(node, np.where(own < 0, -1, places[own]), dtype) for node, own, dtype in self.steps]
        self.layout = Layout(shape, places[self.layout.index])
        return Layout(shape, index)

    def chain(self, shape: tuple[int, int, int], each: bool) -> Chain:
        """The nodes, for one value of each channel, or of ``each`` position."""
        channels, pixels = shape[0], shape[1] * shape[2]
        chain = Chain(self.graph, channels * pixels if each else channels)
        for node, index, dtype in self.steps:
            chain.add(node, index if each else index // pixels, dtype)
        return chain

    def finish(self, node: Node, grid: Grid | str, sites: Sites) -> Stream:
        """The stream of integers, in front of ``node``, which reads them on ``grid``."""
        if isinstance(grid, str):
            raise refuse(node, needs_quantiser(grid))
        shape = self.layout.shape
        natural = self.order.shape == shape and np.array_equal(self.order.ravel(), np.arange(self.order.size))
        order = None if natural else self.order.astype(np.int32)
        self.input = self.entry.read(lambda each: self.chain(shape, each), shape, order, grid, node)
        sites.image = replace(sites.image, index=self.order, entry=self.entry)
        sites.streams[INPUT] = stream_site(self.tensor, self.layout, grid, grid.levels)
        return Stream(INPUT, INPUT, self.input, grid.scale)
