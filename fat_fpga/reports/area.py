"""The area under a curve by trapezoids, divided by its width."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def mean_height(positions: Sequence[float], heights: Sequence[float]) -> float:
    """The area under the straight lines through the points, divided by the width: a mean of the heights.

    Args:
        positions: ascending, at least two, the last above the first.
        heights: of each of them.
    """
    total = sum(
        (b - a) * (one + other) / 2 for (a, b), (one, other) in zip(pairwise(positions), pairwise(heights), strict=True)
    )
    return total / (positions[-1] - positions[0])
