"""The activation quantiser of the family: Brevitas's, computed in one pass while no file is being exported.

A Brevitas quantiser of constant scale is made of some ten element-wise kernels and as many in its gradient; on a CPU
they take more than half of a training step of CNV. The function here gives the same values and the same gradients
(tests/models compares them) in a few kernels forward and one back. Export goes through Brevitas.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import brevitas.nn as qnn
import numpy as np
import torch
from torch import Tensor

from fat_fpga.errors import ModelError
from fat_fpga.models.quantisers import ActivationQuantiser, BranchQuantiser, ImageQuantiser, UnsignedActivationQuantiser
from fat_fpga.models.rounding import rounded, signs


class _Sign(torch.autograd.Function):
    """The sign, +1 for zero. The gradient passes where the input lies inside (-1, 1) and is zero elsewhere."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return -1 or +1 for each value, in the shape and type of ``x``."""
        ctx.save_for_backward(x)
        return signs(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Return the gradient with respect to ``x``."""
        (x,) = ctx.saved_tensors
        gradient: Tensor = torch.ops.aten.hardtanh_backward(gradients[0], x, -1.0, 1.0)
        return gradient


class _Round(torch.autograd.Function):
    """Round to a multiple of a scale, from ``low`` to ``high`` times it; the gradient passes where none is clamped."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float, low: int, high: int) -> Tensor:
        """Return the quantised ``x``, in its shape and type; divided by the scale, as an exported file does."""
        scaled = x / scale
        ctx.save_for_backward(scaled)
        ctx.limits = low - 0.5 if low else 0.0, high + 0.5  # an unsigned one has a ReLU in front
        return rounded(scaled, scale, low, high)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        """Return the gradient with respect to ``x``."""
        (scaled,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradients[0], scaled, *ctx.limits), None, None, None


def _quantised(x: Tensor, scale: float, low: int, high: int) -> Tensor:
    result: Tensor = _Round.apply(x, scale, low, high)  # type: ignore[no-untyped-call]
    return result


class QuantisedActivation(qnn.QuantIdentity):  # type: ignore[misc]
    """An activation of ``bits`` bits with symmetric levels in [-1, 1], after FINN's A1, A2, ..."""

    def __init__(self, bits: int) -> None:
        super().__init__(act_quant=ActivationQuantiser, bit_width=bits)
        self.steps = 2 ** (bits - 1) - 1

    @property
    def levels(self) -> tuple[float, ...]:
        """Every value that the activation can take, ascending."""
        if self.steps == 0:
            return (-1.0, 1.0)
        return tuple(level / self.steps for level in range(-self.steps, self.steps + 1))

    def forward(self, x: Tensor) -> Tensor:
        """Quantise ``x``, keeping its shape and type."""
        if self.act_quant.export_mode:
            exported: Tensor = super().forward(x)
            return exported
        if self.steps:
            return _quantised(x, 1 / self.steps, -self.steps, self.steps)
        binary: Tensor = _Sign.apply(x)  # type: ignore[no-untyped-call]
        return binary


class QuantisedReLU(qnn.QuantReLU):  # type: ignore[misc]
    """An unsigned activation of two or more bits: the levels i / (2^bits - 1) in [0, 1].

    Brevitas exports one of one bit as -1 and +1, which is another network.

    Raises:
        ModelError: fewer than two bits.
    """

    def __init__(self, bits: int) -> None:
        if bits < 2:
            raise ModelError(f"an unsigned activation takes two bits or more, got {bits}: take QuantisedActivation")
        super().__init__(act_quant=UnsignedActivationQuantiser, bit_width=bits)
        self.steps = 2**bits - 1

    @property
    def levels(self) -> tuple[float, ...]:
        """Every value that the activation can take, ascending."""
        return tuple(level / self.steps for level in range(self.steps + 1))

    def forward(self, x: Tensor) -> Tensor:
        """Quantise ``x``, keeping its shape and type."""
        if self.act_quant.export_mode:
            exported: Tensor = super().forward(x)
            return exported
        return _quantised(x, 1 / self.steps, 0, self.steps)


def _divisible(scale: float, times: int) -> float:
    """A float32 that, divided by ``times`` in float32, is the float32 of ``scale``; Brevitas divides the range."""
    wanted, product = np.float32(scale), np.float32(scale) * np.float32(times)
    near = (product, np.nextafter(product, np.float32(np.inf)), np.nextafter(product, np.float32(0)))
    return float(next(value for value in near if value / np.float32(times) == wanted))


class QuantisedBranch(qnn.QuantIdentity):  # type: ignore[misc]
    """The quantiser in front of a residual addition: 15 multiples of the scale of an activation of ``bits`` bits.

    The stream that it is added to is an activation of that scale, so the sum is a sum of integers.
    """

    BITS = 4

    def __init__(self, bits: int) -> None:
        self.scale = 1 / (2**bits - 1)
        self.most = 2 ** (self.BITS - 1) - 1
        most = _divisible(self.scale, self.most)
        super().__init__(act_quant=BranchQuantiser, bit_width=self.BITS, min_val=-most, max_val=most)

    @property
    def levels(self) -> tuple[float, ...]:
        """Every value that the activation can take, ascending."""
        return tuple(level * self.scale for level in range(-self.most, self.most + 1))

    def forward(self, x: Tensor) -> Tensor:
        """Quantise ``x``, keeping its shape and type."""
        if self.act_quant.export_mode:
            exported: Tensor = super().forward(x)
            return exported
        return _quantised(x, self.scale, -self.most, self.most)


class QuantisedImage(qnn.QuantIdentity):  # type: ignore[misc]
    """The quantiser of 8-bit images: multiples of 2^-7 from -1 to 1 - 2^-7. Images have no gradient."""

    def __init__(self) -> None:
        super().__init__(act_quant=ImageQuantiser, bit_width=8)

    def forward(self, x: Tensor) -> Tensor:
        """Quantise ``x``, keeping its shape and type."""
        if self.act_quant.export_mode:
            exported: Tensor = super().forward(x)
            return exported
        return rounded(x * 128, 1 / 128, -128, 127)


OwnActivation: TypeAlias = QuantisedActivation | QuantisedReLU | QuantisedBranch
"""Activations of this package: they name their levels and give their results in new memory."""
