"""Networks that differ in size, and the space that a search takes them from. Needs no torch."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from fat_fpga.errors import ModelError
from fat_fpga.models import spec
from fat_fpga.models.topology import Topology

Choose = Callable[[str, int, int, bool], int]
"""Chooses a number of a name, from a least to a most one, the last argument says whether on a log scale."""


@dataclass(frozen=True)
class Candidate:
    """A network of one of the two kinds.

    Attributes:
        name: ``mlp-L-N`` or ``cnn-L-C-P-F``, as `fat_fpga.models.build` takes it.
    """

    name: str

    def __post_init__(self) -> None:
        if re.fullmatch(r"(mlp(-\d+){2}|cnn(-\d+){4})", self.name) is None:
            raise ModelError(f"{self.name} is no network of a search: expected mlp-L-N or cnn-L-C-P-F")
        _ = self.topology

    @property
    def kind(self) -> str:
        """``mlp`` or ``cnn``."""
        return self.name.partition("-")[0]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of its name."""
        return tuple(map(int, self.name.split("-")[1:]))

    @property
    def layers(self) -> int:
        """L: hidden layers of an MLP, convolutions of a CNN."""
        return self.numbers[0]

    @property
    def topology(self) -> Topology:
        """Its row of the family's table; ModelError where no pixels are left."""
        return spec(self.name).topology

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        topology = self.topology
        channels, found = topology.input_shape[0], 0
        for convolution in topology.convolutions:
            found += convolution.channels * (channels * convolution.kernel**2 + 1)
            channels = convolution.channels
        features = channels * prod(topology.pixels)
        for outputs in (*topology.hidden, spec(self.name).classes):
            found += outputs * (features + 1)
            features = outputs
        return found

    @property
    def places(self) -> tuple[str, ...]:
        """The layers whose results deviate: all with weights, in order."""
        convolutions, hidden = len(self.topology.convolutions), len(self.topology.hidden)
        return (
            *(f"conv{index}" for index in range(convolutions)),
            *(f"fc{index}" for index in range(convolutions, convolutions + hidden + 1)),
        )


@dataclass(frozen=True)
class Space:
    """What a search chooses among.

    Attributes:
        kind: ``mlp`` or ``cnn``.
        layers: least and most L.
        width: least and most N of an MLP, F of a CNN.
        kernels: C of a CNN.
        pools: P of a CNN; 1 is no pool.
    """

    kind: str
    layers: tuple[int, int]
    width: tuple[int, int]
    kernels: tuple[int, ...] = (3, 5)
    pools: tuple[int, ...] = (1, 2)

    def __post_init__(self) -> None:
        for name, (low, high) in (("layers", self.layers), ("widths", self.width)):
            if not 1 <= low <= high:
                raise ModelError(f"{name} {low}:{high}: expected a least and a most number, both at least 1")
        if not self.kernels or not self.pools or min(*self.kernels, *self.pools) < 1:
            raise ModelError("kernels and pools are at least 1 pixel, and one of each is needed")

    @classmethod
    def of(cls, kind: str) -> Space:
        """The space of a kind of network, that of the paper's figures.

        Raises:
            ModelError: an unknown kind.
        """
        if kind == "mlp":
            return cls("mlp", (1, 5), (50, 1000))
        if kind == "cnn":
            return cls("cnn", (1, 3), (4, 64))
        raise ModelError(f"unknown kind of network '{kind}': expected mlp or cnn")

    def candidate(self, choose: Choose) -> Candidate | None:
        """The network of these choices; None where no pixels are left in it."""
        layers, width = choose("layers", *self.layers, False), choose("width", *self.width, True)
        if self.kind == "mlp":
            return Candidate(f"mlp-{layers}-{width}")
        kernel = self.kernels[choose("kernel", 0, len(self.kernels) - 1, False)]
        pool = self.pools[choose("pool", 0, len(self.pools) - 1, False)]
        try:
            return Candidate(f"cnn-{layers}-{kernel}-{pool}-{width}")
        except ModelError:
            return None

    def choices(self, candidate: Candidate) -> dict[str, int] | None:
        """The choices that give a network; None where it is none of this space."""
        if candidate.kind != self.kind:
            return None
        layers, *rest = candidate.numbers
        found = {"layers": layers, "width": rest[-1]}
        if self.kind == "cnn":
            kernel, pool, _ = rest
            if kernel not in self.kernels or pool not in self.pools:
                return None
            found |= {"kernel": self.kernels.index(kernel), "pool": self.pools.index(pool)}
        within = self.layers[0] <= layers <= self.layers[1] and self.width[0] <= rest[-1] <= self.width[1]
        return found if within else None
