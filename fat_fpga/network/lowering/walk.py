"""Walking a graph from image to scores, and building the layers on the way."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import onnx

from fat_fpga.errors import ModelError, ModelWarning
from fat_fpga.network.layers import InputQuantiser, Layer, MatrixVectorUnit, Shape
from fat_fpga.network.levels import Levels
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.constants import Constant
from fat_fpga.network.lowering.domains import check_attributes, check_domain, check_form
from fat_fpga.network.lowering.folding import fold
from fat_fpga.network.lowering.graph import Graph, Node, attributes, blaming, label, refuse
from fat_fpga.network.lowering.grid import Grid, behind
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.matrix import MATRIX, Padding, read_product
from fat_fpga.network.lowering.monotone import MONOTONE, check_certain, refusal
from fat_fpga.network.lowering.operators import MOVES, PASSIVE, QUANTISERS, Operator
from fat_fpga.network.lowering.padding import read_pad
from fat_fpga.network.lowering.pending import Pending
from fat_fpga.network.lowering.pixels import Pixels, input_layout, input_quantiser, input_type, pixel_scale
from fat_fpga.network.lowering.pooling import POOLS
from fat_fpga.network.lowering.sites import ImageSite, Sites, stream_site
from fat_fpga.network.lowering.tail import SELECTORS, check_selector
from fat_fpga.network.lowering.types import FLOAT, check_arithmetic, check_float, type_behind
from fat_fpga.network.lowering.vote import VOTE
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
        with np.errstate(all="ignore"):  # what is not finite is refused where it matters
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
        self.tensor = self.unpadded = graph.input
        self.ends = {graph.input}
        self.scores = {graph.input}  # tensors since the last matrix product
        self.layout = input_layout(graph, image_shape)
        self.seen = {graph.input: (graph.batch, *self.layout.index.shape)}  # shapes of the tensors so far
        for node in graph.nodes:
            if node.op_type == "Constant":  # the first ones may tell what pixels the file takes
                fold(node, graph)
        self.pixel_scale = pixel_scale(graph, pixels)
        self.dtype = input_type(graph)
        self.told = pixels != "auto" or graph.datatypes.get(graph.input) == "UINT8" or self.dtype != FLOAT
        self.grid: Grid | str = Grid(float(self.pixel_scale), None)  # or why there is none
        self.chain = Chain(graph, self.layout.shape[0])
        self.input: InputQuantiser | None = None
        self.pending: Pending | None = None
        self.pad: tuple[Node, Padding] | None = None  # right in front
        self.layers: list[Layer] = []
        self.selected = False
        self.sites = Sites(
            graph.model, ImageSite(graph.input, self.layout.index, graph.batch, self.pixel_scale != 1, self.dtype)
        )

    def visit(self, node: Node) -> None:
        """Take in the next node."""
        graph = self.graph
        moving = graph.moving(node)
        unknown = [name for name in moving if name not in self.seen]
        if unknown:
            raise refuse(node, f"its input '{unknown[0]}' comes from nowhere: the file is incomplete")
        check_domain(node)
        check_form(node, graph.opset)
        check_certain(node, graph)
        if any(a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for a in node.attribute):
            raise refusal(node)
        if not moving:
            if node.output[0] not in graph.constants:
                fold(node, graph)
            return
        if node.op_type == "Shape":
            graph.constants[node.output[0]] = Constant(
                Operator(node, graph)({moving[0]: np.empty(self.seen[moving[0]])})
            )
            return
        if self.selected:
            if node.op_type in (*MOVES, *PASSIVE) and moving[0] in self.ends:
                self.ends = {node.output[0]}
                self.scores.update(self.ends)
                self.seen[node.output[0]] = ()
                return
            raise refuse(node, "nothing may follow the choice of the class: export the model without it")
        if moving != [self.tensor] or graph.uses[self.tensor] > 1:
            raise refuse(node, "branching graphs (residual connections, several heads) are not supported yet")
        if self.pad is not None and node.op_type not in ("Conv", *PASSIVE):
            raise refuse(self.pad[0], f"expected a convolution behind it, got {label(node)}")
        self._take(node)
        self.dtype = type_behind(node, self.dtype, graph)
        self.tensor = node.output[0]
        self.seen.update(dict.fromkeys(node.output, (graph.batch, *self.layout.index.shape)))
        self.ends = set(node.output[1:]) if node.op_type == "TopK" else {node.output[0]}
        self.scores.update(node.output)
        if self.pad is None:
            self.unpadded = self.tensor
            if self.pending and isinstance(self.grid, Grid) and not self.selected and self.dtype == FLOAT:
                self.pending.show(self.tensor, self.layout, self.grid)

    def _take(self, node: Node) -> None:
        if node.op_type in (*MATRIX, *POOLS):  # all others are executed, which finds it out
            check_attributes(node, self.graph.opset)
        if node.op_type in MATRIX:
            self._product(node)
        elif node.op_type in POOLS:
            if self.pending is None:
                raise refuse(
                    node,
                    "a max-pool in front of the first matrix product is not supported yet: "
                    "give images of the smaller size, and export the model without it",
                )
            self.layout = self.pending.add_pool(node, self.graph, self.layout)
        elif node.op_type == VOTE:
            if self.pending is None:
                raise refuse(node, "expected right behind the activation quantiser of a matrix product")
            self.layout = self.pending.add_vote(node, self.grid, self.layout)
        elif node.op_type in MOVES:
            self._move(node)
        elif node.op_type == "Pad":
            if not self.layout.is_image:
                raise refuse(node, "expected activations [N, C, H, W]")
            self.pad = node, read_pad(node, self.graph)
        elif node.op_type in SELECTORS:
            self._select(node)
        elif node.op_type in MONOTONE:
            self._element_wise(node)
        elif node.op_type not in PASSIVE:
            raise refusal(node)

    def _product(self, node: Node) -> None:
        check_float(node, self.dtype)
        _, zeros = self.pad or (None, (0, 0, 0, 0))
        product = read_product(node, self.graph, self.layout, zeros)
        self.pad = None
        source = self._close(node)
        self.scores = set()
        number = sum(isinstance(layer, MatrixVectorUnit) for layer in self.layers)
        self.pending = Pending.of(product, number, source, self.layout, self.graph)
        self.chain, self.layout = self.pending.chain, self.pending.after
        self.grid = f"there is none after {label(node)}"

    def _close(self, node: Node) -> tuple[InputQuantiser | Levels, float]:
        """Finish what lies in front of a matrix product, the pending unit or the input: the integers there, and the
        real value of one step of them."""
        grid = self.grid
        if isinstance(grid, str):
            raise refuse(
                node,
                f"float activations reach it: it needs a quantiser in front, of one scale and at most 8 bits "
                f"(in Brevitas QuantIdentity or QuantReLU); {grid}",
            )
        if self.pending is None:
            self.input = input_quantiser(self.chain, self.layout.shape, self.pixel_scale, grid, node, self.told)
            self.sites.streams[INPUT] = stream_site(self.unpadded, self.layout, grid, grid.levels)
            return self.input, grid.scale
        self.layers += self.pending.activated(grid, self.sites)
        assert grid.levels is not None
        return grid.levels, grid.scale

    def _move(self, node: Node) -> None:
        operator = Operator(node, self.graph)
        rest = {name: self.graph.constants[name].values for name in node.input[1:] if name}

        def operation(array: Any) -> Any:
            return operator({self.tensor: array, **rest})

        moved = self.layout.moved(operation, self.graph.batch)
        if moved is None:
            raise refuse(
                node, "it must keep the batch axis, and each image by itself: flatten from axis 1 on (start_dim=1)"
            )
        self.layout = moved
        if self.pending is None:
            self._adopt_image_shape()

    def _element_wise(self, node: Node) -> None:
        check_arithmetic(node, self.dtype)
        self.chain.add(node, self.layout.channels, self.dtype)
        self.grid = behind(node, self.grid, self.graph)
        if self.pending is None:
            return
        if node.op_type in (*QUANTISERS, "Relu", "Clip"):
            self.pending.streams = {}  # in front of it are other integers than the unit's
        if self.pending.voted and (node.op_type not in ("Mul", "Div") or isinstance(self.grid, str)):
            raise refuse(node, "behind a vote only a positive scale common to all channels is supported")

    def _select(self, node: Node) -> None:
        check_selector(node, self.graph)
        axis = attributes(node).get("axis", -1)
        if self.layout.index.shape[axis - 1 if axis > 0 else axis] != self.layout.index.size:
            raise refuse(node, f"expected the choice among all classes, got axis {axis} of {list(self.layout.shape)}")
        self.selected = True
        self.sites.scores, self.sites.choice = self.tensor, node.output[-1]

    def _adopt_image_shape(self) -> None:
        """Take an input that is reshaped to [N, C, H, W], from flat or before all else, as an image of that shape."""
        index = self.layout.index
        if index.ndim != 3 or not np.array_equal(index.ravel(), np.arange(index.size)):
            return
        channels, height, width = index.shape
        if self.layout.shape[1:] == (1, 1):
            self.chain.regroup(channels, height * width)
        elif not self.chain.steps:
            self.chain = Chain(self.graph, channels)
        else:
            return
        self.layout = Layout.image((channels, height, width))

    def finish(self, name: str) -> Network:
        """The network, when all nodes have been visited."""
        pending = self.pending
        if pending is None or self.input is None:
            raise ModelError("it holds no matrix product that depends on the input: is it the whole model?")
        if not self.ends & set(self.graph.outputs):
            raise ModelError(
                f"its output '{', '.join(self.graph.outputs)}' is not the end of the chain, '{self.tensor}': "
                "export the model with its class scores as output"
            )
        if self.pad is not None:
            raise refuse(self.pad[0], "expected a convolution behind it, got the end of the file")
        if pending.pools:
            raise refuse(
                pending.pools[0].node,
                "behind the last matrix product no max-pool is supported yet: "
                "end the model with a fully connected layer",
            )
        if pending.behind:
            raise ModelError(
                f"node '{pending.behind[0].node}' behind the last matrix product is not supported: "
                "end the model with a fully connected layer"
            )
        if not np.array_equal(self.layout.channels.ravel(), np.arange(self.layout.shape[0])):
            raise ModelError(
                f"expected one score per class, got an output of {list(self.layout.shape)} for each image: "
                "end the model with a fully connected layer"
            )
        if pending.unit.channels == 1:
            raise refuse(
                pending.product.node,
                "it yields one score; the class is that of the largest of two or more: "
                "train it with a score for each of the two classes",
            )
        left_out = [name for name in self.graph.outputs if name not in self.scores]
        if left_out:
            warnings.warn(
                f"the file's output '{', '.join(left_out)}' is left out: only the class scores are looked at",
                ModelWarning,
                stacklevel=2,
            )
        self.layers.append(pending.scoring(self.sites))
        self.sites.scores = self.sites.scores or self.tensor
        return Network(name, self.input, tuple(self.layers))
