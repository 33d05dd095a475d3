"""Confidence intervals, 95 % unless told: for shares, for means, and for weighted sums of both.

Sources: Wilson 1927 for a share; Cochran 1977, *Sampling Techniques*, sections 2.5-2.8 and 5.3-5.4 for means, finite
populations and strata, with Satterthwaite's degrees of freedom; Zou and Donner 2008 (MOVER, after Newcombe 1998) for
sums; the exact hypergeometric bound where nothing or all was hit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from math import exp, inf, lgamma, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

Z = 1.959963984540054
"""Of the normal distribution for 95 %: 2.5 % lie above."""
_STUDENT = (12.706204736174694, 4.302652729749462, 3.182446305283708, 2.7764451051977934, 2.5705818356363146)
"""97.5 % quantiles of Student's distribution with 1 to 5 degrees of freedom."""


class Estimate(NamedTuple):
    """A figure that was estimated, and the ends of its interval."""

    value: float
    low: float
    high: float


def wilson(count: float, trials: float, z: float = Z) -> tuple[float, float]:
    """Confidence interval of a share in percent, from ``count`` of ``trials`` drawn (Wilson 1927), by default 95 %.

    It takes draws as independent.
    """
    p, z2 = count / trials, z * z
    centre = p + z2 / (2 * trials)
    half = z * sqrt(p * (1 - p) / trials + z2 / (4 * trials * trials))
    low, high = ((centre + sign * half) / (1 + z2 / trials) for sign in (-1, 1))
    return (100 * low if count else 0.0), (100 * high if count < trials else 100.0)


def simultaneous(count: int) -> float:
    """The normal quantile with which ``count`` intervals hold all at once with 95 % (Bonferroni)."""
    return NormalDist().inv_cdf(1 - 0.025 / count)


def finite_share(count: int, drawn: int, population: float) -> Estimate:
    """A share in percent from ``count`` of ``drawn`` without replacement, out of ``population``.

    Wilson's interval for n (N - 1) / (N - n) independent draws, which have the same variance; never beyond what the
    draws leave possible. Where no draw or each of them counts, the exact bound (`exact_bound`). Everything drawn: the
    share itself. Of an unknown population, infinity, it is Wilson's own, or the binomial bound.
    """
    share = 100 * count / drawn
    if drawn >= population:
        return Estimate(share, share, share)
    if count in (0, drawn):
        return exact_share(count, drawn, population)
    more = 1 if population == inf else (population - 1) / (population - drawn)
    low, high = wilson(count * more, drawn * more)
    known = 100 * count / population, 100 * (1 - (drawn - count) / population)
    return Estimate(share, max(low, known[0]), min(high, known[1]))


def exact_bound(drawn: int, population: float, confidence: float = 95.0) -> float:
    """The largest share in percent of a population that ``drawn`` draws without replacement may all miss: the upper end
    of the exact interval after 0 of n, 1 - a^(1/n) for an infinite population."""
    return exact_share(0, drawn, population, confidence).high


@lru_cache(maxsize=4096)
def exact_share(count: int, drawn: int, population: float, confidence: float = 95.0) -> Estimate:
    """A share in percent from ``count`` of ``drawn`` without replacement, with the exact two-sided interval.

    Its ends are the fewest and the most faults K of the population under which as many hits, or as few, still have the
    hypergeometric probability (100 - confidence) / 2 percent. It covers at least as often as it says. For an infinite
    population it is Clopper's and Pearson's (1934); for finite ones see Wright 1991, *Exact Confidence Bounds when
    Sampling from Small Finite Universes*.
    """
    tail, share = (100 - confidence) / 200, 100 * count / drawn
    if population == inf:
        return _clopper_pearson(count, drawn, tail)
    size = round(population)
    if count in (0, drawn):
        # all draws miss K of N with the probability C(N - K, n) / C(N, n)
        every = _log_choose(size, drawn)
        missed = bisect_left(
            range(size - drawn + 1), True, key=lambda hits: _log_choose(size - hits, drawn) - every < log(tail)
        )
        bound = 100 * (missed - 1) / size
        return Estimate(share, 0.0, bound) if count == 0 else Estimate(share, 100 * (size - missed + 1) / size, share)
    possible = range(count, size - (drawn - count) + 1)
    # as few hits as these become less likely with every fault more, as many hits become more likely
    most = bisect_left(possible, True, key=lambda hits: _at_most(count, size, hits, drawn) < tail)
    least = bisect_left(possible, True, key=lambda hits: 1 - _at_most(count - 1, size, hits, drawn) >= tail)
    return Estimate(share, 100 * possible[least] / size, 100 * possible[most - 1] / size)


