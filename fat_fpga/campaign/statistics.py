"""Accuracy under fault, layer by layer (Zahid et al. 2020, Table I, and the variance column of Table II)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from fat_fpga.arguments import checked
from fat_fpga.campaign.run import Result, Run
from fat_fpga.campaign.sampling import weights
from fat_fpga.errors import CampaignError
from fat_fpga.faults import MODELS


@dataclass(frozen=True)
class Spread:
    """Accuracies over a group of faults, in percent of the images.

    Attributes:
        faults: number of faults in the group.
        min, max, mean: accuracy in percent.
        variance: population variance (divided by the number of faults, ddof 0: a campaign is the whole population,
            not a sample of it), in percent squared. In a finished stratified sample each draw counts in mean and
            variance as many times as there are faults that it stands for.
        worst, best: the faults with the lowest and highest accuracy. Of equally bad ones the worst is
            the one that changes the most images; of full equals it is the first.
    """

    faults: int
    min: float
    max: float
    mean: float
    variance: float
    worst: Result
    best: Result

    @classmethod
    def of(cls, results: Sequence[Result], images: int, weights: Sequence[Fraction] | None = None) -> Spread:
        """Exact but for one rounding of each figure: sums are taken over integer counts.

        Args:
            weights: how often each result counts in mean and variance, > 0; once by default.
        """
        if not results:
            raise CampaignError("no finished fault to take statistics of: let the campaign run for a while")
        counts: dict[Fraction, list[int]] = {}
        if weights is None:
            counts[Fraction(1)] = [result.correct for result in results]
        for weight, result in zip(weights or (), results, strict=weights is not None):
            counts.setdefault(weight, []).append(result.correct)
        count = sum(weight * len(own) for weight, own in counts.items())
        total = sum(weight * sum(own) for weight, own in counts.items())
        squares = sum(weight * sum(c * c for c in own) for weight, own in counts.items())
        worst, best = min(results, key=_criticality), max(results, key=lambda r: r.correct)
        return cls(
            faults=len(results),
            min=100 * worst.correct / images,
            max=100 * best.correct / images,
            mean=float(100 * total / (count * images)),
            variance=float(10_000 * (count * squares - total * total) / (count * images) ** 2),
            worst=worst,
            best=best,
        )

    @classmethod
    def within(cls, run: Run, results: Sequence[Result]) -> Spread:
        """Of some results of a run, with the weights that its sample gives them."""
        return cls.of(results, run.images, weights(run, results))


@dataclass(frozen=True)
class Group:
    """The faults of one kind in one layer with one effect; transients of all images together.

    Attributes:
        kind, layer: as `Result` has them.
        effect: as `Result.lasting` has it.
        results: the finished faults, never empty.
        spread: of their accuracies.
    """

    kind: str
    layer: str
    effect: str
    results: tuple[Result, ...]
    spread: Spread


@checked
def statistics(run: Run) -> list[Group]:
    """One group for each kind, layer and effect that has a finished fault.

    Kinds stand in the order of the documentation, sets of faults behind them; layers as in the ordered fault list;
    effects by bit, then values ascending, stuck before flipped.
    """
    groups: dict[tuple[str, str, tuple[Any, ...]], list[Result]] = {}
    for result in run.results:
        groups.setdefault((result.kind, result.layer, result.effect_key), []).append(result)
    known, layers = kinds(run), list(dict.fromkeys(layer for _, layer, _ in groups))

    def key(group: tuple[str, str, tuple[Any, ...]]) -> tuple[object, ...]:
        return known.index(group[0]), layers.index(group[1]), effect_order(groups[group][0])

    return [
        Group(kind, layer, own[0].lasting, tuple(own), Spread.within(run, own))
        for (kind, layer, _), own in ((k, groups[k]) for k in sorted(groups, key=key))
    ]


def effect_order(result: Result) -> list[tuple[int, bool, int]]:
    """Puts effects in order: by bit, then stuck before flipped, then value."""
    return [(part.bit or 0, part.flip, part.value) for part in result.faults]


@checked
def kinds(run: Run) -> list[str]:
    """The kinds that have a finished fault, in the order of the documentation; sets of faults behind them."""
    found = dict.fromkeys(result.kind for result in run.results)
    return [*(kind for kind in MODELS if kind in found), *(kind for kind in found if kind not in MODELS)]


@checked
def at_voters(run: Run, results: Iterable[Result]) -> tuple[list[Result], list[Result]]:
    """The faults outside of voters' outputs, and those with a voter's output among their places.

    A voter does not protect its own output: a fault there does what it would do without copies.
    """
    voters = {layer.name for layer in run.layers if layer.is_vote}
    found: tuple[list[Result], list[Result]] = [], []
    for result in results:
        found[not voters.isdisjoint(result.layer.split("+"))].append(result)
    return found


def _criticality(result: Result) -> tuple[int, int]:
    return result.correct, -result.changed


@checked
def overall(run: Run) -> Spread:
    """The whole campaign as one group; CampaignError if no fault is finished."""
    return Spread.within(run, run.results)


@checked
def most_critical(results: Iterable[Result], count: int | None = None) -> list[Result]:
    """The faults from the lowest accuracy up; of equals, the one that changes more images first."""
    return sorted(results, key=_criticality)[:count]
