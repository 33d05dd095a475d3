"""A Pad of zeros right in front of a convolution or a pool, which is the padding of that."""

from __future__ import annotations

import numpy as np

from fat_fpga.network.lowering.geometry import Padding
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.layout import Layout


def read_pad(node: Node, graph: Graph, layout: Layout) -> Padding:
    """Top, left, bottom, right of a Pad; ModelError where a convolution could not have it."""
    rank = layout.index.ndim + 1
    options = attributes(node)
    mode = options.get("mode", "constant")
    if mode != "constant":
        raise refuse(node, f"expected zeros, got mode {mode}: take padding_mode='zeros'")
    value, pads = options.get("value", 0.0), options.get("pads")
    if len(node.input) > 1:
        pads = graph.constant(node, 1).tolist()
    if len(node.input) > 2 and node.input[2]:
        value = float(graph.constant(node, 2).ravel()[0])
    if value != 0:
        raise refuse(node, f"expected zeros, got the value {value:g}")
    axes = graph.constant(node, 3).tolist() if len(node.input) > 3 and node.input[3] else list(range(rank))
    if pads is None or len(pads) != 2 * len(axes):
        raise refuse(node, f"expected pads for {len(axes)} axes, got {pads}")
    around = {axis % rank: (pads[i], pads[i + len(axes)]) for i, axis in enumerate(axes)}
    pixels = _pixel_axes(node, layout)
    (top, bottom), (left, right) = (around.pop(axis, (0, 0)) for axis in pixels)
    if any(size for sizes in around.values() for size in sizes) or min(top, left, bottom, right) < 0:
        raise refuse(node, f"expected zeros around height and width only, got pads {pads}")
    return top, left, bottom, right


def _pixel_axes(node: Node, layout: Layout) -> tuple[int, int]:
    """Axes of height and width; that of height is -1 for a signal."""
    first = 2 if layout.is_image else 1
    last = layout.index.ndim == 3 and np.array_equal(np.moveaxis(layout.index, -1, 0), Layout.image(layout.shape).index)
    last |= layout.index.ndim == 2 and np.array_equal(layout.index.T, layout.like(layout.shape).index)
    if not layout.is_image and not last:
        raise refuse(node, "expected activations [N, C, H, W], [N, C, L], or these with the channels last")
    return (first, first + 1) if layout.index.ndim == 3 else (-1, first)