def _clopper_pearson(count: int, drawn: int, tail: float) -> Estimate:
    from scipy.stats import beta

    low = float(beta.ppf(tail, count, drawn - count + 1)) if count else 0.0
    high = float(beta.ppf(1 - tail, count + 1, drawn - count)) if count < drawn else 1.0
    return Estimate(100 * count / drawn, 100 * low, 100 * high)


def _at_most(count: int, size: int, hits: int, drawn: int) -> float:
    """The hypergeometric probability of at most ``count`` hits, from the fewer of the terms below and above.

    scipy has it, too. A board's reports need it, and a board has numpy alone.
    """
    below = count + 1 <= drawn - count
    terms = range(count + 1) if below else range(count + 1, drawn + 1)
    every = _log_choose(size, drawn)
    total = sum(
        exp(_log_choose(hits, k) + _log_choose(size - hits, drawn - k) - every)
        for k in terms
        if k <= hits and drawn - k <= size - hits
    )
    return total if below else 1 - total


def _log_choose(of: int, chosen: int) -> float:
    """The logarithm of the number of ways to choose some of so many."""
    return lgamma(of + 1) - lgamma(chosen + 1) - lgamma(of - chosen + 1)


def weighted_sum(parts: Sequence[Estimate], weights: Sequence[float]) -> Estimate:
    """The sum of independent estimates times their weights, from their own intervals (MOVER).

    The distances from estimate to either end add up as squares. Where no part hit anything, it errs on the wide side.
    """
    value = sum(w * part.value for w, part in zip(weights, parts, strict=True))
    low, high = (
        sqrt(sum((w * (part[end] - part.value)) ** 2 for w, part in zip(weights, parts, strict=True))) for end in (1, 2)
    )
    return Estimate(value, value - low, value + high)


def difference(one: Estimate, other: Estimate) -> Estimate:
    """``one`` less ``other``, which are independent (MOVER; for two shares it is Newcombe's method 10)."""
    return weighted_sum([one, Estimate(-other.value, -other.high, -other.low)], [1, 1])


class Moments(NamedTuple):
    """Draws of one stratum: how many, out of how many, their mean and their variance (divided by drawn - 1)."""

    drawn: int
    population: float
    mean: float
    variance: float


def stratified_mean(strata: Sequence[Moments]) -> Estimate | None:
    """The mean of a population from draws of its strata, at least one.

    sum W_h m_h with W_h = N_h / N, and its variance sum W_h^2 (1 - n_h / N_h) s_h^2 / n_h (Cochran 1977, 5.3); the
    interval has Student's quantile for n_e degrees of freedom (5.4). None where the draws show no variance: a stratum
    has one draw of several faults, or no stratum that was not drawn as a whole has draws that differ.
    """
    if any(part.drawn == 1 < part.population for part in strata):
        return None
    weights = shares_of([part.population for part in strata])
    mean = sum(weight * part.mean for weight, part in zip(weights, strata, strict=True))
    terms = [
        weight**2 * max(0.0, 1 - part.drawn / part.population) * part.variance / part.drawn
        for weight, part in zip(weights, strata, strict=True)
    ]
    freedom = sum(term**2 / (part.drawn - 1) for term, part in zip(terms, strata, strict=True) if term)
    if not any(terms) and any(part.drawn < part.population for part in strata):
        return None
    half = student(sum(terms) ** 2 / freedom) * sqrt(sum(terms)) if freedom else 0.0
    return Estimate(mean, mean - half, mean + half)


def shares_of(populations: Sequence[float]) -> list[float]:
    """What share of all each stratum is; 1 for a single one, whose population need not be known."""
    return [1.0] if len(populations) == 1 else [population / sum(populations) for population in populations]


def student(freedom: float) -> float:
    """97.5 % quantile of Student's distribution: exact up to 5 degrees of freedom (rounded down), then to 1e-3.

    Abramowitz and Stegun 1964, 26.7.5.
    """
    if freedom == inf:
        return Z
    whole = max(1, int(freedom))
    if whole <= len(_STUDENT):
        return _STUDENT[whole - 1]
    terms = (
        (Z**3 + Z) / 4,
        (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96,
        (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384,
        (79 * Z**9 + 776 * Z**7 + 1482 * Z**5 - 1920 * Z**3 - 945 * Z) / 92160,
    )
    return Z + sum(float(term / whole**power) for power, term in enumerate(terms, 1))
