"""Walking a graph from image to scores, and building the layers on the way."""

from __future__ import annotations

import numpy as np
import onnx

from fat_fpga.errors import ModelError
from fat_fpga.network.layers import Shape
from fat_fpga.network.lowering.averages import AVERAGES
from fat_fpga.network.lowering.constants import Constant
from fat_fpga.network.lowering.domains import check_domain, check_form
from fat_fpga.network.lowering.ending import Ending
from fat_fpga.network.lowering.folding import fold
from fat_fpga.network.lowering.forms import in_standard_form
from fat_fpga.network.lowering.graph import Graph, Node, blaming, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.image import PendingImage
from fat_fpga.network.lowering.joins import JOINS, functions_of_one
from fat_fpga.network.lowering.matrix import MATRIX
from fat_fpga.network.lowering.monotone import ELEMENT_WISE, check_certain, refusal
from fat_fpga.network.lowering.operators import MOVES, PASSIVE, Operator
from fat_fpga.network.lowering.own import OWN_LAYERS
from fat_fpga.network.lowering.parts import facing, select, split
from fat_fpga.network.lowering.pixels import Normalise, Outputs, Pixels, entry_of, input_layout, input_type
from fat_fpga.network.lowering.pooling import POOLS
from fat_fpga.network.lowering.selecting import SELECTS
from fat_fpga.network.lowering.shuffling import shuffle_of, spreads
from fat_fpga.network.lowering.sites import ImageSite, Sites
from fat_fpga.network.lowering.steps import average, both, join, own, product
from fat_fpga.network.lowering.strand import Strand
from fat_fpga.network.lowering.strands import Strands
from fat_fpga.network.lowering.transposed import TRANSPOSED
from fat_fpga.network.network import Network

PRODUCTS = (*MATRIX, TRANSPOSED)
"""Operators that begin a unit."""


def lower(
    model: onnx.ModelProto, name: str, pixels: Pixels = "auto", image_shape: Shape | None = None,
    normalise: Normalise | None = None, outputs: Outputs = "auto",
) -> Network:  # fmt: skip
    """Lower an opened model; see `fat_fpga.network.load_network` for arguments and errors."""
    return lower_with_sites(model, name, pixels, image_shape, normalise, outputs)[0]


def lower_with_sites(
    model: onnx.ModelProto, name: str, pixels: Pixels = "auto", image_shape: Shape | None = None,
    normalise: Normalise | None = None, outputs: Outputs = "auto",
) -> tuple[Network, Sites]:  # fmt: skip
    """Lower an opened model, and tell where each part of the network is in it."""
    try:
        graph = Graph(in_standard_form(model))
        walk = _Walk(graph, pixels, image_shape, normalise)
        with np.errstate(all="ignore"):  # what is not finite is refused where it matters
            for node in graph.nodes:
                with blaming(node):
                    walk.visit(node)
            return Ending(graph, outputs, walk.image, walk.strands).network(name), walk.strands.sites
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged file leads to
        raise ModelError(f"it is damaged: {type(error).__name__}: {' '.join(str(error).split())}") from error


