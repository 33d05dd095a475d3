"""The image, before it becomes the first stream of integers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from fat_fpga.network.layers import InputQuantiser
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.geometry import NONE, Padding
from fat_fpga.network.lowering.graph import Graph, Node, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.pixels import input_quantiser
from fat_fpga.network.lowering.sites import Sites, stream_site
from fat_fpga.network.lowering.stream import FRONT, Stream, needs_quantiser
from fat_fpga.network.program import INPUT


@dataclass
class PendingImage:
    """State in front of the first node that needs integers.

    Attributes:
        scale: real value of one step of a pixel.
        told: whether the user or the file has said what pixels it takes.
        chain: the element-wise nodes so far.
        tensor, layout: the latest tensor.
        input: how pixels become integers, once that is known.
    """

    scale: np.float32
    told: bool
    chain: Chain
    tensor: str
    layout: Layout
    input: InputQuantiser | None = None
    voted: ClassVar[bool] = False
    streams: dict[str, object] = field(default_factory=dict)

    def add_pool(self, node: Node, graph: Graph, layout: Layout, zeros: Padding = NONE) -> Layout:
        """There can be none."""
        raise refuse(node, FRONT)

    def add_vote(self, node: Node, grid: Grid | str, layout: Layout) -> Layout:
        """There can be none."""
        raise refuse(node, "expected right behind the activation quantiser of a matrix product")

    def show(self, tensor: str, layout: Layout, grid: Grid) -> None:
        """Note where the integers are now."""
        self.tensor, self.layout = tensor, layout

    def finish(self, node: Node, grid: Grid | str, sites: Sites) -> Stream:
        """The stream of integers, in front of ``node``, which reads them on ``grid``."""
        if isinstance(grid, str):
            raise refuse(node, needs_quantiser(grid))
        self.input = input_quantiser(self.chain, self.layout.shape, self.scale, grid, node, self.told)
        sites.streams[INPUT] = stream_site(self.tensor, self.layout, grid, grid.levels)
        return Stream(INPUT, INPUT, self.input, grid.scale)
