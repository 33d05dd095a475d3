"""The networks of floats of the family. Needs no torch.

Those that `fat_fpga.fixed_point` turns into fixed point are those of Ares (Reagen et al. 2018, Table 1) that are not
recurrent. Their sizes are read off the table's numbers of weights and activations. LeNet-FC is
784-300-100-10. LeNet-CNN has two 3x3 convolutions of 32 channels (9.5 K weights) and two fully connected layers (590 K;
the table has the two numbers interchanged). CF-VGG is VGG16 without its last block, 7.6 M weights in ten convolutions;
cf-vgg-quarter has a quarter of its channels. VGG16 and ResNet50 are those of ImageNet.

FT-ClipAct (Hoang et al. 2020, section V-A) has two networks of floats for 3x32x32 images: an AlexNet of 5 convolutions
and 3 fully connected layers, and a VGG-16 of 13 convolutions and 1 fully connected layer. Each has four widths.
lenet-fc-w212, -w150 and -w75 are LeNet-FC with about 1/sqrt(2), 1/2 and 1/4 of its neurons, as Boukli Hacene et al.
(2019, section IV-D) compare networks. Their four networks for 3x32x32 images (Table I) are resnet18-F,
preactresnet18-F, senet18-F and mobilenetv2-F. mlp-L-N and cnn-L-C-P-F are those of Vialatte and Leduc-Primeau (2017).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fat_fpga.errors import ModelError
from fat_fpga.models.topology import BasicStage, BottleneckStage, Convolution, InvertedStage, PointStage, Topology


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


def _mlp(layers: int, neurons: int) -> Topology:
    """MLP-L-N of Vialatte and Leduc-Primeau (2017, section III)."""
    return Topology((1, 28, 28), (), (neurons,) * layers, saturation=1.0, late_dropout=LATE_DROPOUT)


def _cnn(layers: int, kernel: int, pool: int, maps: int) -> Topology:
    """CNN-L-C-P-F of the same paper; a pool of 1 is none."""
    convolution = Convolution(maps, kernel, pool=None if pool == 1 else (pool, pool))
    return Topology((1, 28, 28), (convolution,) * layers, (200,), saturation=1.0, late_dropout=LATE_DROPOUT)


def _stages(width: int, first: bool = False, squeeze: int = 0) -> tuple[BasicStage, ...]:
    """The eight blocks of ResNet18; the first two have ``width`` channels, every second one twice as many."""
    return tuple(
        BasicStage(width * times, 2 if times > 1 and index == 0 else 1, first, squeeze)
        for times in (1, 2, 4, 8)
        for index in range(2)
    )


def _resnet18(width: int) -> Topology:
    return Topology((3, 32, 32), (Convolution(width, padding=1),), (), blocks=_stages(width), norm=True)


def _preactresnet18(width: int) -> Topology:
    stem = Convolution(width, padding=1, bare=True)
    return Topology((3, 32, 32), (stem,), (), blocks=_stages(width, first=True), norm=True)


def _senet18(width: int) -> Topology:
    blocks = _stages(width, first=True, squeeze=16)
    return Topology((3, 32, 32), (Convolution(width, padding=1),), (), blocks=blocks, norm=True)


def _mobilenetv2(width: int) -> Topology:
    """MobileNetV2 with the strides that fit 32x32 pixels: 1 in the first convolution and in the second group."""
    groups = ((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    blocks = tuple(
        InvertedStage(max(1, channels * width // 32), stride if index == 0 else 1, expansion)
        for expansion, channels, count, stride in groups
        for index in range(count)
    )
    last = PointStage(max(1, 1280 * width // 32))
    return Topology((3, 32, 32), (Convolution(width, padding=1),), (), blocks=(*blocks, last), norm=True)


LATE_DROPOUT = 0.25, 0.5
SIZED: dict[str, Callable[..., Topology]] = {
    "mlp-L-N": _mlp,
    "cnn-L-C-P-F": _cnn,
    "resnet18-F": _resnet18,
    "preactresnet18-F": _preactresnet18,
    "senet18-F": _senet18,
    "mobilenetv2-F": _mobilenetv2,
}
"""Networks of floats of any size: a letter stands for a number. For 1x28x28 images ``mlp-2-200`` has two hidden layers
of 200 neurons; ``cnn-2-3-2-16`` two 3x3 convolutions of 16 channels, each with a max-pool of 2x2 pixels behind its
activation (1: none), and a hidden layer of 200 neurons. For 3x32x32 images the others: F is the number of channels of
the first convolution, 64 in the three ResNets and 32 in MobileNetV2 as they were published."""


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
