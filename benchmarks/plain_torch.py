"""Plain float32 PyTorch on the CNV topology: what a campaign would cost without this project."""

from __future__ import annotations

from time import perf_counter

import torch
from torch import nn

from fat_fpga.models.family import TOPOLOGIES


def plain_cnv() -> nn.Sequential:
    """CNV without quantisers: convolution, batch norm, hard tanh; random weights, evaluation mode."""
    topology = TOPOLOGIES["cnv"]
    layers: list[nn.Module] = []
    channels = topology.input_shape[0]
    for convolution in topology.convolutions:
        width = convolution.channels
        layers += [nn.Conv2d(channels, width, 3, bias=False), nn.BatchNorm2d(width), nn.Hardtanh()]
        layers += [nn.MaxPool2d(2)] * (convolution.pool is not None)
        channels = width
    layers.append(nn.Flatten())
    for width in topology.hidden:
        layers += [nn.Linear(channels, width, bias=False), nn.BatchNorm1d(width), nn.Hardtanh()]
        channels = width
    layers.append(nn.Linear(channels, 10, bias=False))
    return nn.Sequential(*layers).eval()


@torch.inference_mode()
def images_per_second(seconds: float = 2.0) -> float:
    """Forward passes a second on all cores, by the fastest of several batch sizes and memory layouts."""
    best = 0.0
    layouts = (torch.contiguous_format, torch.channels_last)
    settings = [(layout, batch) for layout in layouts for batch in (50, 100, 250)]
    for layout, batch in settings:
        model = plain_cnv().to(memory_format=layout)  # type: ignore[call-overload]
        images = torch.rand(batch, 3, 32, 32).to(memory_format=layout)
        model(images)
        until = perf_counter() + seconds / len(settings)
        while perf_counter() < until:
            started = perf_counter()
            model(images)
            best = max(best, batch / (perf_counter() - started))
    return best
