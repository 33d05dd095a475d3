"""How the values of an activation lie in the graph's tensor."""

from __future__ import annotations

from collections.abc import Callable
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
        shape: C, H, W of the activation.
        index: of the tensor's shape without the batch; position in the flattened [C, H, W] of each element.
    """

    shape: Shape
    index: Index

    @classmethod
    def image(cls, shape: Shape) -> Layout:
        """A tensor [N, C, H, W]."""
        return cls(shape, np.arange(np.prod(shape)).reshape(shape))

    @classmethod
    def flat(cls, shape: Shape) -> Layout:
        """A tensor [N, C * H * W], channels slowest."""
        return cls(shape, np.arange(np.prod(shape)))

    @property
    def is_image(self) -> bool:
        return np.array_equal(self.index, Layout.image(self.shape).index)

    @property
    def is_flat(self) -> bool:
        """Whether all values lie along the last axis."""
        return bool(self.index.size == self.index.shape[-1])

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
