"""Walking a graph from image to scores, and building the layers on the way."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile

import numpy as np
import onnx

from fat_fpga.errors import ModelError, ModelWarning
from fat_fpga.network.layers import Select, Shape
from fat_fpga.network.lowering.averages import AVERAGES, read_average
from fat_fpga.network.lowering.builder import Builder
from fat_fpga.network.lowering.constants import Constant
from fat_fpga.network.lowering.domains import check_attributes, check_domain, check_form
from fat_fpga.network.lowering.folding import fold
from fat_fpga.network.lowering.forms import in_standard_form
from fat_fpga.network.lowering.geometry import NONE
from fat_fpga.network.lowering.graph import Graph, Node, blaming, label, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.image import PendingImage
from fat_fpga.network.lowering.joins import JOINS, functions_of_one, joined_layout, read_join
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.matrix import MATRIX, read_product
from fat_fpga.network.lowering.monotone import check_certain, refusal
from fat_fpga.network.lowering.operators import MOVES, PASSIVE, Operator
from fat_fpga.network.lowering.own import OWN_LAYERS, read_own
from fat_fpga.network.lowering.pixels import Normalise, Outputs, Pixels, entry_of, input_layout, input_type
from fat_fpga.network.lowering.pooling import POOLS
from fat_fpga.network.lowering.selecting import FRONT as SELECTED_FRONT
from fat_fpga.network.lowering.selecting import SELECTS, Parts, composed, selected, shuffled, take_select
from fat_fpga.network.lowering.sites import ImageSite, Sites, stream_site
from fat_fpga.network.lowering.strand import Strand
from fat_fpga.network.lowering.stream import FRONT, PendingStream, Stream
from fat_fpga.network.lowering.types import check_arithmetic, check_float
from fat_fpga.network.lowering.unit import PendingUnit
from fat_fpga.network.lowering.valued import written_scales
from fat_fpga.network.network import INPUT, Network
from fat_fpga.network.outputs import OutputValues


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
        walk = _Walk(graph, pixels, image_shape, normalise, outputs)
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
    """What is known of each tensor so far, and the layers that are finished."""

    def __init__(
        self, graph: Graph, pixels: Pixels, image_shape: Shape | None, normalise: Normalise | None, outputs: Outputs
    ) -> None:
        self.graph, self.outputs = graph, outputs
        layout = input_layout(graph, image_shape)
        self.seen = {graph.input: (graph.batch, *layout.index.shape)}  # shapes of the tensors so far
        for node in graph.nodes:
            if node.op_type == "Constant":  # the first ones may tell what pixels the file takes
                fold(node, graph)
        entry, dtype = entry_of(graph, pixels, normalise, layout.shape[0]), input_type(graph)
        self.image = PendingImage(entry, graph, graph.input, layout, layout.index)
        first = Strand(self.image, graph.input, layout, entry.grid, dtype)
        self.strands = {graph.input: first}
        self.forks: dict[str, Callable[[], Strand]] = {}  # what follows tensors that several nodes read
        self.number = 0  # of the node
        self.builder = Builder()
        self.sites = Sites(graph.model, ImageSite(graph.input, layout.index, graph.batch, entry, dtype))

    def visit(self, node: Node) -> None:
        """Take in the next node."""
        graph = self.graph
        self.number += 1
        moving = graph.moving(node)
        unknown = [name for name in moving if name not in self.seen]
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
        if not moving:
            if node.output[0] not in graph.constants:
                fold(node, graph)
            return
        if node.op_type == "Shape":
            shape = np.empty(self.seen[moving[0]])
            graph.constants[node.output[0]] = Constant(Operator(node, graph)({moving[0]: shape}))
            return
        others = [name for name in moving if name not in self.strands]
        if others:
            raise refuse(node, f"its input '{others[0]}' is a second output, as indices of maxima, and no activations")
        strands = [self._strand(node, name) for name in moving] if len(moving) > 1 else []
        if functions_of_one(node, strands):
            strand = self._both(node, strands)
        elif len(moving) > 1 and node.op_type in JOINS:
            strand = self._join(node, moving, strands)
        elif len(moving) > 1 and node.op_type not in MATRIX:
            raise refuse(node, "of several streams, only sum, difference and concatenation are supported yet")
        else:
            strand = self._strand(node, moving[0])
            if strand.selected:
                self._after_choice(node, moving[0], strand)
                return
            if node.op_type in MATRIX:
                strand = self._product(node, strand)
            elif node.op_type in OWN_LAYERS:
                strand = self._own(node, strand)
            elif node.op_type in AVERAGES:
                strand = self._average(node, self._facing(node, strand))
            elif node.op_type == "Split":
                self._split(node, strand)
                return
            elif node.op_type in SELECTS:
                strand = self._select(node, strand)
            else:
                strand = (self._facing(node, strand) if node.op_type in POOLS else strand).take(node, graph)
        self._made(node, strand)

    def _split(self, node: Node, strand: Strand) -> None:
        """A node whose outputs are parts of a tensor: as if several nodes read it."""
        parts = [number for number, name in enumerate(node.output) if name]
        fork = self._fork(node, strand.tensor, strand) if len(parts) > 1 else lambda: strand
        for number in parts:
            part = self._select(node, fork(), number)
            part.move_to(node, self.graph, number)
            self.strands[node.output[number]] = part
            self.seen[node.output[number]] = (self.graph.batch, *part.layout.index.shape)

    def _made(self, node: Node, strand: Strand) -> None:
        """Go on with what a node makes."""
        strand.move_to(node, self.graph)
        made = node.output if node.op_type == "TopK" else node.output[:1]
        self.strands.update(dict.fromkeys(made, strand))
        self.seen.update(dict.fromkeys(node.output, (self.graph.batch, *strand.layout.index.shape)))
        if strand.selected:
            if strand.layout.index.size == 1:
                raise refuse(node, "there is one score only, which is not chosen among: export the model without it")
            self.sites.scores, self.sites.choice = strand.before, node.output[-1]

    def _after_choice(self, node: Node, tensor: str, strand: Strand) -> None:
        if node.op_type not in (*MOVES, *PASSIVE) or tensor not in strand.ends:
            raise refuse(node, "nothing may follow the choice of the class: export the model without it")
        strand.ends = {node.output[0]}
        strand.scores.update(strand.ends)
        self.strands[node.output[0]] = strand
        self.seen[node.output[0]] = ()

    def _strand(self, node: Node, tensor: str) -> Strand:
        """What is known of a tensor that a node reads: where others read it, too, of a stream that is finished."""
        strand = self.strands[tensor]
        if self.graph.uses[tensor] < 2 or strand.selected:
            return strand
        if tensor not in self.forks:
            self.forks[tensor] = self._fork(node, tensor, strand)
        return self.forks[tensor]()

    def _fork(self, node: Node, tensor: str, strand: Strand) -> Callable[[], Strand]:
        """What makes a strand for each node that reads a tensor.

        Where its integers are known they are a stream from here on. Else what leads to them is each branch's own, and
        only the sums in front are common to all.
        """
        head = strand.head
        if isinstance(strand.grid, Grid) or isinstance(head, PendingImage) or strand.pad is not None:
            stream = self._finish(node, strand)
            return lambda: self._behind(stream, tensor, strand)
        pending = head.behind_sums(self.number) if isinstance(head, PendingUnit) else head
        return lambda: Strand(
            pending.fork(self.number), tensor, strand.layout, strand.grid, strand.dtype, scores=set(strand.scores)
        )

    def _behind(self, stream: Stream, tensor: str, at: Strand) -> Strand:
        """What follows a stream that is at a tensor, which lies like that of a strand."""
        head = PendingStream.of(stream, tensor, at.layout, self.number, self.graph, self.builder)
        return Strand(head, tensor, at.layout, stream.grid, at.dtype, scores=set(at.scores))

    def _finish(self, node: Node, strand: Strand) -> Stream:
        """Finish the stream that a node reads, and with it what lies in front."""
        if strand.pad is not None and node.op_type != "Conv":
            raise strand.lost_pad(label(node))
        if strand.normalised:
            raise refuse(node, "behind a softmax only the choice of the class is supported")
        made = strand.head.finish(node, strand.grid, self.sites)
        if isinstance(strand.grid, str) and made.name not in self.sites.streams:
            site = stream_site(strand.tensor, strand.layout, Grid(made.step, made.levels), made.levels)
            self.sites.streams[made.name] = site
        return made

    def _product(self, node: Node, strand: Strand) -> Strand:
        check_attributes(node, self.graph.opset)
        if strand.pad is not None and node.op_type != "Conv":
            raise strand.lost_pad(label(node))
        check_float(node, strand.dtype)
        if node.op_type == "Conv" and strand.pad is None:
            strand = self._facing(node, strand)
            strand.face_image()
        elif node.op_type == "MatMul" and not strand.layout.is_flat:
            strand.face_steps()
        _, zeros = strand.pad or (None, NONE)
        product = read_product(node, self.graph, strand.layout, zeros)
        source = self._finish(node, strand)
        head = PendingUnit.of(product, source, self.number, strand.layout, self.graph, self.builder)
        return Strand(head, strand.tensor, head.after, f"there is none after {label(node)}", strand.dtype)

    def _both(self, node: Node, strands: list[Strand]) -> Strand:
        """A node that reads several functions of one stream: together they are another one."""
        heads = [strand.head for strand in strands if isinstance(strand.head, PendingStream)]
        for strand in strands:
            check_arithmetic(node, strand.dtype)
        chains = [head.chain for head in heads]
        common = zip(*(chain.steps for chain in chains), strict=False)
        start = sum(1 for _ in takewhile(lambda steps: all(step is steps[0] for step in steps), common))
        head, layout = heads[0].fork(self.number), strands[0].layout
        head.chain = chains[0].part(0, start).copy()
        head.chain.join(node, chains, layout.channels, [strand.dtype for strand in strands])
        head.streams = {}
        why = f"there is none after {label(node)}"
        return Strand(head, node.output[0], layout, why, strands[-1].dtype, scores=set(strands[0].scores))

    def _join(self, node: Node, moving: list[str], strands: list[Strand]) -> Strand:
        """A node that reads several streams."""
        check_attributes(node, self.graph.opset)
        if len(moving) != len(node.input):
            raise refuse(node, "expected streams alone, not constants among them")
        for strand in strands:
            if strand.selected:
                raise refuse(node, "nothing may follow the choice of the class: export the model without it")
            check_float(node, strand.dtype)
        strands = [self._facing(node, strand) for strand in strands]
        layout = joined_layout(node, [strand.layout for strand in strands])
        streams = [self._finish(node, strand) for strand in strands]
        layer, made = read_join(node, streams, self.graph, self.builder.name(JOINS[node.op_type]))
        self.builder.add(self.number, [layer], layer.inputs)
        if isinstance(made.grid, Grid):
            self.sites.streams[layer.name] = stream_site(node.output[0], layout, made.grid, made.levels)
        return self._behind(made, node.output[0], replace(strands[0], layout=layout))

    def _select(self, node: Node, strand: Strand, output: int = 0) -> Strand:
        """A node that selects parts of a tensor. Rows and columns are selected behind the activation; so are channels,
        whose parameters behind the node are others, once it is finished."""
        check_attributes(node, self.graph.opset)
        if strand.pad is not None:
            raise strand.lost_pad(label(node))
        strand = self._facing(node, strand)
        head, shape = strand.head, strand.layout.shape
        if isinstance(head, PendingImage) or (isinstance(head, PendingStream) and head.is_input):
            raise refuse(node, SELECTED_FRONT)
        parts, layout = selected(node, self.graph, strand.layout, output)
        if parts[0] != tuple(range(shape[0])):
            return self._channels(node, strand, parts, layout, node.output[output])
        strand.layout = layout
        if parts[1:] != (tuple(range(shape[1])), tuple(range(shape[2]))):
            head.add_select(node, parts, shape)
        return strand

    def _channels(self, node: Node, strand: Strand, parts: Parts, layout: Layout, tensor: str = "") -> Strand:
        """A selection of channels, behind the stream in front of a node; ``tensor`` holds it, if one does."""
        head = strand.head
        assert not isinstance(head, PendingImage)
        before = take_select(head.behind, head.streams)
        stream = self._finish(node, strand)
        name = self.builder.name(Select.type, root=stream.root)
        layer = composed(before, Select(name, *parts, node.name))
        self.builder.add(self.number, [layer], [stream.name])
        made = replace(stream, name=name, source=stream.levels)
        if tensor and isinstance(made.grid, Grid):
            self.sites.streams[name] = stream_site(tensor, layout, made.grid, made.levels)
        return self._behind(made, strand.tensor, replace(strand, layout=layout))

    def _facing(self, node: Node, strand: Strand) -> Strand:
        """A strand in front of a node that takes an image: shuffled channels are put into the order of the axes."""
        found = shuffled(strand.layout)
        if found is None or strand.pad is not None or isinstance(strand.head, PendingImage):
            return strand
        return self._channels(node, strand, *found)

    def _average(self, node: Node, strand: Strand) -> Strand:
        """An average, or a sum, over windows of a stream."""
        check_attributes(node, self.graph.opset)
        check_float(node, strand.dtype)
        zeros = strand.take_pad(node) if node.op_type == "AveragePool" else NONE
        stream = self._finish(node, strand)
        if stream.name == INPUT:
            raise refuse(node, FRONT)
        name = self.builder.name("sum", root=stream.root)
        pool, sums, layout = read_average(node, self.graph, strand.layout, stream, name, zeros)
        self.builder.add(self.number, [pool], [stream.name])
        grid = Grid(sums.step, sums.levels)
        self.sites.streams[name] = stream_site(node.output[0], layout, grid, sums.levels)
        strand.layout = layout
        return self._behind(sums, node.output[0], strand)

    def _own(self, node: Node, strand: Strand) -> Strand:
        """A table, or fixed point, of our own."""
        stream = self._finish(node, strand)
        name = self.builder.name(node.op_type.lower(), root=stream.root)
        layer, made = read_own(node, self.graph, stream, name)
        self.builder.add(self.number, [layer], [stream.name])
        self.sites.streams[name] = stream_site(node.output[0], strand.layout, Grid(1.0, made.levels), made.levels)
        return self._behind(made, node.output[0], strand)

    def finish(self, name: str) -> Network:
        """The network, when all nodes have been visited."""
        end = self._end()
        unit = end.head
        written = written_scales(self.graph)
        pixels = end.layout.index.size != end.layout.shape[0]
        if self.outputs == "values" or (self.outputs == "auto" and (pixels or written is not None)):
            return self._valued(name, end, written)
        if not isinstance(unit, PendingUnit) or self.image.input is None:
            if not isinstance(unit, PendingUnit) and self.image.input is not None:
                raise ModelError(
                    f"its scores '{end.tensor}' are no matrix product's: end the model with a fully connected layer"
                )
            raise ModelError("it holds no matrix product that depends on the input: is it the whole model?")
        if not end.ends & set(self.graph.outputs):
            raise ModelError(
                f"its output '{', '.join(self.graph.outputs)}' is not the end of the chain, '{end.tensor}': "
                "export the model with its class scores as output"
            )
        if end.pad is not None:
            raise end.lost_pad("the end of the file")
        unit.check_last(end.layout)
        left_out = [name for name in self.graph.outputs if name not in end.scores]
        if left_out:
            warnings.warn(
                f"the file's output '{', '.join(left_out)}' is left out: only the class scores are looked at",
                ModelWarning,
                stacklevel=2,
            )
        unit.scoring(self.sites)
        self.sites.scores = self.sites.scores or end.normalised or end.tensor
        return Network(name, self.image.input, self.builder.finish(self.sites))

    def _valued(self, name: str, end: Strand, written: OutputValues | None) -> Network:
        """The network whose outputs are values."""
        if isinstance(end.head, PendingImage):
            raise ModelError("it holds no matrix product that depends on the input: is it the whole model?")
        if end.selected:
            raise ModelError("it ends with the choice of a class, so its outputs are no values: leave outputs out")
        if end.tensor not in self.graph.outputs:
            raise ModelError(
                f"its output '{', '.join(self.graph.outputs)}' is not the end of the chain, '{end.tensor}': "
                "export the model with that as output"
            )
        if end.pad is not None:
            raise end.lost_pad("the end of the file")
        if isinstance(end.grid, Grid) and end.grid.levels is not None:
            last = next(node for node in reversed(self.graph.nodes) if end.tensor in node.output)
            scales: tuple[float, ...] = (end.head.finish(last, end.grid, self.sites).step,)
        elif isinstance(end.head, PendingUnit):
            scales = end.head.valued(self.sites)
        else:
            raise ModelError(f"its outputs '{end.tensor}' are no integers: {end.grid}; end the model with a quantiser")
        self.sites.scores = end.tensor
        assert self.image.input is not None, "a product has read it"
        layers = self.builder.finish(self.sites)
        return Network(name, self.image.input, layers, outputs=written or OutputValues(scales))

    def _end(self) -> Strand:
        """What nothing reads any more: the class scores."""
        ends = {id(strand): strand for tensor, strand in self.strands.items() if not self.graph.uses[tensor]}
        first, *others = ends.values()
        for other in others:
            if {first.tensor, other.tensor} <= set(self.graph.outputs):
                raise ModelError(
                    f"it has several heads, with the outputs '{first.tensor}' and '{other.tensor}': keep one, with "
                    f"onnx.utils.extract_model(file, new_file, ['{self.graph.input}'], ['{first.tensor}'])"
                )
            raise ModelError(
                f"its tensors '{first.tensor}' and '{other.tensor}' are both read by nothing: several heads are not "
                "supported yet, export the model with its class scores alone"
            )
        return first
