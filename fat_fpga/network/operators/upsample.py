"""Upsampling: each activation is repeated, in the decoder of a network that makes images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fat_fpga.errors import ModelError
from fat_fpga.network.operators.base import IntArray, Layer, Shape


@dataclass(frozen=True, eq=False)
class Upsample(Layer):
    """Each activation ``factors[0]`` times along the height and ``factors[1]`` times along the width.

    It is named after the layer in front: ``conv1.upsample``. FINN's UpsampleNearestNeighbour.

    Attributes:
        factors: vertical, horizontal; above 0, and not both 1.
        node: name of its node in the file.
    """

    name: str
    factors: tuple[int, int]
    node: str = ""
    inputs: tuple[str, ...] = ()
    type: ClassVar[str] = "upsample"

    def __repr__(self) -> str:
        return f"<Upsample {self.name}: {self.factors[0]} x {self.factors[1]}>"

    def __post_init__(self) -> None:
        if min(self.factors) < 1 or self.factors == (1, 1):
            raise ModelError(f"{self.name}: expected factors above 0, one of them above 1, got {list(self.factors)}")

    def output_shape(self, *shapes: Shape) -> Shape:
        ((channels, height, width),) = shapes
        return channels, height * self.factors[0], width * self.factors[1]

    def output(self, *streams: IntArray) -> IntArray:
        (activations,) = streams
        return activations.repeat(self.factors[0], axis=2).repeat(self.factors[1], axis=3)

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "upsample", self.factors)).encode()
