"""Algorithm 1 of FT-ClipAct: the threshold of one layer with the largest area under the curve.

Source: Hoang, Hanif, Shafique, FT-ClipAct, DATE 2020, section IV-C.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from fat_fpga.errors import CampaignError

POINTS = 4
"""Boundaries of three sub-intervals of equal size."""


@dataclass(frozen=True)
class Rules:
    """When the search ends.

    Attributes:
        iterations: N, at most so many.
        least: M, at least so many; below ``iterations`` or equal to it.
        difference: delta; it ends where all neighbours differ by no more in their area, which is 0 to 1.
    """

    iterations: int = 6
    least: int = 3
    difference: float = 0.001

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.iterations:
            raise CampaignError(
                f"a search has at least 1 iteration, and not more at least than at most: got at least {self.least}, "
                f"at most {self.iterations}"
            )
        if not 0 <= self.difference <= 1:
            raise CampaignError(f"a difference of areas is 0 to 1, got {self.difference:g}")


@dataclass(frozen=True)
class Trial:
    """A threshold that was tried, and its area under the curve."""

    threshold: float
    area: float


@dataclass(frozen=True)
class Found:
    """The best threshold, and all trials in their order; no threshold is there twice."""

    best: Trial
    trials: tuple[Trial, ...]
    iterations: int


def interval_search(area: Callable[[float], float], largest: float, rules: Rules) -> Found:
    """The threshold in [0, ``largest``] with the largest area, by intervals that shrink around the best boundary.

    Two things differ from the listing in the paper. A boundary that was evaluated before is not evaluated again. And
    the result is the best of all that were evaluated, where the listing gives the best of the last but one iteration.
    Of equal areas the larger threshold is better, because it clips less.

    Args:
        area: of a threshold; 0 to 1.
        largest: ACT_max of the layer.
    """
    known: dict[float, float] = {}

    def evaluated(threshold: float) -> Trial:
        if threshold not in known:
            known[threshold] = area(threshold)
        return Trial(threshold, known[threshold])

    low, high = 0.0, largest
    iteration = 0
    while True:
        iteration += 1
        points = [low + (high - low) * number / (POINTS - 1) for number in range(POINTS - 1)] + [high]
        trials = [evaluated(point) for point in points]
        steps = [abs(b.area - a.area) for a, b in pairwise(trials)]
        if iteration >= rules.iterations or (iteration >= rules.least and max(steps) <= rules.difference):
            break
        index = max(range(POINTS), key=lambda number: (trials[number].area, number))
        low, high = points[max(0, index - 1)], points[min(POINTS - 1, index + 1)]
    every = [Trial(threshold, found) for threshold, found in known.items()]
    return Found(max(every, key=lambda trial: (trial.area, trial.threshold)), tuple(every), iteration)
