"""The table of networks: one row per topology, one per precision. Needs no torch.

The topologies are those of FINN's bnn-pynq examples, which the FAT paper trains (section V): CNV for 3x32x32
images, and three fully connected networks (TFC, SFC, LFC) for 1x28x28 images.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fat_fpga.errors import ModelError


@dataclass(frozen=True)
class Topology:
    """Sizes of a network, without its precision.

    Attributes:
        input_shape: channels, height, width of one image.
        convolutions: output channels of each 3x3 convolution, and whether a 2x2 max-pool follows it.
        hidden: output features of each hidden fully connected layer.
        input_bits: bits of the input quantiser; ``None`` means as many as the activations have.
        dropout: probability that a value is dropped in training, on the input and on each hidden activation.
    """

    input_shape: tuple[int, int, int]
    convolutions: tuple[tuple[int, bool], ...]
    hidden: tuple[int, ...]
    input_bits: int | None = None
    dropout: float = 0.0


@dataclass(frozen=True)
class NetworkSpec:
    """One network of the family: a topology at a precision, for a number of classes."""

    name: str
    topology: Topology
    weight_bits: int
    activation_bits: int
    classes: int

    @property
    def input_bits(self) -> int:
        """Bits of the input quantiser."""
        return self.topology.input_bits or self.activation_bits


_CNV = ((64, False), (64, True), (128, False), (128, True), (256, False), (256, False))

TOPOLOGIES: dict[str, Topology] = {
    "cnv": Topology((3, 32, 32), _CNV, (512, 512), input_bits=8),
    "tfc": Topology((1, 28, 28), (), (64, 64, 64), dropout=0.2),
    "sfc": Topology((1, 28, 28), (), (256, 256, 256), dropout=0.2),
    "lfc": Topology((1, 28, 28), (), (1024, 1024, 1024), dropout=0.2),
}

PRECISIONS: dict[str, tuple[str, ...]] = {
    "cnv": ("w1a1", "w1a2", "w1a3", "w1a4", "w2a2"),
    "tfc": ("w1a1", "w1a2", "w2a2"),
    "sfc": ("w1a1", "w1a2", "w2a2"),
    "lfc": ("w1a1", "w1a2", "w2a2"),
}


def names() -> tuple[str, ...]:
    """Every network's name, such as ``"cnv-w1a1"``."""
    return tuple(f"{topology}-{precision}" for topology in TOPOLOGIES for precision in PRECISIONS[topology])


def spec(name: str, classes: int = 10) -> NetworkSpec:
    """Look a network up by its name.

    Raises:
        ModelError: the name is unknown, or ``classes`` is below 2.
    """
    if name not in names():
        raise ModelError(f"unknown model {name!r}; known models: {', '.join(names())}")
    if classes < 2:
        raise ModelError(f"{name}: a classifier needs at least 2 classes, got {classes}")
    topology, weight_bits, activation_bits = re.fullmatch(r"(\w+)-w(\d)a(\d)", name).groups()  # type: ignore[union-attr]
    return NetworkSpec(name, TOPOLOGIES[topology], int(weight_bits), int(activation_bits), classes)