class _Walk:
    """What is known of each tensor so far, and the layers that are finished."""

    def __init__(self, graph: Graph, pixels: Pixels, image_shape: Shape | None, normalise: Normalise | None) -> None:
        self.graph = graph
        layout = input_layout(graph, image_shape)
        for node in graph.nodes:
            if node.op_type == "Constant":  # the first ones may tell what pixels the file takes
                fold(node, graph)
        entry, dtype = entry_of(graph, pixels, normalise, layout.shape[0]), input_type(graph)
        self.image = PendingImage(entry, graph, graph.input, layout, layout.index)
        first = Strand(self.image, graph.input, layout, entry.grid, dtype)
        sites = Sites(graph.model, ImageSite(graph.input, layout.index, graph.batch, entry, dtype))
        seen = {graph.input: (graph.batch, *layout.index.shape)}
        self.strands = Strands(graph, sites, {graph.input: first}, seen)

    def visit(self, node: Node) -> None:
        """Take in the next node."""
        graph, strands = self.graph, self.strands
        strands.number += 1
        moving = graph.moving(node)
        self._check(node, moving)
        if not moving:
            if node.output[0] not in graph.constants:
                fold(node, graph)
        elif node.op_type == "Shape":
            shape = np.empty(strands.seen[moving[0]])
            graph.constants[node.output[0]] = Constant(Operator(node, graph)({moving[0]: shape}))
        elif len(moving) == 1:
            self._take(node, moving[0])
        else:
            for name in moving:
                self._order(node, name)
            read = [strands.of(node, name) for name in moving]
            if functions_of_one(node, read):
                strands.made(node, both(strands, node, read))
            elif node.op_type in JOINS:
                strands.made(node, join(strands, node, moving, read))
            elif node.op_type in PRODUCTS:
                self._take(node, moving[0])
            else:
                raise refuse(node, "of several streams, only sum, difference and concatenation are supported yet")

    def _check(self, node: Node, moving: list[str]) -> None:
        """ModelError unless what a node reads is known, and it is one that can be read."""
        graph, strands = self.graph, self.strands
        unknown = [name for name in moving if name not in strands.seen]
        if unknown:
            if any(unknown[0] in other.output for other in graph.model.graph.node):
                raise refuse(
                    node,
                    f"its input '{unknown[0]}' is made by a node after it: the nodes have a cycle, or stand "
                    "in another order than that of execution",
                )
            raise refuse(node, f"its input '{unknown[0]}' comes from nowhere: the file is incomplete")
        check_domain(node)
        check_form(node, graph.opset)
        check_certain(node, graph)
        if any(a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for a in node.attribute):
            raise refusal(node)
        if not moving or node.op_type == "Shape":
            return
        others = [name for name in moving if name not in strands.known]
        if others:
            raise refuse(node, f"its input '{others[0]}' is a second output, as indices of maxima, and no activations")

    def _take(self, node: Node, tensor: str) -> None:
        """Take in a node that reads one tensor."""
        graph, strands = self.graph, self.strands
        self._order(node, tensor)
        strand = strands.of(node, tensor)
        if strand.selected:
            self._after_choice(node, tensor, strand)
            return
        if node.op_type in PRODUCTS:
            strand = product(strands, node, strand)
        elif node.op_type in OWN_LAYERS:
            strand = own(strands, node, facing(strands, node, strand))
        elif node.op_type in AVERAGES:
            strand = average(strands, node, facing(strands, node, strand))
        elif node.op_type == "Split":
            split(strands, node, strand)
            return
        elif node.op_type in SELECTS:
            strand = select(strands, node, strand)
        elif node.op_type in POOLS and isinstance(strand.head, PendingImage):
            strand.face_image()
            strand = strands.behind(strands.finish(node, strand), tensor, strand).take(node, graph)
        else:
            strand = (facing(strands, node, strand) if self._faces(node, strand) else strand).take(node, graph)
        strands.made(node, strand)

    def _order(self, node: Node, tensor: str) -> None:
        """Where several nodes read a stream whose values have been moved, put them into order for all at once."""
        strand, strands = self.strands.known[tensor], self.strands
        shared = self.graph.uses[tensor] > 1 and tensor not in strands.forks and not strand.selected
        if shared and isinstance(strand.grid, Grid) and shuffle_of(strand.layout, "", "") is not None:
            strand.face_image()
            strands.known[tensor] = facing(strands, node, strand)

    def _faces(self, node: Node, strand: Strand) -> bool:
        """Whether a node needs the axes of an image in their order; so does one with parameters for channels of which
        several are one of the stream's."""
        if node.op_type not in ELEMENT_WISE:
            return node.op_type in (*POOLS, "Pad")
        several = any(self.graph.constants[name].values.size > 1 for name in node.input if name in self.graph.constants)
        return several and spreads(strand.layout)

    def _after_choice(self, node: Node, tensor: str, strand: Strand) -> None:
        if node.op_type not in (*MOVES, *PASSIVE) or tensor not in strand.ends:
            raise refuse(node, "nothing may follow the choice of the class: export the model without it")
        strand.ends = {node.output[0]}
        strand.scores.update(strand.ends)
        self.strands.known[node.output[0]] = strand
        self.strands.seen[node.output[0]] = ()
