"""A matrix product whose thresholds are still to be found, and what the file has behind it so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.layers import Layer, MajorityVote, MatrixVectorUnit, MaxPool, Scores
from fat_fpga.network.lowering.builder import Builder
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.constants import exactly
from fat_fpga.network.lowering.geometry import NONE, Padding
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.matrix import Product
from fat_fpga.network.lowering.pooling import PendingPool, check_pools, read_pool
from fat_fpga.network.lowering.sites import Sites, stream_site, unit_site
from fat_fpga.network.lowering.stream import Stream
from fat_fpga.network.lowering.tail import scoring_layers
from fat_fpga.network.lowering.thresholds import activated_unit, widened
from fat_fpga.network.lowering.vote import read_vote


@dataclass
class PendingUnit:
    """State between a matrix product and the next one.

    Attributes:
        unit: without thresholds yet.
        source: the stream that it reads.
        order: number of its node.
        before, after: layouts of the tensors in front of the product and behind it.
        chain: the element-wise nodes behind it.
        behind: votes and pools.
        pools: those among them, with their places in the chain.
        ranks: of its sums, where the file has a table of them.
        vote_grid: grid in front of the vote, if there is one.
        streams: tensor, layout and grid of what the file shows of the streams behind it, by place.
    """

    unit: MatrixVectorUnit
    product: Product
    source: Stream
    order: int
    before: Layout
    after: Layout
    chain: Chain
    builder: Builder
    behind: list[MajorityVote | MaxPool] = field(default_factory=list)
    pools: list[PendingPool] = field(default_factory=list)
    streams: dict[str, tuple[str, Layout, Grid]] = field(default_factory=dict)
    vote_grid: Grid | None = None
    ranks: Layer | None = None

    @classmethod
    def of(
        cls, product: Product, source: Stream, order: int, before: Layout, graph: Graph, builder: Builder
    ) -> PendingUnit:
        """The unit of a product, node number ``order``, behind activations of layout ``before``."""
        node = product.node
        unit = MatrixVectorUnit(
            builder.name(product.kind, "unit"), product.weights, None, None, product.stride, product.padding,
            widened(product.datatype or "", product.weights), node.name, groups=product.groups,
            dilation=product.dilation,
        )  # fmt: skip
        shape = unit.output_shape(before.shape)
        if node.op_type == "Conv":
            after = before.like(shape)
        elif product.kind == "conv":
            after = before.pointwise(unit.channels)
        else:
            after = Layout(shape, np.arange(unit.channels).reshape(*before.index.shape[:-1], -1))
        return cls(unit, product, source, order, before, after, Chain(graph, unit.channels), builder)

    def add_pool(self, node: Node, graph: Graph, layout: Layout, zeros: Padding = NONE) -> Layout:
        """Take in a max-pool; the layout behind it."""
        pool, behind = read_pool(node, graph, layout, self.builder.name("pool", root=self.unit.name), zeros)
        self.behind.append(pool)
        self.pools.append(PendingPool(node, len(self.chain.steps)))
        return behind

    def add_ranks(self, node: Node, graph: Graph) -> None:
        """Take in a table of ranks."""
        ranks = exactly(graph.constant(node, 1))
        if ranks is None or ranks.shape[0] != self.unit.channels or self.chain.steps or self.behind:
            raise refuse(node, f"expected right behind a matrix product, ranks of its {self.unit.channels} sums")
        name = self.builder.name("scores", root=self.unit.name)
        self.ranks = Scores(name, ranks, int(attributes(node)["low"]), node.name)

    def add_vote(self, node: Node, grid: Grid | str, layout: Layout) -> Layout:
        """Take in a majority vote; the layout behind it."""
        if isinstance(grid, str) or grid.levels is None or self.behind:
            raise refuse(node, "expected right behind the activation quantiser of a matrix product")
        if grid.scale != 1:
            raise refuse(node, f"it votes on the bits of integers, and these are multiples of {grid.scale:g}")
        self.vote_grid = grid
        vote = read_vote(node, self.unit.name, layout.shape[0])
        vote = replace(vote, name=self.builder.name("vote", root=self.unit.name))
        self.behind.append(vote)
        height, width = layout.shape[1:]
        if layout.is_image:
            return layout.like((vote.channels, height, width))
        if layout.is_flat and (height, width) == (1, 1):
            return Layout.flat((vote.channels, 1, 1))
        raise refuse(node, "expected activations [N, C, H, W] or [N, C]")

    @property
    def voted(self) -> bool:
        """Whether there is a vote behind it."""
        return self.vote_grid is not None

    def show(self, tensor: str, layout: Layout, grid: Grid) -> None:
        """Note where the stream behind the unit, or behind the last of its pools and votes, is now."""
        self.streams[self.behind[-1].name if self.behind else self.unit.name] = tensor, layout, grid

    def finish(self, node: Node, grid: Grid, sites: Sites) -> Stream:
        """Finish the unit and what is behind it, in front of ``node``, which reads activations on ``grid``."""
        check_pools(self.pools, self.chain)
        unit = activated_unit(
            self.unit, self.product, self.source.source, self.source.scale, self.chain, self.vote_grid or grid
        )
        layers = [self._noted(unit, sites), *self.behind]
        self.builder.add(self.order, layers, (self.source.name,))
        assert unit.levels is not None
        return Stream(layers[-1].name, unit.name, unit.levels, grid.scale)

    def check_last(self, layout: Layout) -> None:
        """ModelError unless it can be the last unit, with scores that lie as ``layout`` says."""
        if self.pools:
            raise refuse(
                self.pools[0].node,
                "behind the last matrix product no max-pool is supported yet: "
                "end the model with a fully connected layer",
            )
        if self.behind:
            raise ModelError(
                f"node '{self.behind[0].node}' behind the last matrix product is not supported: "
                "end the model with a fully connected layer"
            )
        if not np.array_equal(layout.channels.ravel(), np.arange(layout.shape[0])):
            raise ModelError(
                f"expected one score per class, got an output of {list(layout.shape)} for each image: "
                "end the model with a fully connected layer"
            )
        if self.unit.channels == 1:
            raise refuse(
                self.product.node,
                "it yields one score; the class is that of the largest of two or more: "
                "train it with a score for each of the two classes",
            )

    def scoring(self, sites: Sites) -> None:
        """Finish the unit as the last one."""
        if self.ranks is not None and self.chain.steps:
            raise refuse(self.chain.nodes[0], "nothing but the choice of the class may follow ranks of sums")
        unit, *ranks = scoring_layers(
            self.unit, self.product, self.source.source, self.source.scale, self.chain,
            self.builder.name("scores", root=self.unit.name),
        )  # fmt: skip
        assert unit.unit is not None
        ranks = ranks if self.ranks is None else [self.ranks]
        self.builder.add(self.order, [self._noted(unit.unit, sites), *ranks], (self.source.name,))

    def _noted(self, unit: MatrixVectorUnit, sites: Sites) -> MatrixVectorUnit:
        values = self.chain.graph.constants[self.product.node.input[1]].values
        sites.units[unit.name] = unit_site(
            unit, self.product, self.source.scale, self.chain, values, self.before, self.after
        )
        for place, (tensor, layout, grid) in self.streams.items():
            sites.streams[place] = stream_site(tensor, layout, grid, unit.levels)
        return unit
