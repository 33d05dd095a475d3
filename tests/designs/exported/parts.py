"""The parts of small networks: quantised layers of few bits, batch norms with random statistics, heads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from brevitas import nn as qnn
from torch import Tensor, nn


class Module(nn.Module):
    """A function of named modules and a tensor: ``Module(lambda s, x: s.b(s.a(x)), a=..., b=...)``."""

    def __init__(self, function: Callable[[Any, Tensor], Any], **modules: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def relu(bits: int = 4, **options: Any) -> nn.Module:
    module: nn.Module = qnn.QuantReLU(bit_width=bits, **options)
    return module


def identity(bits: int = 4, **options: Any) -> nn.Module:
    module: nn.Module = qnn.QuantIdentity(bit_width=bits, **options)
    return module


def conv(inputs: int, outputs: int, kernel: int | tuple[int, int] = 3, **options: Any) -> nn.Module:
    module: nn.Module = qnn.QuantConv2d(inputs, outputs, kernel, **{"weight_bit_width": 4, "bias": False, **options})
    return module


def conv1d(inputs: int, outputs: int, kernel: int, **options: Any) -> nn.Module:
    module: nn.Module = qnn.QuantConv1d(inputs, outputs, kernel, weight_bit_width=4, bias=False, **options)
    return module


def linear(inputs: int, outputs: int, **options: Any) -> nn.Module:
    module: nn.Module = qnn.QuantLinear(inputs, outputs, **{"weight_bit_width": 4, "bias": False, **options})
    return module


def norm(channels: int) -> nn.Module:
    """A batch norm with statistics and parameters of its own for each channel."""
    module = nn.BatchNorm2d(channels)
    assert module.running_mean is not None
    assert module.running_var is not None
    module.running_mean.normal_(0, 0.3)
    module.running_var.uniform_(0.5, 2)
    with torch.no_grad():
        module.weight.uniform_(0.5, 1.5)
        module.bias.normal_(0, 0.3)
    return module


def stem(channels: int = 6, bits: int = 4) -> nn.Sequential:
    """From an image to the first activations, of the same height and width."""
    return nn.Sequential(identity(8), conv(3, channels, padding=1), norm(channels), relu(bits))


def head(channels: int, classes: int = 5) -> nn.Sequential:
    """From activations to scores."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), identity(8), linear(channels, classes))
