"""A matrix product whose thresholds are still to be found, and what the file has behind it so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fat_fpga.network.layers import InputQuantiser, Layer, MajorityVote, MatrixVectorUnit, MaxPool
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.graph import Graph, Node, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.matrix import Product
from fat_fpga.network.lowering.pooling import PendingPool, check_pools, read_pool
from fat_fpga.network.lowering.sites import Sites, stream_site, unit_site
from fat_fpga.network.lowering.tail import scoring_unit
from fat_fpga.network.lowering.thresholds import activated_unit, widened
from fat_fpga.network.lowering.vote import read_vote


@dataclass
class Pending:
    """State between a matrix product and the next one.

    Attributes:
        unit: without thresholds yet.
        source, source_scale: integers in front of it, and the real value of one step of them.
        before, after: layouts of the tensors in front of the product and behind it.
        chain: the element-wise nodes behind it.
        behind: votes and pools.
        pools: those among them, with their places in the chain.
        streams: tensor, layout and grid of what the file shows of the streams behind it, by place.
    """

    unit: MatrixVectorUnit
    product: Product
    source: InputQuantiser | Levels
    source_scale: float
    before: Layout
    after: Layout
    chain: Chain
    behind: list[MajorityVote | MaxPool] = field(default_factory=list)
    pools: list[PendingPool] = field(default_factory=list)
    streams: dict[str, tuple[str, Layout, Grid]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, product: Product, number: int, source: tuple[InputQuantiser | Levels, float], before: Layout, graph: Graph
    ) -> Pending:
        """The unit of a product, number ``number`` of the network, behind activations of layout ``before``."""
        node = product.node
        unit = MatrixVectorUnit(
            f"{product.kind}{number}", product.weights, None, None, product.stride, product.padding,
            widened(product.datatype or "", product.weights), node.name,
        )  # fmt: skip
        shape = unit.output_shape(before.shape)
        after = Layout.image(shape)
        if node.op_type != "Conv":
            after = Layout(shape, np.arange(unit.channels).reshape(*before.index.shape[:-1], -1))
        return cls(unit, product, *source, before, after, Chain(graph, unit.channels))

    def add_pool(self, node: Node, graph: Graph, layout: Layout) -> Layout:
        """Take in a max-pool; the layout behind it."""
        suffix = ".pool" + (str(len(self.pools) + 1) if self.pools else "")
        pool, behind = read_pool(node, graph, layout, self.unit.name + suffix)
        self.behind.append(pool)
        self.pools.append(PendingPool(node, len(self.chain.steps)))
        return behind

    def add_vote(self, node: Node, grid: Grid | str, layout: Layout) -> Layout:
        """Take in a majority vote; the layout behind it."""
        if isinstance(grid, str) or grid.levels is None or self.behind:
            raise refuse(node, "expected right behind the activation quantiser of a matrix product")
        if grid.scale != 1:
            raise refuse(node, f"it votes on the bits of integers, and these are multiples of {grid.scale:g}")
        vote = read_vote(node, self.unit.name, layout.shape[0])
        self.behind.append(vote)
        height, width = layout.shape[1:]
        if layout.is_image:
            return Layout.image((vote.channels, height, width))
        if layout.is_flat and (height, width) == (1, 1):
            return Layout.flat((vote.channels, 1, 1))
        raise refuse(node, "expected activations [N, C, H, W] or [N, C]")

    @property
    def voted(self) -> bool:
        """Whether there is a vote behind it."""
        return any(isinstance(layer, MajorityVote) for layer in self.behind)

    def show(self, tensor: str, layout: Layout, grid: Grid) -> None:
        """Note where the stream behind the unit, or behind the last of its pools and votes, is now."""
        self.streams[self.behind[-1].name if self.behind else self.unit.name] = tensor, layout, grid

    def activated(self, grid: Grid, sites: Sites) -> list[Layer]:
        """The finished unit and what is behind it, in front of activations on ``grid``."""
        check_pools(self.pools, self.chain)
        unit = activated_unit(self.unit, self.product, self.source, self.source_scale, self.chain, grid)
        return [self._noted(unit, sites), *self.behind]

    def scoring(self, sites: Sites) -> Layer:
        """The finished unit as the last one."""
        return self._noted(scoring_unit(self.unit, self.product, self.source, self.source_scale, self.chain), sites)

    def _noted(self, unit: MatrixVectorUnit, sites: Sites) -> MatrixVectorUnit:
        values = self.chain.graph.constants[self.product.node.input[1]].values
        sites.units[unit.name] = unit_site(
            unit, self.product, self.source_scale, self.chain, values, self.before, self.after
        )
        for place, (tensor, layout, grid) in self.streams.items():
            sites.streams[place] = stream_site(tensor, layout, grid, unit.levels)
        return unit
