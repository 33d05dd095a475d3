"""How many faults a sample needs for a margin of error, and which margin a sample has reached.

Sources: Leveugle et al., DATE 2009 (the number of faults to inject); Ruospo et al., DATE 2023 (a number for each layer
and bit). Where (almost) nothing or all was hit, the exact interval of the hypergeometric law takes the place of the
normal one.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf, sqrt
from statistics import NormalDist

from fat_fpga.campaign.intervals import exact_bound, exact_share

DECIMALS = 3
"""Of the normal quantile, as the papers print it: 1.96 at 95 %, 2.576 at 99 %."""
FEW = 5
"""So many hits, and misses, the normal law takes."""
GROWTH = 1.1
"""A stratum that lacks draws gets at least so many times what it has."""


def quantile(confidence: float) -> float:
    """The normal quantile t of a confidence in percent, to three decimals as the papers have it."""
    return round(NormalDist().inv_cdf(0.5 + confidence / 200), DECIMALS)


def sample_size(population: int, margin: float, confidence: float, share: float = 0.5) -> int:
    """How many of ``population`` faults to draw: n = N / (1 + e^2 (N - 1) / (t^2 p (1 - p))), rounded.

    Args:
        margin: e, in percentage points.
        confidence: in percent.
        share: p, the share of faults that is expected to be hit; 0.5 is right whatever it is.
    """
    variance = share * (1 - share)
    if population <= 1 or not variance:
        return min(population, 1)
    spread = (margin / 100) ** 2 * (population - 1) / (quantile(confidence) ** 2 * variance)
    return max(1, round(population / (1 + spread)))


def margin_of(count: int, drawn: int, population: float, confidence: float) -> float:
    """The margin of error in percentage points of a share of ``count`` out of ``drawn`` faults.

    e = t sqrt(p (1 - p) / n (N - n) / (N - 1)), with the correction for a finite population; where fewer than ``FEW``
    were hit, or missed, the distance to the farther end of the exact interval, for there the formula says too little.
    """
    if drawn >= population:
        return 0.0
    if min(count, drawn - count) < FEW:
        exact = exact_share(count, drawn, population, confidence)
        return max(exact.high - exact.value, exact.value - exact.low)
    share = count / drawn
    finite = 1.0 if population == inf else (population - drawn) / (population - 1)
    return 100 * quantile(confidence) * sqrt(share * (1 - share) / drawn * finite)


def needed(count: int, drawn: int, population: int, margin: float, confidence: float) -> int:
    """How many draws the margin takes, after ``count`` of ``drawn`` were hit, if the share stays what it is.

    Where few were hit it is ``drawn`` if that is enough, and otherwise a step towards it.
    """
    if drawn >= population:
        return population
    if count in (0, drawn):
        return _needed_without_hits(population, margin, confidence)
    if min(count, drawn - count) < FEW:
        enough = margin_of(count, drawn, population, confidence) <= margin
        return drawn if enough else min(population, int(GROWTH * drawn) + 1)
    return sample_size(population, margin, confidence, count / drawn)


@lru_cache(maxsize=4096)
def _needed_without_hits(population: int, margin: float, confidence: float) -> int:
    """The fewest draws without a hit whose exact bound is within the margin."""
    low, high = 1, population
    while low < high:
        middle = (low + high) // 2
        if exact_bound(middle, population, confidence) <= margin:
            high = middle
        else:
            low = middle + 1
    return low
