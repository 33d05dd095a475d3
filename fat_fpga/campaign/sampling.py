"""What a finished sample says about the faults that were not tried: its results by stratum, and their weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

from fat_fpga.arguments import checked
from fat_fpga.campaign.intervals import (
    Estimate,
    Moments,
    exact_share,
    finite_share,
    shares_of,
    stratified_mean,
    weighted_sum,
)
from fat_fpga.campaign.origin import Strata, Stratum
from fat_fpga.campaign.run import Result, Run
from fat_fpga.errors import CampaignError
from fat_fpga.faults import Fault, parse_fault
from fat_fpga.faults.strata import Key, stratum_of


@dataclass(frozen=True)
class Piece:
    """Draws that stand for a population, each for as many faults as any other.

    Attributes:
        results: what was drawn, never empty.
        population: number of faults that they stand for. Exact for all draws of a stratum; of some of its draws (one
            effect of several) it is estimated by their share. Infinity where a run of an older version does not tell.
    """

    results: tuple[Result, ...]
    population: float


def pieces(run: Run, results: Sequence[Result]) -> list[Piece]:
    """Some of the draws of a run, by what they were drawn from: strata, or kinds where the space was drawn from as a
    whole. Empty where there is nothing to estimate: a whole campaign, a list, an unfinished sample (the faults done
    first are no random ones).

    Raises:
        CampaignError: the run's strata are not those of its results.
    """
    if not (run.origin.drawn and run.complete and results):
        return []
    strata = run.origin.strata
    axes = strata.axes if strata is not None and run.origin.stratified else ("kind",)
    found: dict[Key, list[Result]] = {}
    for result in results:
        found.setdefault(key_of(result, axes), []).append(result)
    return [Piece(tuple(own), _population(run, strata, own)) for own in found.values()]


def _population(run: Run, strata: Strata | None, results: Sequence[Result]) -> float:
    """How many faults the draws stand for; they are of one stratum, or of one kind."""
    if strata is None:
        return float(run.origin.space or 0) if "," not in run.origin.kinds else inf
    parts = {part.key: part for part in strata.parts}
    counts = Counter(key_of(result, strata.axes) for result in results)
    if any(key not in parts or count > parts[key].drawn for key, count in counts.items()):
        raise CampaignError(f"{run.title}: the strata of the sample are not those of its faults")
    kind = results[0].kind
    everything = [part for part in strata.parts if _kind(part, strata) == kind]
    if not run.origin.stratified and len(results) == sum(part.drawn for part in everything):
        return float(sum(part.population for part in everything))
    return float(sum(Fraction(parts[key].population * count, parts[key].drawn) for key, count in counts.items()))


def _kind(part: Stratum, strata: Strata) -> str:
    return part.key[strata.axes.index("kind")]


def key_of(result: Result, axes: Sequence[str]) -> Key:
    """The key of the stratum that a result is of."""
    if "bit" not in axes:
        return tuple(getattr(result, axis) for axis in axes)
    fault = parse_fault(result.fault)
    assert isinstance(fault, Fault)  # spaces hold no sets
    return stratum_of(fault, axes)


def population(run: Run, results: Sequence[Result]) -> int | None:
    """How many faults the draws of a finished sample stand for, rounded; None where it is none, or does not tell."""
    total = sum(piece.population for piece in pieces(run, results))
    return round(total) if 0 < total < inf else None


def weights(run: Run, results: Sequence[Result]) -> list[Fraction] | None:
    """How many faults of the space each draw of a finished stratified sample stands for; None for any other run, in
    which each stands for as many."""
    if not run.origin.stratified or not run.complete:
        return None
    found = {
        id(result): Fraction(piece.population) / len(piece.results)
        for piece in pieces(run, results)
        for result in piece.results
    }
    return [found[id(result)] for result in results]


def stands_for(run: Run) -> list[float | int | None]:
    """How many faults of its space each finished fault stands for; None where the run does not say."""
    if run.origin.whole and run.complete:
        return [1] * run.done
    found = {
        id(result): piece.population / len(piece.results)
        for piece in pieces(run, run.results)
        for result in piece.results
        if piece.population < inf
    }
    return [found.get(id(result)) for result in run.results]


def share_estimate(run: Run, results: Sequence[Result], hit: Callable[[Result], bool]) -> Estimate | None:
    """The share of faults that are ``hit``, in percent, among those that the draws stand for; None where nothing is
    estimated."""
    found = pieces(run, results)
    if not found:
        return None
    # a sample that is planned for a margin has intervals that cover at least as often as they say
    interval = finite_share if run.origin.plan is None else exact_share
    parts = [interval(sum(map(hit, piece.results)), len(piece.results), piece.population) for piece in found]
    if len(parts) == 1:
        return parts[0]
    value, low, high = weighted_sum(parts, shares_of([piece.population for piece in found]))
    return Estimate(value, max(0.0, low), min(100.0, high))


@checked
def mean_estimate(run: Run, results: Sequence[Result]) -> Estimate | None:
    """The mean accuracy in percent under the faults that the draws stand for; None where nothing is estimated, or where
    the draws show no variance."""
    found = pieces(run, results)
    if not found:
        return None
    estimate = stratified_mean([_moments(piece, run.images) for piece in found])
    return estimate and Estimate(estimate.value, max(0.0, estimate.low), min(100.0, estimate.high))


def _moments(piece: Piece, images: int) -> Moments:
    count, correct = len(piece.results), [result.correct for result in piece.results]
    total, squares = sum(correct), sum(c * c for c in correct)
    variance = 10_000 * (count * squares - total * total) / (count * max(1, count - 1) * images**2)
    return Moments(count, piece.population, 100 * total / (count * images), variance)
