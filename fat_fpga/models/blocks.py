"""Networks of blocks: residual ones, as ResNet-8, or depthwise separable ones, as MobileNet."""

from __future__ import annotations

from torch import Tensor, nn

from fat_fpga.models.activation import QuantisedImage, QuantisedReLU
from fat_fpga.models.norm import NORM_EPS, Centre, TensorNorm, relu_norm
from fat_fpga.models.residual import ResidualBlock
from fat_fpga.models.separable import SeparableBlock
from fat_fpga.models.topology import NetworkSpec, ResidualStage, SeparableStage
from fat_fpga.models.weights import QuantisedConv2d, QuantisedLinear


class BlockNetwork(nn.Module):
    """A convolution, blocks, the average of each channel, a fully connected layer.

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
            spec.bits_of_weights(0), channels, stem.channels, stem.kernel, True, padding=stem.padding
        )
        self.conv0_norm = relu_norm(stem.channels)
        self.conv0_act = QuantisedReLU(spec.activation_bits)
        channels = stem.channels
        blocks: list[nn.Module] = []
        for block in topology.blocks:
            if isinstance(block, ResidualStage):
                blocks.append(ResidualBlock(channels, block, spec))
            elif isinstance(block, SeparableStage):
                blocks.append(SeparableBlock(channels, block, spec))
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
