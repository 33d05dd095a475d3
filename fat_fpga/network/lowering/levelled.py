"""Class scores that are a stream of integers with levels: behind a quantiser, an average or a sum of streams."""

from __future__ import annotations

from math import floor

import numpy as np

from fat_fpga.network.layers import AffineScores
from fat_fpga.network.lowering.builder import Builder
from fat_fpga.network.lowering.constants import exactly
from fat_fpga.network.lowering.graph import Graph, Node, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.ranks import too_many
from fat_fpga.network.lowering.sites import Sites
from fat_fpga.network.lowering.strand import Strand
from fat_fpga.network.lowering.stream import PendingStream
from fat_fpga.network.lowering.unit import PendingUnit


def is_levelled(end: Strand) -> bool:
    """Whether the scores are a stream: the end is no product's, or its quantiser needs a larger table of sums than
    there may be."""
    if end.affine is not None or isinstance(end.head, PendingStream):
        return True
    if not isinstance(end.head, PendingUnit) or end.head.voted or end.head.ranks is not None:
        return False
    quantised = isinstance(end.grid, Grid) and end.grid.levels is not None
    return quantised and too_many(end.head.unit, end.head.source.source)


def level_scores(end: Strand, graph: Graph, builder: Builder, sites: Sites) -> None:
    """Add the stream, and scores that are its integers: the largest real value is the largest of them.

    Of one score the class is that of its value, above 0 or above 0.5 (see `decision`).

    Raises:
        ModelError: there is no grid that all classes have in common, or there is not one score for each class.
    """
    last: Node = next(node for node in reversed(graph.nodes) if (end.normalised or end.tensor) in node.output)
    classes = end.layout.shape[0]
    if end.layout.index.size != classes or not np.array_equal(end.layout.channels.ravel(), np.arange(classes)):
        raise refuse(last, f"expected one score for each class, got an output of {list(end.layout.shape)}")
    assert isinstance(end.head, PendingUnit | PendingStream)
    stream = end.head.finish(last, end.grid, sites)
    if stream.scale is None:
        raise refuse(last, f"its class scores are on no common grid: {stream.why}")
    factors, offsets = np.ones(classes, np.int32), np.zeros(classes, np.int32)
    if end.affine is not None:
        given = [exactly(graph.constant(end.affine, position)) for position in (1, 2)]
        if any(values is None or values.shape != (classes,) for values in given):
            raise refuse(end.affine, f"expected integers for its {classes} scores")
        factors, offsets = (values for values in given if values is not None)
    elif classes == 1 and stream.levels.min >= 0 and stream.levels.max * stream.scale <= 1:
        sites.middle = 0.5
        offsets -= np.int32(floor(0.5 / stream.scale))
    name = builder.name("scores", root=stream.root)
    builder.add(len(graph.nodes), [AffineScores(name, factors, offsets, last.name)], (stream.name,))
