"""Depthwise separable convolutions (MobileNet, Howard et al. 2017, arXiv 1704.04861)."""

from __future__ import annotations

from torch import Tensor, nn

from fat_fpga.models.activation import QuantisedReLU
from fat_fpga.models.norm import relu_norm
from fat_fpga.models.topology import NetworkSpec, SeparableStage
from fat_fpga.models.weights import QuantisedConv2d


class SeparableBlock(nn.Module):
    """A 3x3 convolution of each channel by itself (FINN's VVAU), and a 1x1 convolution across the channels."""

    def __init__(self, channels: int, block: SeparableStage, spec: NetworkSpec) -> None:
        super().__init__()
        weights, activations = spec.weight_bits, spec.activation_bits
        self.conv0 = QuantisedConv2d(
            weights, channels, channels, 3, True, stride=block.stride, padding=1, groups=channels
        )
        self.conv0_norm = relu_norm(channels)
        self.conv0_act = QuantisedReLU(activations)
        self.conv1 = QuantisedConv2d(weights, channels, block.channels, 1, True)
        self.conv1_norm = relu_norm(block.channels)
        self.conv1_act = QuantisedReLU(activations)

    def forward(self, x: Tensor) -> Tensor:
        """Compute [N, C, H, W] of 4-bit activations, say, from the same."""
        x = self.conv0_act(self.conv0_norm(self.conv0(x)))
        result: Tensor = self.conv1_act(self.conv1_norm(self.conv1(x)))
        return result
