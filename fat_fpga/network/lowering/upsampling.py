"""Resize and Upsample by whole factors, to the nearest value: each activation is repeated.

Which value is the nearest depends on half a dozen attributes. So the node is executed, on the number of each place.
"""

from __future__ import annotations

import numpy as np

from fat_fpga.network.layers import Shape, Upsample
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.layout import Index, Layout
from fat_fpga.network.lowering.operators import Operator

UPSAMPLES = ("Resize", "Upsample")
MOST_PLACES = 2**24
"""Numbers that float32 has, each of its own."""
FRONT = "upsampling in front of the first matrix product is not supported: give images of the larger size"


def read_upsample(node: Node, graph: Graph, layout: Layout, name: str) -> tuple[Upsample | None, Layout]:
    """The upsampling that a node is, and the layout behind it; no layer where it repeats nothing.

    Raises:
        ModelError: the node does not repeat each activation a whole number of times.
    """
    mode = attributes(node).get("mode", "nearest")
    if mode != "nearest":
        raise refuse(node, f"mode {mode} computes values between activations: take mode nearest, or a convolution")
    image = layout.is_image
    if not image and not (layout.channels_last and layout.index.ndim > 1):
        raise refuse(node, "expected activations [N, C, H, W], [N, C, L], or these with the channels last")
    found = _places(node, graph, layout)
    axes = slice(1, None) if image else slice(0, -1)
    sizes = np.array(found.shape[axes]), np.array(layout.index.shape[axes])
    factors = tuple(int(factor) for factor in sizes[0] // sizes[1])
    pair = factors if len(factors) == 2 else (1, *factors)
    shape: Shape = (layout.shape[0], layout.shape[1] * pair[0], layout.shape[2] * pair[1])
    behind = Layout.image(shape, len(factors) + 1)
    index = behind.index if image else np.moveaxis(behind.index, 0, -1)
    if (
        index.shape != found.shape
        or np.any(sizes[0] % sizes[1])
        or not np.array_equal(_source(index, shape, pair), found)
    ):
        raise refuse(
            node,
            f"from {list(layout.index.shape)} to {list(found.shape)} it does not repeat each activation a whole number "
            "of times: scale height and width by whole numbers (coordinate_transformation_mode asymmetric)",
        )
    layer = None if pair == (1, 1) else Upsample(name, (pair[0], pair[1]), node.name)
    return layer, Layout(shape, index)


def _places(node: Node, graph: Graph, layout: Layout) -> Index:
    """Position in the flattened [C, H, W] of the activation that each element behind a node is."""
    if layout.index.size > MOST_PLACES:
        raise refuse(node, f"its input has {layout.index.size:,} values, expected at most {MOST_PLACES:,}")
    places = np.repeat(layout.index[None].astype(np.float32), graph.batch, axis=0)
    rest = {name: graph.constant(node, at) for at, name in enumerate(node.input) if at and name}
    made = Operator(node, graph)({node.input[0]: places, **rest})
    if len(made) != graph.batch or made.ndim != places.ndim:
        raise refuse(node, "it must keep the batch axis: scale height and width alone")
    found: Index = made[0].astype(np.intp)
    return found


def _source(index: Index, shape: Shape, factors: tuple[int, ...]) -> Index:
    """Position in front of an upsampling, of positions behind it."""
    channel, row, column = np.unravel_index(index, shape)
    before = shape[0], shape[1] // factors[0], shape[2] // factors[1]
    return np.ravel_multi_index((channel, row // factors[0], column // factors[1]), before)
