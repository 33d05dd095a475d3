"""The activation quantiser of the family: Brevitas's, computed in one pass while no file is being exported.

A Brevitas quantiser of constant scale is made of some ten element-wise kernels and as many in its gradient; on a CPU
they take more than half of a training step of CNV. The function here gives the same values and the same gradients
(tests/models compares them) in a few kernels forward and one back. Export goes through Brevitas.
"""

from __future__ import annotations

from typing import Any

import brevitas.nn as qnn
import torch
from torch import Tensor

from fat_fpga.models.quantisers import ActivationQuantiser


class _Sign(torch.autograd.Function):
    """The sign, +1 for zero. The gradient passes where the input lies inside (-1, 1) and is zero elsewhere."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return -1 or +1 for each value, in the shape and type of ``x``."""
        ctx.save_for_backward(x)
        return torch.copysign(x.new_ones(()), x + 0.0)  # + 0.0 makes a negative zero positive

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Return the gradient with respect to ``x``."""
        (x,) = ctx.saved_tensors
        gradient: Tensor = torch.ops.aten.hardtanh_backward(gradients[0], x, -1.0, 1.0)
        return gradient


class _Round(torch.autograd.Function):
    """Round to the nearest of 2 * steps + 1 levels in [-1, 1]; the gradient passes where that needs no clamping."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, steps: int) -> Tensor:
        """Return the quantised ``x``, in its shape and type; divided by the scale, as an exported file does."""
        scaled = x / (1 / steps)
        ctx.save_for_backward(scaled)
        ctx.steps = steps
        return scaled.round().clamp_(-steps, steps).mul_(1 / steps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return the gradient with respect to ``x``."""
        (scaled,) = ctx.saved_tensors
        limit = ctx.steps + 0.5
        return torch.ops.aten.hardtanh_backward(gradients[0], scaled, -limit, limit), None


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
        quantised: Tensor = _Round.apply(x, self.steps) if self.steps else _Sign.apply(x)  # type: ignore[no-untyped-call]
        return quantised
