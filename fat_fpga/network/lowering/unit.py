"""A matrix product whose thresholds are still to be found, and what the file has behind it so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.bounds import lattice
from fat_fpga.network.layers import AffineScores, Layer, MatrixVectorUnit, Scores
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering import selecting
from fat_fpga.network.lowering.activation import FEW, MOST_THRESHOLDS
from fat_fpga.network.lowering.affine import fixed_point
from fat_fpga.network.lowering.builder import Builder
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.constants import exactly
from fat_fpga.network.lowering.decision import decision
from fat_fpga.network.lowering.graph import Graph, Node, attributes, label, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.matrix import Product
from fat_fpga.network.lowering.pending import Pending
from fat_fpga.network.lowering.pooling import PendingPool, check_pools
from fat_fpga.network.lowering.ranks import end_of_sums
from fat_fpga.network.lowering.sites import Sites, stream_site, unit_site
from fat_fpga.network.lowering.stream import OWN, PendingStream, Stream
from fat_fpga.network.lowering.tail import scoring_layers
from fat_fpga.network.lowering.thresholds import Accumulators, accumulator_annotation, activated_unit, widened
from fat_fpga.network.lowering.transposed import TRANSPOSED
from fat_fpga.network.lowering.valued import slopes
from fat_fpga.network.lowering.vote import read_vote


@dataclass
class PendingUnit(Pending):
    """State between a matrix product and the next one.

    Attributes:
        unit: without thresholds yet.
        source: the stream that it reads.
        order: number of its node.
        before, after: layouts of the tensors in front of the product and behind it.
        ranks: of its sums, where the file has a table of them.
        vote_grid: grid in front of the vote, if there is one.
    """

    unit: MatrixVectorUnit
    product: Product
    source: Stream
    order: int
    before: Layout
    after: Layout
    chain: Chain
    builder: Builder
    behind: list[selecting.Behind] = field(default_factory=list)
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
        if node.op_type in ("Conv", TRANSPOSED):
            after = before.like(shape)
        elif product.kind == "conv":
            after = before.pointwise(unit.channels)
        else:
            after = Layout(shape, np.arange(unit.channels).reshape(*before.index.shape[:-1], -1))
        return cls(unit, product, source, order, before, after, Chain(graph, unit.channels), builder)

    @property
    def origin_name(self) -> str:
        return self.unit.name

    def add_ranks(self, node: Node, graph: Graph) -> None:
        """Take in a table of ranks, or factors and offsets of each class."""
        if node.op_type == "AffineScores":
            factors, offsets = (exactly(graph.constant(node, position)) for position in (1, 2))
            if factors is None or offsets is None or factors.shape != (self.unit.channels,) or self.chain.steps:
                raise refuse(
                    node, f"expected right behind a matrix product, integers for its {self.unit.channels} sums"
                )
            name = self.named("scores")
            self.ranks = AffineScores(name, factors, offsets, node.name)
            return
        ranks = exactly(graph.constant(node, 1))
        if ranks is None or ranks.shape[0] != self.unit.channels or self.chain.steps or self.behind:
            raise refuse(node, f"expected right behind a matrix product, ranks of its {self.unit.channels} sums")
        name = self.named("scores")
        self.ranks = Scores(name, ranks, int(attributes(node)["low"]), node.name)

    def add_vote(self, node: Node, grid: Grid | str, layout: Layout) -> Layout:
        """Take in a majority vote; the layout behind it."""
        if isinstance(grid, str) or grid.levels is None or self.behind:
            raise refuse(node, "expected right behind the activation quantiser of a matrix product")
        if grid.scale != 1:
            raise refuse(node, f"it votes on the bits of integers, and these are multiples of {grid.scale:g}")
        self.vote_grid = grid
        vote = read_vote(node, self.unit.name, layout.shape[0])
        vote = replace(vote, name=self.named("vote"))
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

    def finish(self, node: Node, grid: Grid | str, sites: Sites) -> Stream:
        """Finish the unit and what is behind it, in front of ``node``, which reads activations on ``grid``.

        Where its chain is no thresholds of its own, its sums are a stream, and the chain is a layer on that.
        """
        if isinstance(grid, str) or not self._has_thresholds(grid):
            if self.voted:
                raise refuse(node, "in front of a vote expected a monotone function, and a quantiser of 8 bits at most")
            return self.behind_sums(self.order).finish(node, grid, sites)
        check_pools(self.pools, self.chain)
        unit = activated_unit(
            self.unit, self.product, self.source.source, self.source.step, self.chain, self.vote_grid or grid
        )
        layers = [self._noted(unit, sites), *self.behind]
        self.builder.add(self.order, layers, (self.source.name,))
        assert unit.levels is not None
        for place, (tensor, layout, shown) in self.streams.items():
            sites.streams[place] = stream_site(tensor, layout, shown, unit.levels)
        return Stream(layers[-1].name, unit.name, unit.levels, grid.scale)

    def behind_sums(self, order: int) -> PendingStream:
        """What follows it so far, on the stream of its sums, which is finished once that is needed.

        Args:
            order: number of the first node behind.
        """
        made: list[Stream] = []

        def sums(node: Node, sites: Sites) -> Stream:
            made.extend([] if made else [self._sums(sites)])
            return made[0]

        streams = {OWN if place == self.unit.name else place: shown for place, shown in self.streams.items()}
        return PendingStream(
            sums, self.unit.name, self.product.node.output[0], self.after, order, self.chain.copy(), self.builder,
            list(self.behind), list(self.pools), streams,
        )  # fmt: skip

    def _has_thresholds(self, grid: Grid) -> bool:
        """Whether the chain is thresholds on the sums."""
        levels = (self.vote_grid or grid).levels
        if levels is None or self.chain.otherwise is not None:
            return False
        if levels.count <= FEW:
            return True
        real = Accumulators(self.product, self.source.step, lattice(self.unit, self.source.source))
        exact = fixed_point(self.chain, real, grid, "") is not None
        return not exact and levels.count * self.unit.channels <= MOST_THRESHOLDS

    def _sums(self, sites: Sites) -> Stream:
        """The unit without thresholds, and the stream of its sums."""
        product, source = self.product, self.source.source
        unit = replace(self.unit, accumulator_type=accumulator_annotation(product, self.chain.graph))
        reach = lattice(unit, source)
        low, high = int(reach.low.min()), int(reach.high.max())
        step = int(np.gcd.reduce(reach.low.astype(np.int64) - low, initial=reach.step)) or 1
        unit = replace(unit, levels=Levels(low, step, max((high - low) // step + 1, 2)))
        self.builder.add(self.order, [self._noted(unit, sites)], (self.source.name,))
        scale = None
        if product.bias is None and np.all(product.scale == product.scale[0]):
            scale = float(np.float32(self.source.step) * product.scale[0])
            grid = Grid(scale, unit.levels)
            sites.streams[unit.name] = stream_site(product.node.output[0], self.after, grid, unit.levels)
        end, why = end_of_sums(unit, source), "its channels have scales or biases of their own"
        assert unit.levels is not None
        real = Accumulators(product, self.source.step, reach)
        return Stream(unit.name, unit.name, unit.levels, scale, real, (-end, end), f"after {label(product.node)} {why}")

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

    def scoring(self, sites: Sites) -> None:
        """Finish the unit as the last one."""
        if self.ranks is not None and self.chain.steps:
            raise refuse(self.chain.nodes[0], "nothing but the choice of the class may follow ranks of sums")
        if self.unit.channels == 1:
            self._deciding(sites)
            return
        unit, *ranks = scoring_layers(
            self.unit, self.product, self.source.source, self.source.step, self.chain,
            self.named("scores"),
        )  # fmt: skip
        assert unit.unit is not None
        ranks = ranks if self.ranks is None else [self.ranks]
        self.builder.add(self.order, [self._noted(unit.unit, sites), *ranks], (self.source.name,))

    def valued(self, sites: Sites) -> tuple[float, ...]:
        """Finish the unit as the last one, whose sums are the network's outputs; what one step of each is worth."""
        if self.behind:
            raise ModelError(
                f"node '{self.behind[0].node}' behind the last matrix product is not supported: the outputs are "
                "values, so end the model with a quantiser or with the product"
            )
        unit = replace(self.unit, accumulator_type=accumulator_annotation(self.product, self.chain.graph))
        self.builder.add(self.order, [self._noted(unit, sites)], (self.source.name,))
        return slopes(self.chain, self.product, self.source.step)

    def _deciding(self, sites: Sites) -> None:
        """Finish the unit as the last one, whose one output decides between two classes."""
        name = self.named("scores")
        unit = replace(self.unit, accumulator_type=accumulator_annotation(self.product, self.chain.graph))
        ranks = self.ranks
        if ranks is None:
            ranks, sites.middle = decision(
                unit, self.product, self.source.source, self.source.step, self.chain, name
            )  # fmt: skip
        self.builder.add(
            self.order, [self._noted(unit, sites), *([] if ranks is None else [ranks])], (self.source.name,)
        )

    def _noted(self, unit: MatrixVectorUnit, sites: Sites) -> MatrixVectorUnit:
        values = self.chain.graph.constants[self.product.node.input[1]].values
        sites.units[unit.name] = unit_site(
            unit, self.product, self.source.step, self.chain, values, self.before, self.after
        )
        return unit
