"""Layers with quantised weights: Brevitas's, the weights quantised in a few kernels while no file is being exported.

Brevitas's weight quantiser is some ten element-wise kernels forward and as many back for each layer. On a CPU that is
little beside the convolution. On a GPU the many small kernels of nine layers take longer than the convolutions. The
functions here give the same values and the same gradients (tests/models compares them). Export goes through Brevitas.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import brevitas.nn as qnn
import torch
from torch import Tensor
from torch.nn import functional

from fat_fpga.models.quantisers import FineWeightQuantiser, WeightQuantiser
from fat_fpga.models.rounding import rounded, signs

DEVIATIONS = {1: 1.0, 2: 1.2, 3: 3.0}
"""By bits, 3 for all above: how many standard deviations of a channel are the unit of a relative weight.

Two bits: weights within 0.6 deviations are zero, 45 % of a normal distribution. More: 3 deviations are in range.
"""


class _Sign(torch.autograd.Function):
    """The sign, +1 for zero; every gradient passes."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor) -> Tensor:
        """Return -1 or +1 for each weight."""
        return signs(weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Return the gradient with respect to the latent weights."""
        return gradients[0]


class _Round(torch.autograd.Function):
    """Round to the nearest multiple of a step, at most ``most`` steps from zero; every gradient passes."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, step: float, most: int) -> Tensor:
        """Return the quantised weights."""
        return rounded(weight / step, step, -most, most)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient with respect to the latent weights."""
        return gradients[0], None, None


def quantised(weight: Tensor, bits: int, relative: bool = False) -> Tensor:
    """Quantise latent weights to ``bits`` bits.

    Args:
        weight: float32 [output channels, ...].
        bits: 1 for {-1, +1}, 2 for {-1, 0, +1}, n for multiples of 2^(1-n) inside (-1, 1).
        relative: divide each output channel by a multiple of its standard deviation first, so that the quantiser
            fits every channel whatever its size. What that takes away, the batch norm behind the layer gives back.

    Returns:
        A tensor like ``weight``.
    """
    if relative:
        deviation = weight.std(dim=tuple(range(1, weight.dim())), keepdim=True)
        weight = weight / (deviation * DEVIATIONS[min(bits, 3)] + 1e-12)
    if bits == 1:
        binary: Tensor = _Sign.apply(weight)  # type: ignore[no-untyped-call]
        return binary
    step = 1.0 if bits == 2 else 2.0 ** (1 - bits)
    several: Tensor = _Round.apply(weight, step, 2 ** (bits - 1) - 1)  # type: ignore[no-untyped-call]
    return several


READ = "read_weights"
"""Attribute of a layer of this package: a function of its quantised weights that gives those it computes with."""


def as_read(layer: torch.nn.Module, weight: Tensor) -> Tensor:
    """What a layer reads of its quantised weights: other ones where their memory has faults in training."""
    read = layer.__dict__.get(READ)
    if read is None:
        return weight
    found: Tensor = read(weight)
    return found


def _settings(bits: int) -> dict[str, Any]:
    return {"weight_quant": WeightQuantiser if bits <= 2 else FineWeightQuantiser, "weight_bit_width": bits}


class QuantisedConv2d(qnn.QuantConv2d):  # type: ignore[misc]
    """A convolution without bias, its weights of ``bits`` bits; see `quantised` for ``relative``."""

    def __init__(
        self,
        bits: int,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        relative: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, bias=False, **settings, **_settings(bits))
        self.bits, self.relative = bits, relative

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x`` [N, C, H, W] with the quantised weights."""
        if self.export_mode or self.weight_quant.export_mode:
            exported: Tensor = super().forward(x)
            return exported
        weight = as_read(self, quantised(self.weight, self.bits, self.relative))
        return functional.conv2d(x, weight, None, self.stride, self.padding, self.dilation, self.groups)


class QuantisedLinear(qnn.QuantLinear):  # type: ignore[misc]
    """A fully connected layer without bias, its weights of ``bits`` bits; see `quantised` for ``relative``."""

    def __init__(self, bits: int, in_features: int, out_features: int, relative: bool = False) -> None:
        super().__init__(in_features, out_features, bias=False, **_settings(bits))
        self.bits, self.relative = bits, relative

    def forward(self, x: Tensor) -> Tensor:
        """Multiply ``x`` [N, features] by the quantised weights."""
        if self.export_mode or self.weight_quant.export_mode:
            exported: Tensor = super().forward(x)
            return exported
        return functional.linear(x, as_read(self, quantised(self.weight, self.bits, self.relative)))


OwnLayer: TypeAlias = QuantisedConv2d | QuantisedLinear
"""Layers of this package, which quantise their weights themselves."""


def quantised_weight(layer: Any) -> Tensor:
    """The quantised weights of a layer of Brevitas's or of this package, in the shape of its latent ones."""
    if isinstance(layer, OwnLayer):
        return quantised(layer.weight, layer.bits, layer.relative)
    weight: Tensor = layer.quant_weight().value
    return weight
