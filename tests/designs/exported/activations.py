"""Every activation function of torch, in front of a quantiser; and some that are written with torch.where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from brevitas import nn as qnn
from torch import Tensor, nn
from torch.nn.functional import softplus

from tests.designs.exported.design import DESIGNS, Design, design
from tests.designs.exported.parts import Module, conv, head, identity, norm

MODULES: dict[str, Callable[[], nn.Module]] = {
    "celu": nn.CELU, "elu": nn.ELU, "gelu": nn.GELU, "gelu_tanh": lambda: nn.GELU("tanh"), "hardshrink": nn.Hardshrink,
    "hardsigmoid": nn.Hardsigmoid, "hardswish": nn.Hardswish, "hardtanh": nn.Hardtanh,
    "leaky": lambda: nn.LeakyReLU(0.2), "logsigmoid": nn.LogSigmoid, "mish": nn.Mish, "prelu": lambda: nn.PReLU(6),
    "relu6": nn.ReLU6, "selu": nn.SELU, "sigmoid": nn.Sigmoid, "silu": nn.SiLU, "softplus": nn.Softplus,
    "softshrink": nn.Softshrink, "softsign": nn.Softsign, "tanh": nn.Tanh, "tanhshrink": nn.Tanhshrink,
}  # fmt: skip
USUAL = ("hardswish", "mish", "prelu", "softshrink")


def bounds(s: Any, x: Tensor) -> Tensor:
    """Other bounds for each channel."""
    limit = torch.linspace(-0.5, 1, 6).view(1, 6, 1, 1)
    return torch.where(x > limit, x, limit / 2)


FUNCTIONS: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "threshold": lambda s, x: torch.where(x <= 0.1, 0.0, x),
    "softplus_of_two": lambda s, x: torch.where(x * 2 > 1.5, x, softplus(x * 2) / 2),
    "between": lambda s, x: torch.where((x > -0.25) & ~(x >= 0.5), x * x, torch.tanh(x)),
    "truth": lambda s, x: ((x > 0.2) | (x < -0.6)).float(),
    "bounds": bounds,
    "which_is_larger": lambda s, x: torch.where(x * x < torch.sigmoid(x), 2.0, -1.0),
}


def activated(function: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(identity(8), conv(3, 6, padding=1), norm(6), function(), identity(4), *head(6))


def called(function: Callable[[Any, Tensor], Tensor]) -> Callable[[], nn.Module]:
    return activated(lambda: Module(function))


for _name, _module in MODULES.items():
    DESIGNS[f"activation_{_name}"] = Design(activated(_module), usual=_name in USUAL)
for _name, _function in FUNCTIONS.items():
    DESIGNS[f"where_{_name}"] = Design(called(_function), usual=_name in ("softplus_of_two", "between", "bounds"))


@design(usual=False)
def quantised_sigmoid_and_tanh() -> nn.Module:
    return nn.Sequential(
        identity(8), conv(3, 6, padding=1), qnn.QuantSigmoid(bit_width=4), conv(6, 6), qnn.QuantTanh(bit_width=4),
        conv(6, 6), qnn.QuantHardTanh(bit_width=4, max_val=1.0, min_val=-1.0), *head(6),
    )  # fmt: skip
