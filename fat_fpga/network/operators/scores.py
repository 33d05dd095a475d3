"""Class scores by ranks: what a file makes of the last sums, as integers that compare as its floats do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.operators.base import IntArray
from fat_fpga.network.operators.class_scores import ClassScores


@dataclass(frozen=True, eq=False)
class Scores(ClassScores):
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
    ordinal: ClassVar[bool] = True

    def __repr__(self) -> str:
        return f"<Scores {self.name}: ranks of {self.ranks.shape[1]} sums of {len(self.ranks)} classes>"

    def __post_init__(self) -> None:
        if self.ranks.ndim != 2 or self.ranks.dtype != np.int32 or not self.ranks.size:
            raise ModelError(f"{self.name}: ranks must be int32 [M, K], got {self.ranks.dtype} {self.ranks.shape}")

    @property
    def count(self) -> int:
        return len(self.ranks)

    def output(self, *streams: IntArray) -> IntArray:
        (sums,) = streams
        at = np.clip(sums[:, :, 0, 0].astype(np.int64) - self.low, 0, self.ranks.shape[1] - 1)
        ranks: IntArray = np.take_along_axis(self.ranks, at.T, axis=1).T[:, :, None, None]
        return np.ascontiguousarray(ranks)

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "scores", self.low, self.ranks.shape)).encode()
        yield np.ascontiguousarray(self.ranks, dtype="<i4").tobytes()
