"""Batch normalisation with a single set of parameters for the whole tensor."""

from __future__ import annotations

import torch
from torch import Tensor, nn

NORM_EPS = 1e-4


RELU_GAIN = 0.4
"""First gain of a norm in front of a ReLU with levels up to 1: with a gain of 1, a sixth of the values is above."""


def relu_norm(channels: int) -> nn.BatchNorm2d:
    """A batch norm in front of a quantised ReLU, or of a branch that is added there."""
    norm = nn.BatchNorm2d(channels, eps=NORM_EPS)
    nn.init.constant_(norm.weight, RELU_GAIN)
    return norm


class Centre(nn.Module):
    """Map pixels from [0, 1] to [-1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        """Return 2x - 1."""
        return 2.0 * x - 1.0


class TensorNorm(nn.Module):
    """Normalise a tensor of any shape by one mean and one variance, then scale and shift by one weight and one bias.

    It stands behind the last layer: being the same for every class it leaves their order alone (while the weight is
    positive), so an accelerator need not compute it, and it gives the loss logits of a sane size.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, eps: float = 1e-4, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps = eps
        self.momentum: float | None = momentum
        self.weight = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(1))
        self.register_buffer("running_mean", torch.zeros(1))
        self.register_buffer("running_var", torch.ones(1))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def reset_running_stats(self) -> None:
        """Forget the running statistics, as ``torch.nn.BatchNorm2d.reset_running_stats`` does."""
        self.running_mean.zero_()
        self.running_var.fill_(1)
        self.num_batches_tracked.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``x``; in training by its own statistics, else by the running ones (float32 inside)."""
        if not self.training:
            return (x - self.running_mean) / torch.sqrt(self.running_var + self.eps) * self.weight + self.bias
        x = x.float()
        variance, mean = torch.var_mean(x, correction=0)
        with torch.no_grad():
            self.num_batches_tracked += 1
            rate = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean.reshape(1), rate)
            self.running_var.lerp_(variance.reshape(1) * (x.numel() / (x.numel() - 1)), rate)
        return (x - mean) * torch.rsqrt(variance + self.eps) * self.weight + self.bias
