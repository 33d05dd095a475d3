"""Outputs that are no class scores: values, as of a regression or an autoencoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelError
from fat_fpga.network.operators.base import IntArray

FINE = 2**16
"""So many units has the largest scale, where the channels have different ones."""


@dataclass(frozen=True)
class OutputValues:
    """What the integers of the last stream are worth.

    Attributes:
        scales: real value of one integer step, above 0: one for all channels, or one for each.
    """

    scales: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.scales or not all(np.isfinite(scale) and scale > 0 for scale in self.scales):
            raise ModelError(f"the scales of outputs must be above 0, got {self.scales[:3]}")

    @property
    def unit(self) -> float:
        """Real value of one unit, in which deviations are counted: the scale, or a fraction of the largest one."""
        return self.scales[0] if len(set(self.scales)) == 1 else max(self.scales) / FINE

    @property
    def weights(self) -> npt.NDArray[np.int64]:
        """int64 [1 or M]: units of one integer step of each channel, rounded."""
        if len(set(self.scales)) == 1:
            return np.ones(1, np.int64)
        return np.rint(np.array(self.scales) / self.unit).astype(np.int64)

    def deviations(self, stream: IntArray, golden: IntArray) -> npt.NDArray[np.int64]:
        """Units by which each value of a stream is away from the fault-free one: int64 [N, C, H, W]."""
        away = np.abs(stream.astype(np.int64) - golden)
        found: npt.NDArray[np.int64] = away * self.weights[:, None, None]
        return found
