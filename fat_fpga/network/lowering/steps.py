"""Nodes that begin a layer: matrix products, joins of several streams, averages, and the tables of our own."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

from fat_fpga.network.layers import Select, ZeroInsertion
from fat_fpga.network.lowering.averages import read_average
from fat_fpga.network.lowering.domains import check_attributes
from fat_fpga.network.lowering.geometry import NONE
from fat_fpga.network.lowering.graph import Node, label, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.joins import JOINS, joined_layout, read_join
from fat_fpga.network.lowering.matrix import read_product
from fat_fpga.network.lowering.own import read_own
from fat_fpga.network.lowering.parts import facing
from fat_fpga.network.lowering.sites import stream_site
from fat_fpga.network.lowering.strand import Strand
from fat_fpga.network.lowering.strands import Strands
from fat_fpga.network.lowering.stream import PendingStream
from fat_fpga.network.lowering.transposed import TRANSPOSED, Transposed, read_transposed
from fat_fpga.network.lowering.types import check_arithmetic, check_float
from fat_fpga.network.lowering.unit import PendingUnit


def product(strands: Strands, node: Node, strand: Strand) -> Strand:
    """A node that multiplies a stream by a matrix: a convolution, or a fully connected layer."""
    check_attributes(node, strands.graph.opset)
    windows = node.op_type in ("Conv", TRANSPOSED)
    if strand.pad is not None and not windows:
        raise strand.lost_pad(label(node))
    check_float(node, strand.dtype)
    if windows and strand.pad is None:
        strand = facing(strands, node, strand)
        strand.face_image()
    elif node.op_type == "MatMul" and not strand.layout.is_flat:
        strand.face_steps()
    _, zeros = strand.pad or (None, NONE)
    if node.op_type == TRANSPOSED:
        return _transposed(strands, node, strand, read_transposed(node, strands.graph, strand.layout, zeros))
    found = read_product(node, strands.graph, strand.layout, zeros)
    source = strands.finish(node, strand)
    head = PendingUnit.of(found, source, strands.number, strand.layout, strands.graph, strands.builder)
    return Strand(head, strand.tensor, head.after, f"there is none after {label(node)}", strand.dtype)


def _transposed(strands: Strands, node: Node, strand: Strand, found: Transposed) -> Strand:
    """A convolution, behind zeros between the pixels."""
    stream, span = strands.finish(node, strand), None
    names = [strands.builder.name(kind.type, root=stream.root) for kind in (ZeroInsertion, Select)]
    layers = found.layers(names[0], names[1], node, strand.layout.shape[0])
    if layers:
        levels = stream.levels if found.stride == (1, 1) else layers[0].output_levels(stream.levels)
        assert levels is not None
        if stream.span is not None:
            span = min(stream.span[0], 0), max(stream.span[1], 0)
        strands.builder.add(strands.number, layers, (stream.name,))
        stream = replace(stream, name=layers[-1].name, source=levels, span=span)
    if found.product is None:
        grid = Grid(stream.step, stream.levels)
        strands.sites.streams[stream.name] = stream_site(node.output[0], found.layout, grid, stream.levels)
        return strands.behind(stream, strand.tensor, replace(strand, layout=found.layout, pad=None))
    head = PendingUnit.of(found.product, stream, strands.number, found.layout, strands.graph, strands.builder)
    return Strand(head, strand.tensor, head.after, f"there is none after {label(node)}", strand.dtype)


def both(strands: Strands, node: Node, read: list[Strand]) -> Strand:
    """A node that reads several functions of one stream: together they are another one."""
    heads = [strand.head for strand in read if isinstance(strand.head, PendingStream)]
    for strand in read:
        check_arithmetic(node, strand.dtype)
    chains = [head.chain for head in heads]
    common = zip(*(chain.steps for chain in chains), strict=False)
    start = sum(1 for _ in takewhile(lambda steps: all(step is steps[0] for step in steps), common))
    head, layout = heads[0].fork(strands.number), read[0].layout
    head.chain = chains[0].part(0, start).copy()
    head.chain.join(node, chains, layout.channels, [strand.dtype for strand in read])
    head.streams = {}
    why = f"there is none after {label(node)}"
    return Strand(head, node.output[0], layout, why, read[-1].dtype, scores=set(read[0].scores))


def join(strands: Strands, node: Node, moving: list[str], read: list[Strand]) -> Strand:
    """A node that reads several streams."""
    check_attributes(node, strands.graph.opset)
    if len(moving) != len(node.input):
        raise refuse(node, "expected streams alone, not constants among them")
    for strand in read:
        if strand.selected:
            raise refuse(node, "nothing may follow the choice of the class: export the model without it")
        check_float(node, strand.dtype)
    read = [facing(strands, node, strand) for strand in read]
    layout = joined_layout(node, [strand.layout for strand in read])
    streams = [strands.finish(node, strand) for strand in read]
    layer, made = read_join(node, streams, strands.graph, strands.builder.name(JOINS[node.op_type]))
    strands.builder.add(strands.number, [layer], layer.inputs)
    if isinstance(made.grid, Grid):
        strands.sites.streams[layer.name] = stream_site(node.output[0], layout, made.grid, made.levels)
    return strands.behind(made, node.output[0], replace(read[0], layout=layout))


def average(strands: Strands, node: Node, strand: Strand) -> Strand:
    """An average, or a sum, over windows of a stream."""
    check_attributes(node, strands.graph.opset)
    check_float(node, strand.dtype)
    zeros = strand.take_pad(node) if node.op_type == "AveragePool" else NONE
    stream = strands.finish(node, strand)
    name = strands.builder.name("sum", root=stream.root)
    pool, sums, layout = read_average(node, strands.graph, strand.layout, stream, name, zeros)
    strands.builder.add(strands.number, [pool], [stream.name])
    grid = Grid(sums.step, sums.levels)
    strands.sites.streams[name] = stream_site(node.output[0], layout, grid, sums.levels)
    strand.layout = layout
    return strands.behind(sums, node.output[0], strand)


def own(strands: Strands, node: Node, strand: Strand) -> Strand:
    """A table, or fixed point, of our own."""
    stream = strands.finish(node, strand)
    name = strands.builder.name(node.op_type.lower(), root=stream.root)
    layer, made = read_own(node, strands.graph, stream, name)
    strands.builder.add(strands.number, [layer], [stream.name])
    strands.sites.streams[name] = stream_site(node.output[0], strand.layout, Grid(1.0, made.levels), made.levels)
    return strands.behind(made, node.output[0], strand)
