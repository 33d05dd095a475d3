"""Signs and rounding, the values that all quantisers of the family share; what gradients pass is theirs to say."""

from __future__ import annotations

from torch import Tensor, copysign


def signs(x: Tensor) -> Tensor:
    """Return -1 or +1 for each value, +1 for a zero of either sign, in the shape and type of ``x``."""
    return copysign(x.new_ones(()), x + 0.0)  # + 0.0 makes a negative zero positive


def rounded(scaled: Tensor, scale: float, low: int, high: int) -> Tensor:
    """Return the nearest whole numbers to ``scaled`` from ``low`` to ``high``, times ``scale``."""
    return scaled.round().clamp_(low, high).mul_(scale)
