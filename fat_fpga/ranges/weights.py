"""Parameters whose words are checked when they are read: what is beyond their range counts as 0."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from fat_fpga.arguments import checked


class InRange(nn.Module):
    """Values beyond a range become 0; a NaN counts as beyond it.

    Args:
        low, high: the range, both ends in it.
    """

    low: Tensor
    high: Tensor

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.register_buffer("low", torch.tensor(low))
        self.register_buffer("high", torch.tensor(high))

    def extra_repr(self) -> str:
        """The range."""
        return f"{float(self.low):g} to {float(self.high):g}"

    def forward(self, words: Tensor) -> Tensor:
        """Values of the shape of ``words``, none beyond the range."""
        return torch.where((words >= self.low) & (words <= self.high), words, torch.zeros_like(words))


def ranges_of(module: nn.Module) -> dict[str, tuple[float, float]]:
    """The smallest and the largest value of each parameter by its name, those of shared ones under the first."""
    return {
        name: (float(parameter.detach().min()), float(parameter.detach().max()))
        for name, parameter in module.named_parameters()
        if parameter.is_floating_point() and parameter.numel()
    }


@checked
def check_when_read(module: nn.Module, name: str, low: float, high: float) -> None:
    """Have a parameter checked each time it is read, in place.

    Its stored words are a place of another name then: ``conv1.weight`` becomes
    ``conv1.parametrizations.weight.original``.
    """
    owner, _, parameter = name.rpartition(".")
    parametrize.register_parametrization(module.get_submodule(owner), parameter, InRange(low, high))
