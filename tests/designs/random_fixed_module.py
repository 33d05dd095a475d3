"""Random float modules that can be brought into fixed point, with random formats of their layers."""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn

from fat_fpga.fixed_point import Formats, LayerFormats, QFormat

SIDE = 6


class Block(nn.Module):
    """Two convolutions and what was in front of them, added; one ReLU is called twice."""

    def __init__(self, channels: int, norms: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=not norms)
        self.norm1 = nn.BatchNorm2d(channels) if norms else nn.Identity()
        self.conv2 = nn.Conv2d(channels, channels, 1, bias=not norms)
        self.norm2 = nn.BatchNorm2d(channels) if norms else nn.Identity()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.relu(x + self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x))))))
        return found


def random_fixed_module(seed: int) -> tuple[nn.Module, tuple[int, int, int], Formats]:
    """A module in evaluation mode, the shape of its images, and formats."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    channels, side = rng.randint(1, 3), SIDE
    row, parts = (channels, SIDE, SIDE), list[nn.Module]()
    if rng.random() < 0.7:
        for _ in range(rng.randint(1, 3)):
            kind = rng.choice(["conv", "block", "max", "average"] if parts else ["conv"])
            if kind == "conv":
                outputs, groups = (channels, channels) if rng.random() < 0.2 else (rng.randint(2, 4), 1)
                parts.append(nn.Conv2d(channels, outputs, 3, padding=1, groups=groups, bias=rng.random() < 0.7))
                parts += [nn.BatchNorm2d(outputs)] * (rng.random() < 0.5)
                parts.append(rng.choice([nn.ReLU(), nn.ReLU(), nn.ReLU6(), nn.Hardtanh()]))
                channels = outputs
            elif kind == "block":
                parts.append(Block(channels, rng.random() < 0.5))
            elif side > 2:
                parts.append(nn.MaxPool2d(2) if kind == "max" else nn.AvgPool2d(2))
                side //= 2
    parts.append(nn.Flatten())
    width = channels * side * side
    if rng.random() < 0.6:
        parts += [nn.Linear(width, 7, bias=rng.random() < 0.7), nn.ReLU()]
        width = 7
    parts.append(nn.Linear(width, 4))
    module = nn.Sequential(*parts)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.weight, 0.5, 0.7)
            nn.init.normal_(part.bias, 0, 0.3)
            nn.init.normal_(part.running_mean, 0, 0.3)  # type: ignore[arg-type]
            nn.init.uniform_(part.running_var, 0.3, 2)  # type: ignore[arg-type]
    return module.eval(), row, Formats(_form(rng), _form(rng), {"input": LayerFormats(None, _form(rng))})


def _form(rng: random.Random) -> QFormat:
    before = rng.randint(1, 3)
    return QFormat(before, rng.randint(2, 9 - before))
