"""How far faults move outputs that are no classes: exact integers, so that all engines and all blocks agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fat_fpga.network.layers import IntArray
from fat_fpga.network.outputs import OutputValues

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Deviation:
    """Away from the fault-free output, in units of `OutputValues.unit`.

    Attributes:
        total: int64 [F], under each fault, over all values of all rows together.
        largest: int64 [F], of any value of any row.
    """

    total: Ints
    largest: Ints

    @classmethod
    def none(cls, faults: int) -> Deviation:
        """Of so many faults, for no row yet."""
        return cls(np.zeros(faults, np.int64), np.zeros(faults, np.int64))

    def add(self, fault: int, values: OutputValues, stream: IntArray, golden: IntArray) -> npt.NDArray[np.bool_]:
        """Take in the outputs int32 [N, C, H, W] of some rows under a fault; which of the rows differ, [N]."""
        away = values.deviations(stream, golden).reshape(len(stream), -1)
        self.total[fault] += away.sum()
        self.largest[fault] = max(self.largest[fault], away.max(initial=0))
        differs: npt.NDArray[np.bool_] = np.asarray(np.any(away, axis=1))
        return differs

    def take(self, other: Deviation) -> None:
        """Take in the deviations of the same faults on other rows."""
        self.total[:] += other.total
        np.maximum(self.largest, other.largest, out=self.largest)
