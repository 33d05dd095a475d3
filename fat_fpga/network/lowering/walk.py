"""Walking a graph from image to scores, and building the layers on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from fat_fpga.errors import ModelError
from fat_fpga.network.layers import InputQuantiser, Layer, MajorityVote, MatrixVectorUnit, MaxPool, Shape
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.chain import MONOTONE, NOT_MONOTONE, Chain
from fat_fpga.network.lowering.constants import Constant
from fat_fpga.network.lowering.folding import fold
from fat_fpga.network.lowering.graph import Graph, Node, attributes, blaming, refuse
from fat_fpga.network.lowering.grid import Grid, behind
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.matrix import MATRIX, Product, pool_of, read_product
from fat_fpga.network.lowering.operators import MOVES, PASSIVE, QUANTISERS, Operator
from fat_fpga.network.lowering.pixels import Pixels, input_layout, input_quantiser, pixel_scale
from fat_fpga.network.lowering.sites import ImageSite, Sites, stream_site, unit_site
from fat_fpga.network.lowering.tail import SELECTORS, check_selector, scoring_unit
from fat_fpga.network.lowering.thresholds import activated_unit, widened
from fat_fpga.network.lowering.vote import VOTE, read_vote
from fat_fpga.network.network import INPUT, Network


def lower(model: onnx.ModelProto, name: str, pixels: Pixels = "auto", image_shape: Shape | None = None) -> Network:
    """Lower an opened model; see `fat_fpga.network.load_network` for arguments and errors."""
    return lower_with_sites(model, name, pixels, image_shape)[0]


def lower_with_sites(
    model: onnx.ModelProto, name: str, pixels: Pixels = "auto", image_shape: Shape | None = None
) -> tuple[Network, Sites]:
    """Lower an opened model, and tell where each part of the network is in it."""
    try:
        graph = Graph(model)
        walk = _Walk(graph, pixels, image_shape)
        for node in graph.nodes:
            with blaming(node):
                walk.visit(node)
        return walk.finish(name), walk.sites
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged file leads to
        raise ModelError(f"it is damaged: {type(error).__name__}: {' '.join(str(error).split())}") from error


class _Walk:
    """State between two nodes: the current tensor, and what is known about it."""

    def __init__(self, graph: Graph, pixels: Pixels, image_shape: Shape | None) -> None:
        self.graph = graph
        self.tensor = graph.input
        self.ends = {graph.input}
        self.layout = input_layout(graph, image_shape)
        self.seen = {graph.input: (graph.batch, *self.layout.index.shape)}  # shapes of the tensors so far
        self.pixel_scale = pixel_scale(graph, pixels)
        self.grid: Grid | None = Grid(float(self.pixel_scale), None)
        self.chain = Chain(graph, self.layout.shape[0])
        self.input: InputQuantiser | None = None
        self.product: Product | None = None
        self.unit: MatrixVectorUnit | None = None
        self.source: tuple[InputQuantiser | Levels, float] | None = None  # in front of the pending unit
        self.behind: list[MajorityVote | MaxPool] = []  # the pending unit
        self.layers: list[Layer] = []
        self.selected = False
        self.sites = Sites(
            ImageSite(graph.input, self.layout.index, graph.batch, self.pixel_scale != 1, graph.input_dtype)
        )
        self.layout_before, self.layout_behind = self.layout, self.layout  # of the pending product
        self.streams: dict[str, tuple[str, Layout, Grid]] = {}  # behind the pending unit, by place

    def visit(self, node: Node) -> None:
        """Take in the next node."""
        graph = self.graph
        moving = graph.moving(node)
        unknown = [name for name in moving if name not in self.seen]
        if unknown:
            raise refuse(node, f"its input '{unknown[0]}' comes from nowhere: the file is incomplete")
        if not moving:
            fold(node, graph)
            return
        if node.op_type == "Shape":
            graph.constants[node.output[0]] = Constant(
                Operator(node, graph)({moving[0]: np.empty(self.seen[moving[0]])})
            )
            return
        if self.selected:
            raise refuse(node, "nothing may follow the choice of the class")
        if moving != [self.tensor] or graph.uses[self.tensor] > 1:
            raise refuse(node, "branching graphs (residual connections, several heads) are not supported yet")
        if node.op_type in MATRIX:
            self._product(node)
        elif node.op_type == "MaxPool":
            self._pool(node)
        elif node.op_type == VOTE:
            self._vote(node)
        elif node.op_type in MOVES:
            self._move(node)
        elif node.op_type in SELECTORS:
            check_selector(node, graph)
            self.selected = True
            self.sites.scores, self.sites.choice = self.tensor, node.output[-1]
        elif node.op_type in MONOTONE:
            self._element_wise(node)
        elif node.op_type in NOT_MONOTONE:
            raise refuse(node, "it is not a monotone function of the accumulator")
        elif (
            node.op_type not in PASSIVE or attributes(node).get("to", onnx.TensorProto.FLOAT) != onnx.TensorProto.FLOAT
        ):
            raise refuse(node, "unsupported operator")
        self.tensor = node.output[0]
        self._show()
        self.ends = set(node.output)
        self.seen.update(dict.fromkeys(node.output, (graph.batch, *self.layout.index.shape)))

    def _product(self, node: Node) -> None:
        product = read_product(node, self.graph, self.layout)
        self._close(node)
        weight_type = widened(product.datatype or "", product.weights)
        name = f"{product.kind}{sum(isinstance(layer, MatrixVectorUnit) for layer in self.layers)}"
        unit = MatrixVectorUnit(
            name, product.weights, None, None, product.stride, product.padding, weight_type, node.name
        )
        shape = unit.output_shape(self.layout.shape)
        self.layout_before = self.layout
        if node.op_type == "Conv":
            self.layout = Layout.image(shape)
        else:
            index = np.arange(unit.channels).reshape(*self.layout.index.shape[:-1], -1)
            self.layout = Layout(shape, index)
        self.unit, self.product, self.grid, self.layout_behind = unit, product, None, self.layout
        self.chain = Chain(self.graph, unit.channels)

    def _close(self, node: Node) -> None:
        """Finish what lies in front of a matrix product: the pending unit, or the input."""
        grid = self.grid
        if grid is None:
            raise refuse(
                node,
                "float activations reach it: it needs a quantiser in front, of one scale and at most 8 bits",
            )
        if self.unit is None or self.product is None or self.source is None:
            self.input = input_quantiser(self.chain, self.layout.shape, self.pixel_scale, grid, node)
            self.source = self.input, grid.scale
            self.sites.streams[INPUT] = stream_site(self.tensor, self.layout, grid, grid.levels)
            return
        self._add(activated_unit(self.unit, self.product, *self.source, self.chain, grid))
        self.layers += self.behind
        self.behind = []
        assert grid.levels is not None
        self.source = grid.levels, grid.scale

    def _add(self, unit: MatrixVectorUnit) -> None:
        """Take in a finished unit."""
        assert self.product is not None
        assert self.source is not None
        self.layers.append(unit)
        values = self.graph.constants[self.product.node.input[1]].values
        self.sites.units[unit.name] = unit_site(
            unit, self.product, self.source[1], self.chain, values, self.layout_before, self.layout_behind
        )
        for place, (tensor, layout, grid) in self.streams.items():
            self.sites.streams[place] = stream_site(tensor, layout, grid, unit.levels)
        self.streams = {}

    def _show(self) -> None:
        """Note where the stream behind the pending unit, or behind the last of its pools and votes, is now."""
        if self.unit is not None and self.grid is not None and not self.selected:
            place = self.behind[-1].name if self.behind else self.unit.name
            self.streams[place] = self.tensor, self.layout, self.grid

    def _pool(self, node: Node) -> None:
        if self.unit is None:
            raise refuse(node, "a max-pool in front of the first matrix product is not supported yet")
        if self.grid is None:
            raise refuse(node, "a max-pool in front of the activation quantiser is not supported yet: quantise first")
        if not self.layout.is_image:
            raise refuse(node, "expected activations [N, C, H, W]")
        pools = sum(isinstance(layer, MaxPool) for layer in self.behind)
        suffix = ".pool" + (str(pools + 1) if pools else "")
        pool = MaxPool(self.unit.name + suffix, *pool_of(node, self.layout.shape), node.name)
        self.behind.append(pool)
        self.layout = Layout.image(pool.output_shape(self.layout.shape))

    def _vote(self, node: Node) -> None:
        if self.unit is None or self.grid is None or self.grid.levels is None or self.behind:
            raise refuse(node, "expected right behind the activation quantiser of a matrix product")
        vote = read_vote(node, self.unit.name, self.layout.shape[0])
        self.behind.append(vote)
        height, width = self.layout.shape[1:]
        if self.layout.is_image:
            self.layout = Layout.image((vote.channels, height, width))
        elif self.layout.is_flat and (height, width) == (1, 1):
            self.layout = Layout.flat((vote.channels, 1, 1))
        else:
            raise refuse(node, "expected activations [N, C, H, W] or [N, C]")

    def _move(self, node: Node) -> None:
        operator = Operator(node, self.graph)
        rest = {name: self.graph.constants[name].values for name in node.input[1:] if name}

        def operation(array: Any) -> Any:
            return operator({self.tensor: array, **rest})

        moved = self.layout.moved(operation, self.graph.batch)
        if moved is None:
            raise refuse(node, "it must keep the batch axis, and each image by itself")
        self.layout = moved
        if self.unit is None:
            self._adopt_image_shape()

    def _element_wise(self, node: Node) -> None:
        self.chain.add(node, self.layout.channels)
        self.grid = behind(node, self.grid, self.graph)
        if self.behind and (node.op_type in QUANTISERS or self.grid is None):
            raise refuse(
                node, "behind a max-pool or a vote only a positive scale or a shift common to all channels is supported"
            )

    def _adopt_image_shape(self) -> None:
        """Take a flat input that has been reshaped to [N, C, H, W] as an image of that shape."""
        index = self.layout.index
        if self.layout.shape[1:] == (1, 1) and index.ndim == 3 and np.array_equal(index.ravel(), np.arange(index.size)):
            channels, height, width = index.shape
            self.layout = Layout.image((channels, height, width))
            self.chain.regroup(channels, height * width)

    def finish(self, name: str) -> Network:
        """The network, when all nodes have been visited."""
        if self.unit is None or self.product is None or self.source is None or self.input is None:
            raise ModelError("it holds no matrix product that depends on the input")
        if not self.ends & set(self.graph.outputs):
            raise ModelError(
                f"its output '{', '.join(self.graph.outputs)}' is not the end of the chain, '{self.tensor}'"
            )
        if self.behind:
            raise ModelError(f"'{self.behind[0].node}' behind the last matrix product is not supported")
        if not np.array_equal(self.layout.channels.ravel(), np.arange(self.layout.shape[0])):
            raise ModelError(f"expected one score per class, got an output of {list(self.layout.shape)} for each image")
        self._add(scoring_unit(self.unit, self.product, *self.source, self.chain))
        self.sites.scores = self.sites.scores or self.tensor
        return Network(name, self.input, tuple(self.layers))
