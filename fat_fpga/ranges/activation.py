"""Activations whose output cannot leave a range."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError

Style = Literal["clip", "clamp"]
"""What becomes of a value beyond the bound: 0 (FT-ClipAct), or the bound (Ranger)."""
STYLES: tuple[Style, ...] = get_args(Style)

SMALLEST = 1e-6
"""Of a bound that is trained."""
UNBOUNDED: dict[type[nn.Module], bool] = {
    nn.ReLU: False,
    nn.LeakyReLU: True,
    nn.PReLU: True,
    nn.RReLU: True,
    nn.ELU: False,
    nn.CELU: False,
    nn.SELU: False,
    nn.GELU: False,
    nn.SiLU: False,
    nn.Mish: False,
    nn.Hardswish: False,
    nn.Softplus: False,
    nn.Hardshrink: True,
    nn.Softshrink: True,
    nn.Tanhshrink: True,
}
"""Activations without a largest value, and whether they have no smallest one, either."""


class Bounded(nn.Module):
    """An activation with a bound T: what is above it becomes 0, or T.

    Of an activation without a smallest value (leaky ReLU), what is below -T becomes 0, or -T. A NaN counts as beyond
    the bound. Where nothing is beyond the bound, the output is that of the activation, bit for bit.

    FT-ClipAct (Hoang et al., DATE 2020, section IV-A): ``f(x) = x if 0 <= x <= T else 0``.

    Args:
        activation: one of the kinds in ``UNBOUNDED``.
        bound: float, of a shape that broadcasts to the output [N, ...]: [] for one T, [C, 1, 1] for one of each
            channel, the shape of one image's output for one of each neuron.
        style: ``clip`` or ``clamp``.

    Raises:
        ModelError: the activation is of another kind, a bound is negative or NaN, the style is unknown.
    """

    bound: Tensor

    @checked
    def __init__(self, activation: nn.Module, bound: Tensor, style: str = "clip") -> None:
        super().__init__()
        if type(activation) not in UNBOUNDED:
            known = ", ".join(kind.__name__ for kind in UNBOUNDED)
            raise ModelError(f"a bound is of an activation without one: {known}, got {type(activation).__name__}")
        if style not in STYLES:
            raise ModelError(f"unknown style '{style}' of a bound: choose among {', '.join(STYLES)}")
        if not bool((bound >= 0).all()):
            raise ModelError("a bound of an activation is a number of at least 0")
        self.activation = activation
        self.style = style
        self.two_sided = UNBOUNDED[type(activation)]
        self.register_buffer("bound", bound.detach().clone())

    def extra_repr(self) -> str:
        """Style and shape of the bound."""
        return f"style={self.style}, bounds={list(self.bound.shape)}"

    def forward(self, x: Tensor) -> Tensor:
        """Values of the shape of ``x``, none beyond the bound."""
        y: Tensor = self.activation(x)
        highest = self.bound if self.style == "clamp" else torch.zeros_like(self.bound)
        kept = torch.where(y <= self.bound, y, highest)
        return torch.where(kept >= -self.bound, kept, -highest) if self.two_sided else kept


class SmoothBounded(nn.Module):
    """An activation whose bounds can be trained: ``y * sigmoid(k (T - y))``, close to `Bounded` of style ``clip``.

    FitAct (Ghavami et al., DATE 2022) trains bounds by a function that falls to 0 smoothly above them. Here ``k`` is
    ``steepness / T``, so that the fall has the same relative width at every bound.

    Attributes:
        bound: parameter, of the shape that `Bounded` takes.
    """

    def __init__(self, activation: nn.Module, bound: Tensor, steepness: float = 20.0) -> None:
        super().__init__()
        self.activation = activation
        self.steepness = steepness
        self.bound = nn.Parameter(bound.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Values of the shape of ``x``."""
        y: Tensor = self.activation(x)
        bound = self.bound.abs().clamp_min(SMALLEST)
        return y * torch.sigmoid(self.steepness * (1 - y.abs() / bound))
