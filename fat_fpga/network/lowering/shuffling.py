"""Values at other places: where nodes that move values have left the axes of an image in an order of their own."""

from __future__ import annotations

import math

import numpy as np

from fat_fpga.network.layers import Shape, Shuffle
from fat_fpga.network.lowering.layout import Index, Layout

BLOCKS = ("DepthToSpace", "SpaceToDepth")
"""Operators that move blocks of pixels to channels, and back."""


def shuffle_of(layout: Layout, name: str, node: str) -> tuple[Shuffle, Layout] | None:
    """What puts a tensor of the rank of an image, or a signal, into the order of its axes, and its layout then; None
    where it is in that order, or where no one transposition between two reshapes does so."""
    axes = layout.index.ndim
    if layout.is_image or layout.channels_last or axes not in (2, 3):
        return None
    found = _transposition(layout.index.ravel())
    if found is None:
        return None
    sizes = layout.index.shape
    shape: Shape = (sizes[0], sizes[1] if axes == 3 else 1, sizes[-1])
    return Shuffle(name, *found, shape, node), Layout.image(shape, axes)


def spreads(layout: Layout) -> bool:
    """Whether a stream's channel lies in several channels of a tensor whose axes are those of an image."""
    if layout.is_image or layout.channels_last or layout.index.ndim not in (2, 3):
        return False
    channels = layout.channels.reshape(len(layout.index), -1)
    return sum(len(np.unique(row)) for row in channels) > layout.shape[0]


def _transposition(places: Index) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Sizes of axes, and their order behind, so that they bring the values ``places`` to 0, 1, ...; None if none do.

    The axes behind are found from the last one on: along each of them places lie evenly.
    """
    left, sizes, steps = places, list[int](), list[int]()
    while left.size > 1:
        step = int(left[1] - left[0])
        even = left == left[0] + step * np.arange(left.size)
        count = left.size if even.all() else int(even.argmin())
        if step < 1 or left.size % count:
            return None
        rows = left.reshape(-1, count)
        if not np.array_equal(rows, rows[:, :1] + step * np.arange(count)):
            return None
        left, sizes, steps = rows[:, 0], [count, *sizes], [step, *steps]
    first = sorted(range(len(steps)), key=lambda axis: -steps[axis])
    in_front = tuple(sizes[axis] for axis in first)
    if any(steps[axis] != math.prod(in_front[at + 1 :]) for at, axis in enumerate(first)):
        return None
    return in_front, tuple(first.index(axis) for axis in range(len(first)))
