"""What stands behind a product or a stream until the next node that needs integers."""

from __future__ import annotations

from abc import ABC, abstractmethod

from fat_fpga.network.layers import Shape
from fat_fpga.network.lowering import selecting
from fat_fpga.network.lowering.builder import Builder
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.geometry import NONE, Padding
from fat_fpga.network.lowering.graph import Graph, Node
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.pooling import PendingPool, read_pool


class Pending(ABC):
    """State with element-wise nodes, pools and selections.

    Attributes:
        chain: the element-wise nodes.
        behind: votes, pools and selections.
        pools: the pools among them, with their places in the chain.
        streams: tensor, layout and grid of what the file shows of the streams behind it, by place.
    """

    chain: Chain
    builder: Builder
    behind: list[selecting.Behind]
    pools: list[PendingPool]
    streams: dict[str, tuple[str, Layout, Grid]]

    @property
    @abstractmethod
    def origin_name(self) -> str:
        """What layers behind it are named after."""

    def named(self, word: str) -> str:
        """A name for a layer behind it."""
        return self.builder.name(word, root=self.origin_name)

    def add_pool(self, node: Node, graph: Graph, layout: Layout, zeros: Padding = NONE) -> Layout:
        """Take in a max-pool; the layout behind it."""
        pool, behind = read_pool(node, graph, layout, self.named("pool"), zeros)
        self.behind.append(pool)
        self.pools.append(PendingPool(node, len(self.chain.steps)))
        return behind

    def add_select(self, node: Node, parts: selecting.Parts, shape: Shape) -> None:
        """Take in a node that selects rows and columns of a tensor of ``shape``."""
        selecting.add_select(self.behind, self.streams, self.named, node, parts, shape)
