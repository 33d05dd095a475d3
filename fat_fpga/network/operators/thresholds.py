"""Multi-thresholds: what a threshold memory holds, and what it makes of integers."""

from __future__ import annotations

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.base import IntArray
from fat_fpga.network.operators.threshold_logic import COUNT, met


def check_thresholds(name: str, thresholds: IntArray, channels: int, levels: Levels) -> None:
    """ModelError unless thresholds are int32 [channels, levels - 1], ascending along the last axis."""
    expected = (channels, levels.count - 1)
    if thresholds.shape != expected or thresholds.dtype != np.int32:
        raise ModelError(
            f"{name}: thresholds must be int32 {list(expected)}, got {thresholds.dtype} {list(thresholds.shape)}"
        )
    if np.any(thresholds[:, 1:] < thresholds[:, :-1]):
        raise ModelError(f"{name}: thresholds must ascend along each channel")


def activate(integers: IntArray, thresholds: IntArray, levels: Levels, logic: str = COUNT) -> IntArray:
    """The level of each integer [N, C, H, W]: ``base + step * (number of thresholds [C, T] that it meets)``.

    Args:
        logic: how hardware finds that number; see `threshold_logic`. Where thresholds ascend, each finds the same.
    """
    return levels.base + levels.step * met(integers, thresholds, logic)
