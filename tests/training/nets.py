"""Small networks with activations of every kind, and a stand-in for a quantiser's levels."""

from __future__ import annotations

import brevitas.nn as qnn
import torch
from torch import Tensor, nn

from fat_fpga.models.activation import QuantisedActivation
from fat_fpga.training.injection.levels import Levels


class Whole(Levels):
    """The levels 0 .. M - 1."""

    def __init__(self, count: int) -> None:
        self._count = count

    def count(self) -> int:
        return self._count

    def values(self, index: Tensor, dtype: torch.dtype) -> Tensor:
        return index.to(dtype)


class OwnForward(nn.Module):
    """A user's network: a block inside, activations and a pool as attributes, a pool as a function."""

    def __init__(self, quant_tensors: bool = False) -> None:
        super().__init__()
        self.images = qnn.QuantIdentity(bit_width=8, return_quant_tensor=quant_tensors)
        self.first = qnn.QuantConv2d(1, 4, 3, weight_bit_width=2)
        self.act = qnn.QuantReLU(bit_width=2, return_quant_tensor=quant_tensors)
        self.pool = nn.MaxPool2d(2)
        self.block = Block(quant_tensors)
        self.last = qnn.QuantLinear(6 * 4, 3, bias=True, weight_bit_width=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.act(self.first(self.images(x))))
        scores: Tensor = self.last(torch.flatten(nn.functional.max_pool2d(self.block(x), 2), 1))
        return scores


class Block(nn.Module):
    """Convolution, norm, activation; the activation registered first."""

    def __init__(self, quant_tensors: bool) -> None:
        super().__init__()
        self.relu = qnn.QuantReLU(bit_width=4, return_quant_tensor=quant_tensors)
        self.conv = qnn.QuantConv2d(4, 6, 3, weight_bit_width=2)
        self.norm = nn.BatchNorm2d(6)

    def forward(self, x: Tensor) -> Tensor:
        activations: Tensor = self.relu(self.norm(self.conv(x)))
        return activations


IMAGES = (1, 1, 14, 14)


def images(count: int = 5) -> Tensor:
    return torch.rand(count, *IMAGES[1:], generator=torch.Generator().manual_seed(7))


def one_layer(bits: int, features: int = 40) -> nn.Sequential:
    """A fully connected layer and its activation, of our own family."""
    return nn.Sequential(
        qnn.QuantLinear(8, features, bias=False, weight_bit_width=2), QuantisedActivation(bits)
    ).train()
