"""Sizes of the networks of the family, and what a network of it is. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Convolution:
    """A square convolution, and the max-pool behind its activation.

    Attributes:
        channels: it puts out.
        kernel, stride, padding: in pixels, the same in both directions; the padding is zeros on all four sides.
        pool: window and stride of the max-pool; ``None`` for none.
        pool_padding: of the max-pool, in pixels.
        bare: in a network of floats neither a norm nor an activation follows.
    """

    channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 0
    pool: tuple[int, int] | None = None
    pool_padding: int = 0
    bare: bool = False

    def side(self, side: int) -> int:
        """Pixels along one side behind the pool, for an input of ``side`` pixels."""
        side = (side + 2 * self.padding - self.kernel) // self.stride + 1
        return side if self.pool is None else (side + 2 * self.pool_padding - self.pool[0]) // self.pool[1] + 1


@dataclass(frozen=True)
class ResidualStage:
    """A residual block of two 3x3 convolutions: its result is added to its input.

    Where it changes channels or size, a 1x1 convolution brings the input to the form of the result.

    Attributes:
        channels: it puts out.
        stride: of its first convolution, in pixels.
    """

    channels: int
    stride: int = 1

    def layers(self, channels: int) -> int:
        """Number of layers with weights, for an input of ``channels``."""
        return 2 + (self.stride != 1 or self.channels != channels)


@dataclass(frozen=True)
class BottleneckStage:
    """A residual block of ResNet50: 1x1, 3x3 and 1x1 convolutions; the last one has four times the channels.

    Attributes:
        width: channels of the first two convolutions.
        stride: of the 3x3 convolution, in pixels.
    """

    width: int
    stride: int = 1

    @property
    def channels(self) -> int:
        """Channels that it puts out."""
        return 4 * self.width

    def layers(self, channels: int) -> int:
        """Number of layers with weights, for an input of ``channels``."""
        return 3 + (self.stride != 1 or self.channels != channels)


@dataclass(frozen=True)
class BasicStage:
    """A residual block of floats of two 3x3 convolutions, as in ResNet18.

    Where it changes channels or size, a 1x1 convolution brings the input to the form of the result.

    Attributes:
        channels: it puts out.
        stride: of its first convolution, in pixels.
        first: norm and activation come before each convolution, not after it (He et al. 2016b, PreActResNet).
        squeeze: each channel of the result is multiplied by a number from 0 to 1, which two fully connected layers
            find from the means of all channels; the first one has so many times fewer channels; 0 for none
            (Hu et al. 2018, squeeze and excitation).
    """

    channels: int
    stride: int = 1
    first: bool = False
    squeeze: int = 0

    def layers(self, channels: int) -> int:
        """Number of layers with weights, for an input of ``channels``."""
        return 2 + 2 * (self.squeeze > 0) + (self.stride != 1 or self.channels != channels)


@dataclass(frozen=True)
class InvertedStage:
    """A residual block of MobileNetV2 (Sandler et al. 2018): 1x1, depthwise 3x3 and 1x1 convolutions.

    The last one has no activation. Without a stride its result is added to the input, or to its 1x1 convolution.

    Attributes:
        channels: it puts out.
        stride: of the 3x3 convolution, in pixels.
        expansion: channels of the first two convolutions for each channel of the input.
    """

    channels: int
    stride: int = 1
    expansion: int = 6

    def layers(self, channels: int) -> int:
        """Number of layers with weights, for an input of ``channels``."""
        return 3 + (self.stride == 1 and self.channels != channels)


@dataclass(frozen=True)
class PointStage:
    """A 1x1 convolution of floats across the channels, with norm and activation.

    Attributes:
        channels: it puts out.
        stride: 1.
    """

    channels: int
    stride: int = 1

    def layers(self, channels: int) -> int:
        """Number of layers with weights."""
        return 1


@dataclass(frozen=True)
class SeparableStage:
    """A 3x3 convolution of each channel by itself, and a 1x1 convolution across the channels.

    Attributes:
        channels: it puts out.
        stride: of the 3x3 convolution, in pixels.
    """

    channels: int
    stride: int = 1

    def layers(self, channels: int) -> int:
        """Number of layers with weights."""
        return 2


FloatStage: TypeAlias = BottleneckStage | BasicStage | InvertedStage | PointStage
"""A block of a network of floats."""


@dataclass(frozen=True)
class Topology:
    """Sizes of a network, without its precision.

    Attributes:
        input_shape: channels, height, width of one image.
        convolutions: in order.
        hidden: output features of each hidden fully connected layer.
        input_bits: bits of the input quantiser; ``None`` means as many as the activations have.
        outer_weight_bits: bits of the weights of the first and of the last layer; ``None`` means as many as the others.
        unsigned: n-bit activations have the levels i / (2^n - 1) in [0, 1], instead of levels symmetric around zero.
        dropout: probability that a value is dropped in training, on the input and on each hidden activation.
        blocks: behind the convolutions; behind the last, each channel is averaged over all pixels.
        norm: whether a batch norm follows each layer of a network of floats; else its layers have biases.
        saturation: activations of a network of floats are cut off above this value; ``None`` for plain ReLUs.
        late_dropout: probabilities that an activation is dropped in training, behind convolutions and behind hidden
            fully connected layers, but never behind the first layer.
    """

    input_shape: tuple[int, int, int]
    convolutions: tuple[Convolution, ...]
    hidden: tuple[int, ...]
    input_bits: int | None = None
    outer_weight_bits: int | None = None
    unsigned: bool = False
    dropout: float = 0.0
    blocks: tuple[ResidualStage | SeparableStage | FloatStage, ...] = ()
    norm: bool = False
    saturation: float | None = None
    late_dropout: tuple[float, float] = (0.0, 0.0)

    @property
    def pixels(self) -> tuple[int, int]:
        """Height and width behind the convolutions; 0 where a convolution or a pool is larger than what it reads."""
        _, height, width = self.input_shape
        for convolution in self.convolutions:
            height, width = (
                max(0, convolution.side(side)) if side >= convolution.kernel else 0 for side in (height, width)
            )
        return height, width


FLOAT_BITS = 32


@dataclass(frozen=True)
class NetworkSpec:
    """One network of the family: a topology at a precision, for a number of classes.

    Attributes:
        weight_bits, activation_bits: `FLOAT_BITS` in a network of floats.
    """

    name: str
    topology: Topology
    weight_bits: int
    activation_bits: int
    classes: int

    @property
    def is_float(self) -> bool:
        """Whether weights and activations are float32."""
        return self.weight_bits == FLOAT_BITS

    @property
    def input_bits(self) -> int:
        """Bits of the input quantiser."""
        return self.topology.input_bits or self.activation_bits

    @property
    def layers(self) -> int:
        """Number of layers with weights."""
        topology = self.topology
        widths = [topology.convolutions[-1].channels if topology.convolutions else 0]
        widths += [block.channels for block in topology.blocks]
        blocks = sum(block.layers(before) for block, before in zip(topology.blocks, widths, strict=False))
        return len(topology.convolutions) + blocks + len(topology.hidden) + 1

    def bits_of_weights(self, layer: int) -> int:
        """Bits of the weights of layer number ``layer``, counted from 0."""
        outer = self.topology.outer_weight_bits
        return outer if outer is not None and layer in (0, self.layers - 1) else self.weight_bits
