"""Latent weights for given quantised ones: what a training of a finished network begins with."""

from __future__ import annotations

import torch
from torch import Tensor

from fat_fpga.models.weights import DEVIATIONS, OwnLayer

BINARY = 0.5
"""Size of the latent weights of one bit: half way from where a sign flips to where they are clamped."""


def weight_step(layer: OwnLayer) -> float:
    """What an integer of 1 in a layer's weights stands for."""
    return 1.0 if layer.bits <= 2 else 2.0 ** (1 - layer.bits)


def latent_for(values: Tensor, layer: OwnLayer) -> Tensor:
    """Latent weights that ``layer`` quantises to ``values``, where there are any.

    Args:
        values: float32 in the shape of the layer's weights.
    """
    if layer.bits == 1:
        return values * BINARY
    if not layer.relative:
        return values
    # moved out or in by up to half a step, the largest further out, until each channel's deviation makes its unit 1
    axes, step = tuple(range(1, values.dim())), weight_step(layer)
    outward = torch.sign(values - values.mean(dim=axes, keepdim=True)) * step
    largest = values.abs() > (1 - 1.5 * step if layer.bits > 2 else 0.5)
    high = torch.full((len(values), *[1] * len(axes)), 0.49, device=values.device)
    low = -high

    def moved(steps: Tensor) -> Tensor:
        further = torch.where(largest, torch.sign(values) * step * 20 * steps.clamp(min=0), 0)
        return values + steps * outward + further

    for _ in range(30):
        middle = (low + high) / 2
        wide = moved(middle).std(dim=axes, keepdim=True) * DEVIATIONS[min(layer.bits, 3)] > 1
        low, high = torch.where(wide, low, middle), torch.where(wide, middle, high)
    return moved(low)
