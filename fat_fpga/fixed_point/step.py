"""A node of a float network, with what was folded into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.network.lowering.graph import Node

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Product:
    """Weights and biases, with all folded in.

    Attributes:
        weights: float64, as the node takes them.
        bias: float64 [M].
        channels_first: whether the first axis of the weights is that of the M channels behind the product.
    """

    weights: Floats
    bias: Floats
    channels_first: bool

    def by_channel(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values of the weights' shape as [M, K]."""
        first = values if self.channels_first else values.T
        return first.reshape(len(self.bias), -1)

    def scaled(self, factors: Floats) -> Floats:
        """The weights, those of each channel times its factor, [M]."""
        axes = [1] * (self.weights.ndim - 1)
        return self.weights * factors.reshape((-1, *axes) if self.channels_first else (*axes, -1))


@dataclass(frozen=True, eq=False)
class Step:
    """A node.

    Attributes:
        node: as in the file; its first output is that of the last node that was folded into it.
        name: of the layer that it is, among all those of the network.
        product: its weights, where it is a matrix product.
        is_shape: whether it computes with shapes, not with values.
    """

    node: Node
    name: str = ""
    product: Product | None = None
    is_shape: bool = False
