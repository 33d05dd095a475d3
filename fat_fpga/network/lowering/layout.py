"""How the values of an activation lie in the graph's tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.network.layers import Shape

Index = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each value of [C, H, W] sits in a tensor of any rank.

    Attributes:
        shape: C, H, W of the activation; H is 1 where the file has signals [C, L].
        index: of the tensor's shape without the batch; position in the flattened [C, H, W] of each element.
    """

    shape: Shape
    index: Index

    @classmethod
    def image(cls, shape: Shape, axes: int = 3) -> Layout:
        """A tensor [N, C, H, W]; or [N, C, L] for two axes, where H is 1."""
        index = np.arange(np.prod(shape)).reshape(shape)
        return cls(shape, index[:, 0] if axes == 2 else index)

    @classmethod
    def flat(cls, shape: Shape) -> Layout:
        """A tensor [N, C * H * W], channels slowest."""
        return cls(shape, np.arange(np.prod(shape)))

    def like(self, shape: Shape) -> Layout:
        """Another image with as many axes as this one."""
        return Layout.image(shape, self.index.ndim)

    @property
    def is_image(self) -> bool:
        """Whether it is [N, C, H, W], or [N, C, L]."""
        image = self.index.ndim == 3 or (self.index.ndim == 2 and self.shape[1] == 1)
        return image and np.array_equal(self.index, self.like(self.shape).index)

    @property
    def is_flat(self) -> bool:
        """Whether all values lie along the last axis."""
        return bool(self.index.size == self.index.shape[-1])

    @property
    def channels_last(self) -> bool:
        """Whether the last axis is that of the channels, all of them."""
        rows, pixels = self.index.reshape(-1, self.index.shape[-1]), self.shape[1] * self.shape[2]
        return rows.shape[1] == self.shape[0] and np.array_equal(
            rows, rows[:, :1] % pixels + pixels * np.arange(self.shape[0])
        )

    @property
    def channels(self) -> Index:
        """Channel of each element."""
        return self.index // (self.shape[1] * self.shape[2])

    def moved(self, operation: Callable[[Any], Any], batch: int) -> Layout | None:
        """The layout behind an operation on tensors with a batch axis; None where it mixes up the images."""
        images = np.arange(batch).reshape(-1, *[1] * self.index.ndim) * self.index.size + self.index
        result = operation(images)
        first = result[0] if result.ndim > 1 and len(result) == batch else None
        if first is None or first.size != self.index.size or np.any(first >= self.index.size):
            return None
        return Layout(self.shape, first)

    def pointwise(self, channels: int) -> Layout:
        """The layout behind a product over the last axis, which is that of the channels."""
        pixels = self.shape[1] * self.shape[2]
        index = self.index[..., :1] % pixels + pixels * np.arange(channels)
        return Layout((channels, *self.shape[1:]), index)

    def reduced(self, axes: Sequence[int], keep: bool) -> tuple[tuple[int, int], Layout] | None:
        """Height and width of the windows that a reduction over axes of the tensor, the batch counted, takes together,
        and the layout behind it; None where these are not the whole height, the whole width, or both.

        Args:
            keep: whether reduced axes stay, with size 1.
        """
        rank, (channels, height, width) = self.index.ndim + 1, self.shape
        along = sorted({axis % rank - 1 for axis in axes})
        if not along or along[0] < 0:
            return None
        first = self.index
        for axis in along:
            first = first.take([0], axis)
        places = np.stack(np.unravel_index(self.index, self.shape))
        start = np.stack(np.unravel_index(np.broadcast_to(first, self.index.shape), self.shape))
        moves = [bool(np.any(now != then)) for now, then in zip(places, start, strict=True)]
        window = (height if moves[1] else 1, width if moves[2] else 1)
        if moves[0] or window[0] * window[1] * first.size != self.index.size:
            return None
        shape = (channels, height // window[0], width // window[1])
        c, y, x = np.unravel_index(first, self.shape)
        behind = np.ravel_multi_index((c, y // window[0], x // window[1]), shape)
        return window, Layout(shape, behind if keep else behind.reshape(np.delete(first.shape, along)))
