"""Majority votes on replicated channels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelError
from fat_fpga.network.operators.base import IntArray, Layer, Shape


@dataclass(frozen=True, eq=False)
class MajorityVote(Layer):
    """Bitwise majority of replicated channels, right behind the unit that computes the copies: ``conv1.vote``.

    ``out[c] = a & b | a & c | b & c`` of the three integers ``a, b, c = in[sources[c]]``, bit by bit as two's
    complement (two of three bipolar values are always equal, so this holds for their single bit as well). As long as
    two copies agree, their value passes.

    Attributes:
        name: address of the layer: that of the unit in front, and ``.vote``.
        sources: int32 [C, 3]; the three channels in front that output channel ``c`` is decided by. A channel without
            copies stands there three times.
        node: name of its node in the file.
    """

    name: str
    sources: IntArray
    node: str = ""
    inputs: tuple[str, ...] = ()
    type: ClassVar[str] = "vote"
    enumerated: ClassVar[bool] = True

    @classmethod
    def behind(cls, unit: str, sources: IntArray, node: str = "") -> MajorityVote:
        """The vote on the copies that a unit computes, with the name that such a vote has."""
        return cls(f"{unit}.vote", sources, node)

    def __repr__(self) -> str:
        return f"<MajorityVote {self.name}: {self.voted.sum()} of {self.channels} channels voted on>"

    def __post_init__(self) -> None:
        if self.sources.ndim != 2 or self.sources.shape[1] != 3 or self.sources.dtype != np.int32:
            raise ModelError(
                f"{self.name}: sources must be int32 [C, 3], got {self.sources.dtype} {list(self.sources.shape)}"
            )
        if not self.sources.size or self.sources.min() < 0:
            raise ModelError(f"{self.name}: sources must be numbers of channels, from 0 on")

    @property
    def channels(self) -> int:
        """Number of output channels C."""
        return len(self.sources)

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, self.sources.tolist())).encode()

    @property
    def voted(self) -> npt.NDArray[np.bool_]:
        """bool [C]: whether three different channels decide."""
        a, b, c = self.sources.T
        voted: npt.NDArray[np.bool_] = (a != b) & (a != c) & (b != c)
        return voted

    def output_shape(self, *shapes: Shape) -> Shape:
        ((c, h, w),) = shapes
        if self.sources.max() >= c:
            raise ModelError(f"{self.name}: it votes on channel {self.sources.max()}, there are channels 0 to {c - 1}")
        return self.channels, h, w

    def output(self, *streams: IntArray) -> IntArray:
        (activations,) = streams
        a, b, c = (activations[:, copies] for copies in self.sources.T)
        majority: IntArray = a & b | a & c | b & c
        return majority
