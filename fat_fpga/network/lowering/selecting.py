"""Nodes behind which each value is one of those in front: slices, splits, and changes of size to the nearest value.

Which value that is depends on half a dozen attributes. So the node is executed, on the number of each place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from fat_fpga.network.layers import MajorityVote, MaxPool, Select, Shape, Upsample
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.layout import Index, Layout
from fat_fpga.network.lowering.operators import Operator

RESIZES = ("Resize", "Upsample")
SELECTS = (*RESIZES, "Slice", "Split", "Gather")
MOST_PLACES = 2**24
"""Numbers that float32 has, each of its own."""
Named = Callable[[str], str]
Parts = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Channels, rows and columns."""
Behind = MajorityVote | MaxPool | Upsample | Select
"""Layers that a product's activation is in front of, wherever the file has them."""


def add_select(
    behind: list[Behind], shown: dict[str, Any], named: Named, node: Node, parts: Parts, shape: Shape
) -> None:
    """Add to the layers ``behind`` what a node selects of a stream of ``shape``, all of its channels.

    Args:
        shown: what the file shows of the streams behind them, by name.
        named: a name for a layer of a type.
    """
    factors = None if node.op_type not in RESIZES else _factors(parts, shape)
    if factors is not None:
        behind.append(Upsample(named(Upsample.type), factors, node.name))
        return
    before = take_select(behind, shown)
    behind.append(composed(before, Select(named(Select.type), *parts, node.name)))


def take_select(behind: list[Behind], shown: dict[str, Any]) -> Select | None:
    """Take the last of the layers ``behind`` away, and what the file shows of it, where it is a selection."""
    last = behind[-1] if behind else None
    if isinstance(last, Select):
        behind.pop()
        shown.pop(last.name, None)
        return last
    return None


def composed(first: Select | None, then: Select) -> Select:
    """Two selections, one after the other, as one with the name of the second."""
    if first is None:
        return then
    channels, rows, columns = (
        tuple(one[at] for at in other) for one, other in zip(first.parts, then.parts, strict=True)
    )
    return replace(then, channels=channels, rows=rows, columns=columns)


def shuffled(layout: Layout) -> tuple[Parts, Layout] | None:
    """What puts a tensor of the rank of an image, or a signal, into the order of its axes, and its layout then; None
    where it is in that order, or none of its channels, rows and columns."""
    axes = layout.index.ndim
    if layout.is_image or layout.channels_last or axes not in (2, 3):
        return None
    parts = _parts(layout.index if axes == 3 else layout.index[:, None], layout.shape)
    if parts is None or tuple(map(len, parts)) != layout.shape:
        return None
    return parts, Layout.image(layout.shape, axes)


def _factors(parts: Parts, shape: Shape) -> tuple[int, int] | None:
    """How many times each row and each column is repeated; None where they are not all as often."""
    channels, down, right = (len(part) // size for part, size in zip(parts, shape, strict=True))
    repeated = (np.repeat(range(size), times) for size, times in zip(shape, (1, down, right), strict=True))
    same = all(part == tuple(row.tolist()) for part, row in zip(parts, repeated, strict=True))
    return (down, right) if same and channels == 1 else None


def selected(node: Node, graph: Graph, layout: Layout, output: int = 0) -> tuple[Parts, Layout]:
    """Channels, rows and columns that a node selects, and the layout behind it.

    Args:
        output: number of the node's output.

    Raises:
        ModelError: the node makes other values than those in front, or mixes up channels, rows and columns.
    """
    mode = attributes(node).get("mode", "nearest")
    if mode != "nearest":
        raise refuse(node, f"mode {mode} computes values between activations: take mode nearest, or a convolution")
    index, axes = layout.index, layout.index.ndim
    if not layout.is_image and not layout.channels_last:
        raise refuse(node, "expected activations [N, C, H, W], [N, C, L], these with the channels last, or [N, C]")
    found = _places(node, graph, layout, output)
    if found.ndim != axes or not found.size:
        raise refuse(node, f"from {list(index.shape)} to {list(found.shape)}: it must keep all axes, and some values")
    first = found if layout.is_image else np.moveaxis(found, -1, 0)
    parts = _parts(first.reshape(first.shape[0], *[1] * (3 - axes), *first.shape[1:]), layout.shape)
    if parts is None:
        raise refuse(node, "it does not select whole channels, rows and columns")
    shape: Shape = (len(parts[0]), len(parts[1]), len(parts[2]))
    if axes == 1:
        return parts, Layout.flat(shape)
    image = Layout.image(shape, axes)
    return parts, image if layout.is_image else Layout(shape, np.moveaxis(image.index, 0, -1))


def _parts(places: Index, shape: Shape) -> Parts | None:
    """Channels, rows and columns that places [C', H', W'] of a stream of ``shape`` are; None where they are not the
    same channels in each row and column, and so on."""
    channel, row, column = np.unravel_index(places, shape)
    parts = channel[:, 0, 0], row[0, :, 0], column[0, 0, :]
    whole = np.ravel_multi_index(np.ix_(*parts), shape)
    if not np.array_equal(whole, places):
        return None
    channels, rows, columns = (tuple(part.tolist()) for part in parts)
    return channels, rows, columns


def _places(node: Node, graph: Graph, layout: Layout, output: int) -> Index:
    """Position in the flattened [C, H, W] of the activation that each element behind a node is."""
    if layout.index.size > MOST_PLACES:
        raise refuse(node, f"its input has {layout.index.size:,} values, expected at most {MOST_PLACES:,}")
    if len(graph.moving(node)) > 1 or node.input[0] in graph.constants:
        raise refuse(node, "expected constants for all that says what is selected")
    rest = {name: graph.constant(node, at) for at, name in enumerate(node.input) if at and name}
    operator, rank = Operator(node, graph, output), layout.index.ndim
    images = np.broadcast_to(np.arange(graph.batch).reshape(-1, *[1] * rank), (graph.batch, *layout.index.shape))
    places, of = (
        operator({node.input[0]: np.array(np.broadcast_to(values, images.shape), np.float32), **rest})
        for values in (layout.index, images)
    )
    if (
        len(places) != graph.batch
        or of.ndim != rank + 1
        or np.any(of.reshape(graph.batch, -1) != np.arange(graph.batch)[:, None])
    ):
        raise refuse(node, "it must keep the batch axis, and each image by itself")
    found: Index = places[0].astype(np.intp)
    return found
