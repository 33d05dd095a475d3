"""Residual networks: blocks whose result is added to their input (He et al. 2016), as in MLPerf Tiny's ResNet-8."""

from __future__ import annotations

from torch import Tensor, nn

from fat_fpga.models.activation import QuantisedBranch, QuantisedImage, QuantisedReLU
from fat_fpga.models.family import Block, NetworkSpec
from fat_fpga.models.norm import NORM_EPS, Centre, TensorNorm
from fat_fpga.models.weights import QuantisedConv2d, QuantisedLinear


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, and the input added to their result.

    What is added is quantised to the scale of the activations first, so the sum is one of small integers: FINN's
    Thresholding, AddStreams, Thresholding.
    """

    def __init__(self, channels: int, block: Block, spec: NetworkSpec) -> None:
        super().__init__()
        weights, activations = spec.weight_bits, spec.activation_bits
        self.conv0 = QuantisedConv2d(weights, channels, block.channels, 3, stride=block.stride, padding=1)
        self.conv0_norm = nn.BatchNorm2d(block.channels, eps=NORM_EPS)
        self.conv0_act = QuantisedReLU(activations)
        self.conv1 = QuantisedConv2d(weights, block.channels, block.channels, 3, padding=1)
        self.conv1_norm = nn.BatchNorm2d(block.channels, eps=NORM_EPS)
        self.conv1_act = QuantisedBranch(activations)
        self.shortcut: nn.Module | None = None
        if channels != block.channels or block.stride != 1:
            self.shortcut = QuantisedConv2d(weights, channels, block.channels, 1, stride=block.stride)
            self.shortcut_norm = nn.BatchNorm2d(block.channels, eps=NORM_EPS)
            self.shortcut_act = QuantisedBranch(activations)
        self.add_act = QuantisedReLU(activations)

    def forward(self, x: Tensor) -> Tensor:
        """Compute [N, C, H, W] of 2-bit activations, say, from the same."""
        branch = self.conv0_act(self.conv0_norm(self.conv0(x)))
        branch = self.conv1_act(self.conv1_norm(self.conv1(branch)))
        if self.shortcut is not None:
            x = self.shortcut_act(self.shortcut_norm(self.shortcut(x)))
        result: Tensor = self.add_act(branch + x)
        return result


class ResidualNetwork(nn.Module):
    """A convolution, residual blocks, the average of each channel, a fully connected layer.

    Input: float32 images [N, C, H, W] in [0, 1]. Output: float32 class scores [N, classes].
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        topology = spec.topology
        (stem,) = topology.convolutions
        channels, side, _ = topology.input_shape
        self.centre = Centre()
        self.input = QuantisedImage()
        self.conv0 = QuantisedConv2d(
            spec.bits_of_weights(0), channels, stem.channels, stem.kernel, padding=stem.padding
        )
        self.conv0_norm = nn.BatchNorm2d(stem.channels, eps=NORM_EPS)
        self.conv0_act = QuantisedReLU(spec.activation_bits)
        channels = stem.channels
        blocks = []
        for block in topology.blocks:
            blocks.append(ResidualBlock(channels, block, spec))
            channels, side = block.channels, -(-side // block.stride)
        self.blocks = nn.Sequential(*blocks)
        self.average = nn.AvgPool2d(side)
        self.flatten = nn.Flatten()
        self.fc = QuantisedLinear(spec.bits_of_weights(spec.layers - 1), channels, spec.classes)
        self.fc_norm = TensorNorm(eps=NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the class scores."""
        x = self.conv0_act(self.conv0_norm(self.conv0(self.input(self.centre(x)))))
        x = self.flatten(self.average(self.blocks(x)))
        scores: Tensor = self.fc_norm(self.fc(x))
        return scores
