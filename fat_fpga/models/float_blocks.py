"""Residual blocks of networks of floats: of ResNet50, ResNet18 and its kin, and MobileNetV2."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from fat_fpga.errors import ModelError
from fat_fpga.models.float_layers import add_convolution
from fat_fpga.models.topology import (
    BasicStage,
    BottleneckStage,
    Convolution,
    FloatStage,
    InvertedStage,
    PointStage,
    ResidualStage,
    SeparableStage,
)


def block_of(channels: int, stage: ResidualStage | SeparableStage | FloatStage) -> nn.Module:
    """The module of a block, for an input of ``channels``.

    Raises:
        ModelError: it is a block of quantised networks.
    """
    if isinstance(stage, BottleneckStage):
        return Bottleneck(channels, stage)
    if isinstance(stage, BasicStage):
        return PreActivated(channels, stage) if stage.first else Basic(channels, stage)
    if isinstance(stage, InvertedStage):
        return Inverted(channels, stage)
    if isinstance(stage, PointStage):
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        add_convolution(layers, "conv", channels, Convolution(stage.channels, kernel=1), True)
        return nn.Sequential(layers)
    raise ModelError(f"a network of floats has no {type(stage).__name__}")


class Bottleneck(nn.Module):
    """Three convolutions, whose result is added to the input, or to its 1x1 convolution; then a ReLU."""

    def __init__(self, channels: int, stage: BottleneckStage) -> None:
        super().__init__()
        branch: OrderedDict[str, nn.Module] = OrderedDict()
        add_convolution(branch, "conv0", channels, Convolution(stage.width, kernel=1), True)
        add_convolution(branch, "conv1", stage.width, Convolution(stage.width, stride=stage.stride, padding=1), True)
        branch["conv2"] = nn.Conv2d(stage.width, stage.channels, 1, bias=False)
        branch["conv2_norm"] = nn.BatchNorm2d(stage.channels)
        self.branch = nn.Sequential(branch)
        self.shortcut: nn.Module = nn.Identity()
        if stage.layers(channels) > 3:
            self.shortcut = _projection(channels, stage.channels, stage.stride)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Compute the sum of both branches, its negative values set to zero."""
        result: Tensor = self.act(self.branch(x) + self.shortcut(x))
        return result


class Basic(nn.Module):
    """Two 3x3 convolutions, whose result is added to the input, or to its 1x1 convolution; then a ReLU."""

    def __init__(self, channels: int, stage: BasicStage) -> None:
        super().__init__()
        self.branch = _two_convolutions(channels, stage)
        self.shortcut: nn.Module = nn.Identity()
        if stage.stride != 1 or stage.channels != channels:
            self.shortcut = _projection(channels, stage.channels, stage.stride)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Compute the sum of both branches, its negative values set to zero."""
        result: Tensor = self.act(self.branch(x) + self.shortcut(x))
        return result


class PreActivated(nn.Module):
    """Norm, ReLU and a 3x3 convolution, twice; the result is added to the input, or to a 1x1 convolution of what comes
    out of the first ReLU."""

    def __init__(self, channels: int, stage: BasicStage) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.ReLU()
        self.branch = _two_convolutions(channels, stage)
        self.shortcut: nn.Module | None = None
        if stage.stride != 1 or stage.channels != channels:
            self.shortcut = nn.Conv2d(channels, stage.channels, 1, stride=stage.stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the sum of both branches."""
        active = self.act(self.norm(x))
        result: Tensor = self.branch(active) + (x if self.shortcut is None else self.shortcut(active))
        return result


class Excitation(nn.Module):
    """Multiplies each channel by a number from 0 to 1 that follows from the means of all channels."""

    def __init__(self, channels: int, share: int) -> None:
        super().__init__()
        fewer = max(1, channels // share)
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.fc0 = nn.Conv2d(channels, fewer, 1)
        self.fc0_act = nn.ReLU()
        self.fc1 = nn.Conv2d(fewer, channels, 1)
        self.fc1_act = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Compute [N, C, H, W] from the same."""
        result: Tensor = x * self.fc1_act(self.fc1(self.fc0_act(self.fc0(self.mean(x)))))
        return result


class Inverted(nn.Module):
    """More channels by a 1x1 convolution, a 3x3 convolution of each by itself, fewer by another 1x1 convolution."""

    def __init__(self, channels: int, stage: InvertedStage) -> None:
        super().__init__()
        wide = stage.expansion * channels
        branch: OrderedDict[str, nn.Module] = OrderedDict()
        add_convolution(branch, "conv0", channels, Convolution(wide, kernel=1), True)
        branch["conv1"] = nn.Conv2d(wide, wide, 3, stride=stage.stride, padding=1, groups=wide, bias=False)
        branch["conv1_norm"] = nn.BatchNorm2d(wide)
        branch["conv1_act"] = nn.ReLU()
        branch["conv2"] = nn.Conv2d(wide, stage.channels, 1, bias=False)
        branch["conv2_norm"] = nn.BatchNorm2d(stage.channels)
        self.branch = nn.Sequential(branch)
        self.shortcut: nn.Module | None = None
        if stage.stride == 1:
            self.shortcut = nn.Identity()
            if stage.channels != channels:
                self.shortcut = _projection(channels, stage.channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the result of the convolutions, and add the input where the size stays."""
        result: Tensor = self.branch(x)
        return result if self.shortcut is None else result + self.shortcut(x)


def _two_convolutions(channels: int, stage: BasicStage) -> nn.Sequential:
    """With norm and ReLU between them; another norm at the end, unless that comes with what follows."""
    branch: OrderedDict[str, nn.Module] = OrderedDict()
    add_convolution(branch, "conv0", channels, Convolution(stage.channels, stride=stage.stride, padding=1), True)
    branch["conv1"] = nn.Conv2d(stage.channels, stage.channels, 3, padding=1, bias=False)
    if not stage.first:
        branch["conv1_norm"] = nn.BatchNorm2d(stage.channels)
    if stage.squeeze:
        branch["scale"] = Excitation(stage.channels, stage.squeeze)
    return nn.Sequential(branch)


def _projection(channels: int, out: int, stride: int) -> nn.Module:
    return nn.Sequential(
        OrderedDict(conv=nn.Conv2d(channels, out, 1, stride=stride, bias=False), norm=nn.BatchNorm2d(out))
    )
