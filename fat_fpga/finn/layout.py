"""How weights, thresholds and activations of a network stand in FINN's tensors.

| of the network | in FINN |
|---|---|
| weights int32 [M, C, KH, KW] | [MW, MH]: row (kh * KW + kw) * C + c, column m |
| weights -1, +1 on activations -1, +1 | 0 and 1, multiplied by XNOR; sums count agreeing bits: (sum + MW) / 2 |
| thresholds int32 [M, T] | the same; behind XNOR and popcount they are counts, too |
| activations int32 [N, C, H, W] | [N, H, W, C]; -1 and +1 as 0 and 1 where they feed XNOR |
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.network import Levels, MatrixVectorUnit
from fat_fpga.network.layers import IntArray, Shape

Tensor = npt.NDArray[np.float32]


def weights_tensor(unit: MatrixVectorUnit, counting: bool) -> Tensor:
    """Weights as FINN's [MW, MH]; ``counting`` where the unit is XNOR and popcount."""
    matrix = unit.weights.transpose(2, 3, 1, 0).reshape(-1, unit.channels)
    return ((matrix + 1) // 2 if counting else matrix).astype(np.float32)


def thresholds_tensor(thresholds: IntArray, inputs: int, counting: bool) -> Tensor:
    """Thresholds as FINN's [MH, T]; ``inputs`` is MW."""
    wide = thresholds.astype(np.int64)
    return (-(-(wide + inputs) // 2) if counting else wide).astype(np.float32)


def stuck_thresholds(levels: Levels, value: int, low: int, high: int, inputs: int, counting: bool) -> Tensor:
    """The thresholds [T] that hold a channel at an activation level, whatever its accumulator is.

    As many as the level counts are at the least accumulator and always met, the others above the largest, and never:
    what a host writes into FINN's threshold memory.

    Args:
        low, high: smallest and largest accumulator of the channel.
    """
    met = levels.index(value)
    row = np.array([[low] * met + [high + 1] * (levels.count - 1 - met)], np.int32)
    if counting:  # counts lie in 0..inputs
        return np.array([0] * met + [inputs + 1] * (levels.count - 1 - met), np.float32)
    return thresholds_tensor(row, inputs, False).ravel()


def to_tensor(value: int, levels: Levels, binary: bool) -> int:
    """An activation level as it stands in a tensor; ``binary`` where -1 and +1 are 0 and 1."""
    return (value + 1) // 2 if binary and levels.bipolar else value


def to_stream(tensor: npt.NDArray[Any], shape: Shape, binary: bool, inputs: int | None = None) -> IntArray:
    """A tensor [1, H, W, C] or [1, C] as the stream int32 [1, C, H, W].

    Args:
        shape: channels, height and width of the stream.
        binary: 0 and 1 stand for -1 and +1.
        inputs: where the tensor holds counts of agreeing bits, of how many.
    """
    channels, height, width = shape
    integers: IntArray = tensor.astype(np.int32).reshape(1, height, width, channels).transpose(0, 3, 1, 2)
    if inputs is not None:
        return 2 * integers - inputs
    return 2 * integers - 1 if binary else integers
