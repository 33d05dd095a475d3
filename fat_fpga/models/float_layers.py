"""Layers of networks of floats."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from fat_fpga.models.topology import Convolution


def add_convolution(
    layers: OrderedDict[str, nn.Module],
    name: str,
    channels: int,
    convolution: Convolution,
    norm: bool,
    saturation: float | None = None,
    dropout: float = 0.0,
) -> None:
    """Add a convolution and what follows it."""
    layers[name] = nn.Conv2d(
        channels,
        convolution.channels,
        convolution.kernel,
        stride=convolution.stride,
        padding=convolution.padding,
        bias=not norm,
    )
    if convolution.bare:
        return
    if norm:
        layers[f"{name}_norm"] = nn.BatchNorm2d(convolution.channels)
    layers[f"{name}_act"] = activation(saturation)
    if convolution.pool is not None:
        layers[f"{name}_pool"] = nn.MaxPool2d(*convolution.pool, padding=convolution.pool_padding)
    if dropout:
        layers[f"{name}_drop"] = nn.Dropout(dropout)


def activation(saturation: float | None) -> nn.Module:
    """A ReLU, cut off above ``saturation`` where that is given."""
    return nn.ReLU() if saturation is None else nn.Hardtanh(0.0, saturation)
