"""Residual blocks: their result is added to their input (He et al. 2016), as in MLPerf Tiny's ResNet-8."""

from __future__ import annotations

from torch import Tensor, nn

from fat_fpga.models.activation import QuantisedBranch, QuantisedReLU
from fat_fpga.models.norm import relu_norm
from fat_fpga.models.topology import NetworkSpec, ResidualStage
from fat_fpga.models.weights import QuantisedConv2d


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, and the input added to their result.

    What is added is quantised to the scale of the activations first, so the sum is one of small integers: FINN's
    Thresholding, AddStreams, Thresholding.
    """

    def __init__(self, channels: int, block: ResidualStage, spec: NetworkSpec) -> None:
        super().__init__()
        weights, activations = spec.weight_bits, spec.activation_bits
        self.conv0 = QuantisedConv2d(weights, channels, block.channels, 3, True, stride=block.stride, padding=1)
        self.conv0_norm = relu_norm(block.channels)
        self.conv0_act = QuantisedReLU(activations)
        self.conv1 = QuantisedConv2d(weights, block.channels, block.channels, 3, True, padding=1)
        self.conv1_norm = relu_norm(block.channels)
        self.conv1_act = QuantisedBranch(activations)
        self.shortcut: nn.Module | None = None
        if channels != block.channels or block.stride != 1:
            self.shortcut = QuantisedConv2d(weights, channels, block.channels, 1, True, stride=block.stride)
            self.shortcut_norm = relu_norm(block.channels)
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
