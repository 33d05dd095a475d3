"""The residual network of MLPerf Tiny (ResNet-8 on CIFAR-10) in Brevitas, with few bits."""

from __future__ import annotations

from typing import Any

import torch
from brevitas import nn as qnn
from brevitas.quant import Int8ActPerTensorFixedPoint, Int8WeightPerTensorFixedPoint, Uint8ActPerTensorFixedPoint
from torch import Tensor, nn


class Block(nn.Module):
    """Two convolutions beside a shortcut, which is a convolution of 1x1 where the shape changes."""

    def __init__(self, before: int, behind: int, stride: int, bits: int) -> None:
        super().__init__()
        self.first = nn.Sequential(_convolution(before, behind, 3, stride, bits), nn.BatchNorm2d(behind), _relu(bits))
        self.second = nn.Sequential(_convolution(behind, behind, 3, 1, bits), nn.BatchNorm2d(behind))
        self.shortcut = nn.Sequential()
        if stride > 1 or before != behind:
            self.shortcut = nn.Sequential(_convolution(before, behind, 1, stride, bits), nn.BatchNorm2d(behind))
        self.grid = qnn.QuantIdentity(  # one for both branches, as the sum needs
            act_quant=Int8ActPerTensorFixedPoint, bit_width=bits + 1, scaling_init=1.0, return_quant_tensor=False
        )
        self.relu = _relu(bits)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.relu(self.grid(self.second(self.first(x))) + self.grid(self.shortcut(x)))
        return result


class ResNet8(nn.Module):
    """Images [N, 3, 32, 32] of 0..1 to ten scores."""

    def __init__(self, bits: int = 2, width: int = 16) -> None:
        super().__init__()
        self.input = qnn.QuantIdentity(
            act_quant=Int8ActPerTensorFixedPoint, bit_width=8, scaling_init=1.0, return_quant_tensor=False
        )
        self.stem = nn.Sequential(_convolution(3, width, 3, 1, bits), nn.BatchNorm2d(width), _relu(bits))
        self.blocks = nn.Sequential(
            Block(width, width, 1, bits), Block(width, 2 * width, 2, bits), Block(2 * width, 4 * width, 2, bits)
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = qnn.QuantLinear(
            4 * width, 10, bias=False, weight_quant=Int8WeightPerTensorFixedPoint, weight_bit_width=bits
        )

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.fc(self.pool(self.blocks(self.stem(self.input(2 * x - 1)))).flatten(1))
        return scores


def random_resnet8(seed: int, bits: int = 2, width: int = 16) -> ResNet8:
    """A network in evaluation mode with random batch norm, gains of either sign."""
    torch.manual_seed(seed)
    model = ResNet8(bits, width)
    model.train()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.normal_(0.5, 0.7)
                module.bias.normal_(0.3, 0.4)
        for _ in range(8):  # batch norm and scales settle on what they see
            model(torch.rand(8, 3, 32, 32))
    return model.eval()


def _convolution(before: int, behind: int, size: int, stride: int, bits: int) -> Any:
    return qnn.QuantConv2d(
        before, behind, size, stride, size // 2, bias=False, weight_quant=Int8WeightPerTensorFixedPoint,
        weight_bit_width=bits,
    )  # fmt: skip


def _relu(bits: int) -> Any:
    return qnn.QuantReLU(
        act_quant=Uint8ActPerTensorFixedPoint, bit_width=bits, scaling_init=2.0, return_quant_tensor=False
    )
