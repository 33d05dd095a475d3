"""Plain float32 PyTorch on the topologies of the campaigns: what a campaign would cost without this project."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import torch
from torch import Tensor, nn

from benchmarks.subjects import MOBILENET
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


class Block(nn.Module):
    """A residual block: two convolutions beside a shortcut."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            *_convolution(before, channels, 3, stride), nn.ReLU(), *_convolution(channels, channels, 3)
        )
        changes = stride != 1 or before != channels
        self.shortcut = nn.Sequential(*_convolution(before, channels, 1, stride)) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = torch.relu(self.main(x) + self.shortcut(x))
        return result


def plain_resnet8() -> nn.Sequential:
    """ResNet-8 without quantisers."""
    topology = TOPOLOGIES["resnet8"]
    channels = topology.convolutions[0].channels
    layers: list[nn.Module] = [*_convolution(3, channels, 3), nn.ReLU()]
    for block in topology.blocks:
        layers.append(Block(channels, block.channels, block.stride))
        channels = block.channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)).eval()


def plain_mobilenet() -> nn.Sequential:
    """MobileNet-v1's shape for images of 32x32, as in `benchmarks.subjects`."""
    channels = 32
    layers: list[nn.Module] = [*_convolution(3, channels, 3), nn.ReLU()]
    for behind, stride in MOBILENET:
        layers += [*_convolution(channels, channels, 3, stride, channels), nn.ReLU()]
        layers += [*_convolution(channels, behind, 1), nn.ReLU()]
        channels = behind
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)).eval()


def _convolution(before: int, behind: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(before, behind, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(behind)]


PLAIN: dict[str, Callable[[], nn.Sequential]] = {
    "cnv": plain_cnv,
    "resnet8": plain_resnet8,
    "mobilenet": plain_mobilenet,
}
"""By the first part of a network's name, its topology in PyTorch."""


@torch.inference_mode()
def images_per_second(topology: str, seconds: float = 2.0, clock: Callable[[], float] = perf_counter) -> float:
    """Forward passes a second on all of PyTorch's threads, by the fastest of several batch sizes and memory layouts.

    Args:
        seconds: how long to try, by the ``clock``.
    """
    best = 0.0
    layouts = (torch.contiguous_format, torch.channels_last)
    settings = [(layout, batch) for layout in layouts for batch in (50, 100, 250)]
    for layout, batch in settings:
        model = PLAIN[topology]().to(memory_format=layout)  # type: ignore[call-overload]
        images = torch.rand(batch, 3, 32, 32).to(memory_format=layout)
        model(images)
        until = clock() + seconds / len(settings)
        while clock() < until:
            started = clock()
            model(images)
            best = max(best, batch / (clock() - started))
    return best
