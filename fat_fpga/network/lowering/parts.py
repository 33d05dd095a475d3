"""Nodes that select or shuffle parts of a tensor, and those that split it."""

from __future__ import annotations

from dataclasses import replace

from fat_fpga.network.layers import Select, Shuffle
from fat_fpga.network.lowering.domains import check_attributes
from fat_fpga.network.lowering.graph import Node, label
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.image import PendingImage
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.selecting import Parts, composed, selected, shuffled, take_select
from fat_fpga.network.lowering.shuffling import shuffle_of
from fat_fpga.network.lowering.sites import stream_site
from fat_fpga.network.lowering.strand import Strand
from fat_fpga.network.lowering.strands import Strands
from fat_fpga.network.lowering.stream import PendingStream


def split(strands: Strands, node: Node, strand: Strand) -> None:
    """A node whose outputs are parts of a tensor: as if several nodes read it."""
    parts = [number for number, name in enumerate(node.output) if name]
    fork = strands.fork(node, strand.tensor, strand) if len(parts) > 1 else lambda: strand
    for number in parts:
        part = select(strands, node, fork(), number)
        part.move_to(node, strands.graph, number)
        strands.known[node.output[number]] = part
        strands.seen[node.output[number]] = (strands.graph.batch, *part.layout.index.shape)


def select(strands: Strands, node: Node, strand: Strand, output: int = 0) -> Strand:
    """A node that selects parts of a tensor. Rows and columns are selected behind the activation; so are channels,
    whose parameters behind the node are others, once it is finished."""
    check_attributes(node, strands.graph.opset)
    if strand.pad is not None:
        raise strand.lost_pad(label(node))
    strand = facing(strands, node, strand)
    head, shape = strand.head, strand.layout.shape
    parts, layout = selected(node, strands.graph, strand.layout, output)
    if isinstance(head, PendingImage):
        if head.add_select(parts, layout):
            strand.layout = layout
            return strand
        strand = strands.behind(strands.finish(node, strand), strand.tensor, strand)
        head = strand.head
        assert isinstance(head, PendingStream)
    if parts[0] != tuple(range(shape[0])):
        return _channels(strands, node, strand, parts, layout, node.output[output])
    strand.layout = layout
    if parts[1:] != (tuple(range(shape[1])), tuple(range(shape[2]))):
        head.add_select(node, parts, shape)
    return strand


def _channels(strands: Strands, node: Node, strand: Strand, parts: Parts, layout: Layout, tensor: str = "") -> Strand:
    """A selection of channels, behind the stream in front of a node; ``tensor`` holds it, if one does."""
    head = strand.head
    assert not isinstance(head, PendingImage)
    before = take_select(head.behind, head.streams)
    stream = strands.finish(node, strand)
    name = strands.builder.name(Select.type, root=stream.root)
    layer = composed(before, Select(name, *parts, node.name))
    strands.builder.add(strands.number, [layer], [stream.name])
    made = replace(stream, name=name, source=stream.levels)
    if tensor and isinstance(made.grid, Grid):
        strands.sites.streams[name] = stream_site(tensor, layout, made.grid, made.levels)
    return strands.behind(made, strand.tensor, replace(strand, layout=layout))


def facing(strands: Strands, node: Node, strand: Strand) -> Strand:
    """A strand in front of a node that takes an image: what has been moved is put into the order of the axes."""
    if strand.pad is not None or isinstance(strand.head, PendingImage):
        return strand
    found = shuffled(strand.layout)
    if found is not None:
        return _channels(strands, node, strand, *found)
    moved = shuffle_of(strand.layout, "", node.name)
    return strand if moved is None else _shuffled(strands, node, strand, *moved)


def _shuffled(strands: Strands, node: Node, strand: Strand, layer: Shuffle, layout: Layout) -> Strand:
    """A shuffle of values, behind the stream in front of a node. The file's tensor holds that stream, in this order."""
    stream = strands.finish(node, strand)
    name = strands.builder.name(Shuffle.type, root=stream.root)
    strands.builder.add(strands.number, [replace(layer, name=name)], [stream.name])
    made = replace(stream, name=name, source=stream.levels)
    return strands.behind(made, strand.tensor, replace(strand, layout=layout))
