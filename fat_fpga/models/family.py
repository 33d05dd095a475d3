"""The table of networks: one row per topology, one per precision. Needs no torch.

Of FINN's bnn-pynq examples CNV for 3x32x32 images, and three fully connected networks (TFC, SFC, LFC) for 1x28x28
images; DoReFa-Net (Zhou et al. 2016, arXiv 1606.06160) in its AlexNet form for 3x224x224 images. The FAT paper trains
CNV and DoReFa-Net (section V). ResNet-8 is the residual network of MLPerf Tiny; mobilenet has the shape of MobileNet-v1
at a quarter of its width, for 3x32x32 images.

Networks of floats, which `fat_fpga.fixed_point` turns into fixed point, are those of Ares (Reagen et al. 2018, Table 1)
that are not recurrent. Their sizes are read off the table's numbers of weights and activations. LeNet-FC is
784-300-100-10. LeNet-CNN has two 3x3 convolutions of 32 channels (9.5 K weights) and two fully connected layers (590 K;
the table has the two numbers interchanged). CF-VGG is VGG16 without its last block, 7.6 M weights in ten convolutions;
cf-vgg-quarter has a quarter of its channels. VGG16 and ResNet50 are those of ImageNet.

FT-ClipAct (Hoang et al. 2020, section V-A) has two networks of floats for 3x32x32 images: an AlexNet of 5 convolutions
and 3 fully connected layers, and a VGG-16 of 13 convolutions and 1 fully connected layer. Each has four widths.
lenet-fc-w212, -w150 and -w75 are LeNet-FC with about 1/sqrt(2), 1/2 and 1/4 of its neurons, as Boukli Hacene et al.
(2019, section IV-D) compare networks. mlp-L-N and cnn-L-C-P-F are those of Vialatte and Leduc-Primeau (2017).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError


@dataclass(frozen=True)
class Convolution:
    """A square convolution, and the max-pool behind its activation.

    Attributes:
        channels: it puts out.
        kernel, stride, padding: in pixels, the same in both directions; the padding is zeros on all four sides.
        pool: window and stride of the max-pool; ``None`` for none.
        pool_padding: of the max-pool, in pixels.
    """

    channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 0
    pool: tuple[int, int] | None = None
    pool_padding: int = 0

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
    blocks: tuple[ResidualStage | SeparableStage | BottleneckStage, ...] = ()
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


_CNV = (
    Convolution(64),
    Convolution(64, pool=(2, 2)),
    Convolution(128),
    Convolution(128, pool=(2, 2)),
    Convolution(256),
    Convolution(256),
)
_ALEXNET = (
    Convolution(96, kernel=11, stride=4, padding=2, pool=(3, 2)),
    Convolution(256, kernel=5, padding=2, pool=(3, 2)),
    Convolution(384, padding=1),
    Convolution(384, padding=1),
    Convolution(256, padding=1, pool=(3, 2)),
)

TOPOLOGIES: dict[str, Topology] = {
    "cnv": Topology((3, 32, 32), _CNV, (512, 512), input_bits=8),
    "tfc": Topology((1, 28, 28), (), (64, 64, 64), dropout=0.2),
    "sfc": Topology((1, 28, 28), (), (256, 256, 256), dropout=0.2),
    "lfc": Topology((1, 28, 28), (), (1024, 1024, 1024), dropout=0.2),
    "dorefa": Topology((3, 224, 224), _ALEXNET, (4096, 4096), input_bits=8, outer_weight_bits=8, unsigned=True),
}

TOPOLOGIES["resnet8"] = Topology(
    (3, 32, 32),
    (Convolution(16, padding=1),),
    (),
    input_bits=8,
    outer_weight_bits=8,
    unsigned=True,
    blocks=(ResidualStage(16), ResidualStage(32, stride=2), ResidualStage(64, stride=2)),
)
TOPOLOGIES["mobilenet"] = Topology(
    (3, 32, 32),
    (Convolution(16, padding=1),),
    (),
    input_bits=8,
    outer_weight_bits=8,
    unsigned=True,
    blocks=(
        SeparableStage(32),
        SeparableStage(64, stride=2),
        SeparableStage(64),
        SeparableStage(128, stride=2),
        SeparableStage(128),
        SeparableStage(256, stride=2),
        SeparableStage(256),
    ),
)


def _vgg(channels: tuple[int, ...], pools: tuple[int, ...]) -> tuple[Convolution, ...]:
    """3x3 convolutions that keep the size; behind those numbered in ``pools`` the size is halved."""
    return tuple(
        Convolution(count, padding=1, pool=(2, 2) if index in pools else None) for index, count in enumerate(channels)
    )


def _cf_vgg(width: int) -> Topology:
    """VGG16 of CIFAR-10 without its last three convolutions; 4x4 pixels are left at the end, pooled to one."""
    channels = tuple(width * times for times in (1, 1, 2, 2, 4, 4, 4, 8, 8))
    last = Convolution(8 * width, padding=1, pool=(4, 4))
    return Topology((3, 32, 32), (*_vgg(channels, (1, 3, 6)), last), (8 * width,), norm=True)


def _alexnet_cifar(share: int) -> Topology:
    """AlexNet for 3x32x32 images: 3x3 convolutions, the first one of stride 2; 2x2 pixels are left at the end."""
    convolutions = (
        Convolution(64 // share, stride=2, padding=1, pool=(2, 2)),
        Convolution(192 // share, padding=1, pool=(2, 2)),
        Convolution(384 // share, padding=1),
        Convolution(256 // share, padding=1),
        Convolution(256 // share, padding=1, pool=(2, 2)),
    )
    return Topology((3, 32, 32), convolutions, (4096 // share, 4096 // share), dropout=0.2)


def _vgg16_cifar(share: int) -> Topology:
    """VGG-16 for 3x32x32 images, with batch norms: five pools, and one fully connected layer on the pixel that is
    left."""
    channels = tuple(64 * times // share for times in (1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 8, 8, 8))
    return Topology((3, 32, 32), _vgg(channels, (1, 3, 6, 9, 12)), (), norm=True)


_SHARES = {"": 1, "-half": 2, "-quarter": 4, "-eighth": 8}
"""Widths by the end of a name: one channel of so many is left."""

FLOATS: dict[str, Topology] = {
    "lenet-fc": Topology((1, 28, 28), (), (300, 100), dropout=0.2),
    **{
        f"lenet-fc-w{first}": Topology((1, 28, 28), (), (first, second), dropout=0.2)
        for first, second in ((212, 71), (150, 50), (75, 25))
    },
    "lenet-cnn": Topology((1, 28, 28), (Convolution(32), Convolution(32, pool=(2, 2))), (128,), dropout=0.25),
    "cf-vgg": _cf_vgg(64),
    "cf-vgg-quarter": _cf_vgg(16),
    "vgg16": Topology(
        (3, 224, 224),
        _vgg((64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512), (1, 3, 6, 9, 12)),
        (4096, 4096),
    ),
    "resnet50": Topology(
        (3, 224, 224),
        (Convolution(64, kernel=7, stride=2, padding=3, pool=(3, 2), pool_padding=1),),
        (),
        blocks=tuple(
            BottleneckStage(width, stride if index == 0 else 1)
            for width, stride, count in ((64, 1, 3), (128, 2, 4), (256, 2, 6), (512, 2, 3))
            for index in range(count)
        ),
        norm=True,
    ),
    **{f"alexnet-cifar{width}": _alexnet_cifar(share) for width, share in _SHARES.items()},
    **{f"vgg16-cifar{width}": _vgg16_cifar(share) for width, share in _SHARES.items()},
}
"""Networks of floats, by their names."""

PRECISIONS: dict[str, tuple[str, ...]] = {
    "cnv": ("w1a1", "w1a2", "w1a3", "w1a4", "w2a2"),
    "tfc": ("w1a1", "w1a2", "w2a2"),
    "sfc": ("w1a1", "w1a2", "w2a2"),
    "lfc": ("w1a1", "w1a2", "w2a2"),
    "dorefa": ("w1a2",),
    "resnet8": ("w2a2", "w4a4"),
    "mobilenet": ("w4a4",),
}


def _mlp(layers: int, neurons: int) -> Topology:
    """MLP-L-N of Vialatte and Leduc-Primeau (2017, section III)."""
    return Topology((1, 28, 28), (), (neurons,) * layers, saturation=1.0, late_dropout=LATE_DROPOUT)


def _cnn(layers: int, kernel: int, pool: int, maps: int) -> Topology:
    """CNN-L-C-P-F of the same paper; a pool of 1 is none."""
    convolution = Convolution(maps, kernel, pool=None if pool == 1 else (pool, pool))
    return Topology((1, 28, 28), (convolution,) * layers, (200,), saturation=1.0, late_dropout=LATE_DROPOUT)


LATE_DROPOUT = 0.25, 0.5
SIZED: dict[str, Callable[..., Topology]] = {"mlp-L-N": _mlp, "cnn-L-C-P-F": _cnn}
"""Networks of floats of any size for 1x28x28 images: a letter stands for a number. ``mlp-2-200`` has two hidden layers
of 200 neurons; ``cnn-2-3-2-16`` two 3x3 convolutions of 16 channels, each with a max-pool of 2x2 pixels behind its
activation (1: none), and a hidden layer of 200 neurons."""


def float_topology(name: str) -> Topology | None:
    """The topology of a network of floats by its name, None where there is none of that name.

    Raises:
        ModelError: no pixels are left behind its convolutions.
    """
    if name in FLOATS:
        return FLOATS[name]
    for form, make in SIZED.items():
        if found := re.fullmatch(re.sub("[A-Z]", r"([1-9]\\d{0,4})", form), name):
            topology = make(*map(int, found.groups()))
            if not all(topology.pixels):
                raise ModelError(f"{name}: its convolutions leave no pixels of 28x28: fewer layers, or a smaller pool")
            return topology
    return None


def names() -> tuple[str, ...]:
    """Every network's name, such as ``"cnv-w1a1"``, but those of any size (`SIZED`)."""
    quantised = (f"{topology}-{precision}" for topology in TOPOLOGIES for precision in PRECISIONS[topology])
    return (*quantised, *FLOATS)


@checked
def known() -> str:
    """The names for messages, with letters for the numbers of `SIZED`."""
    return ", ".join((*names(), *SIZED))


@checked
def is_name(name: str) -> bool:
    """Whether a network has this name."""
    return name in names() or float_topology(name) is not None


@checked
def spec(name: str, classes: int = 10) -> NetworkSpec:
    """Look a network up by its name.

    Raises:
        ModelError: the name is unknown, or ``classes`` is below 2.
    """
    if not is_name(name):
        raise ModelError(f"unknown model {name!r}; known models: {known()}")
    if classes < 2:
        raise ModelError(f"{name}: a classifier needs at least 2 classes, got {classes}")
    if (topology_of_floats := float_topology(name)) is not None:
        return NetworkSpec(name, topology_of_floats, FLOAT_BITS, FLOAT_BITS, classes)
    topology, weight_bits, activation_bits = re.fullmatch(r"(\w+)-w(\d)a(\d)", name).groups()  # type: ignore[union-attr]
    return NetworkSpec(name, TOPOLOGIES[topology], int(weight_bits), int(activation_bits), classes)
