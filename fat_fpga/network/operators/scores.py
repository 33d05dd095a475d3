"""Class scores by ranks: what a file makes of the last sums, as integers that compare as its floats do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.base import IntArray, Layer, Shape


@dataclass(frozen=True, eq=False)
class Scores(Layer):
    """For each class a table from its sum to a rank: ``rank[m] = ranks[m, sum[m] - low]``.

    A bias, a scale or a batch norm per class, or a function that gives several sums one score, is a chain of floats
    that no sum stands for. Its results for all classes and sums, replaced by their common ranks, are integers: the
    largest rank is the largest score, equal ranks are equal scores, whatever the chain is.

    Attributes:
        name: ``scores``.
        ranks: int32 [M, K].
        low: the sum that the first rank of each class is of. Sums beyond the table have the rank at its end.
        node: name of the last node in the file.
    """

    name: str
    ranks: IntArray
    low: int
    node: str = ""
    inputs: tuple[str, ...] = ()
    type: ClassVar[str] = "scores"

    def __repr__(self) -> str:
        return f"<Scores {self.name}: ranks of {self.ranks.shape[1]} sums of {len(self.ranks)} classes>"

    def __post_init__(self) -> None:
        if self.ranks.ndim != 2 or self.ranks.dtype != np.int32 or not self.ranks.size:
            raise ModelError(f"{self.name}: ranks must be int32 [M, K], got {self.ranks.dtype} {self.ranks.shape}")

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if shape != (len(self.ranks), 1, 1):
            raise ModelError(f"{self.name}: it has ranks of {len(self.ranks)} classes, its input is {list(shape)}")
        return shape

    def output(self, *streams: IntArray) -> IntArray:
        (sums,) = streams
        at = np.clip(sums[:, :, 0, 0].astype(np.int64) - self.low, 0, self.ranks.shape[1] - 1)
        ranks: IntArray = np.take_along_axis(self.ranks, at.T, axis=1).T[:, :, None, None]
        return np.ascontiguousarray(ranks)

    def output_levels(self, *before: Levels) -> Levels | None:
        return None

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "scores", self.low, self.ranks.shape)).encode()
        yield np.ascontiguousarray(self.ranks, dtype="<i4").tobytes()
