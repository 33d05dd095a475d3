"""The table of networks: one row per topology, one per precision. Needs no torch.

Of FINN's bnn-pynq examples CNV for 3x32x32 images, and three fully connected networks (TFC, SFC, LFC) for 1x28x28
images; DoReFa-Net (Zhou et al. 2016, arXiv 1606.06160) in its AlexNet form for 3x224x224 images. The FAT paper trains
CNV and DoReFa-Net (section V). ResNet-8 is the residual network of MLPerf Tiny; mobilenet has the shape of MobileNet-v1
at a quarter of its width, for 3x32x32 images.

Networks of floats are in `fat_fpga.models.float_family`.
"""

from __future__ import annotations

import re

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError
from fat_fpga.models.float_family import FLOATS, SIZED, float_topology
from fat_fpga.models.topology import FLOAT_BITS, Convolution, NetworkSpec, ResidualStage, SeparableStage, Topology

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

PRECISIONS: dict[str, tuple[str, ...]] = {
    "cnv": ("w1a1", "w1a2", "w1a3", "w1a4", "w2a2"),
    "tfc": ("w1a1", "w1a2", "w2a2"),
    "sfc": ("w1a1", "w1a2", "w2a2"),
    "lfc": ("w1a1", "w1a2", "w2a2"),
    "dorefa": ("w1a2",),
    "resnet8": ("w2a2", "w4a4"),
    "mobilenet": ("w4a4",),
}


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
