"""Accuracy under fault, layer by layer (Zahid et al. 2020, Table I, and the variance column of Table II)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fat_fpga.campaign.run import Result, Run
from fat_fpga.errors import CampaignError


@dataclass(frozen=True)
class Spread:
    """Accuracies over a group of faults, in percent of the images.

    Attributes:
        faults: number of faults in the group.
        min, max, mean: accuracy in percent.
        variance: population variance (divided by the number of faults, ddof 0: a campaign is the whole population,
            not a sample of it), in percent squared.
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
    def of(cls, results: Sequence[Result], images: int) -> Spread:
        """Exact but for one rounding of each figure: sums are taken over integer counts."""
        if not results:
            raise CampaignError("no finished fault to take statistics of: let the campaign run for a while")
        count, counts = len(results), [r.correct for r in results]
        total, squares = sum(counts), sum(c * c for c in counts)
        worst, best = min(results, key=_criticality), max(results, key=lambda r: r.correct)
        return cls(
            faults=count,
            min=100 * worst.correct / images,
            max=100 * best.correct / images,
            mean=100 * total / (count * images),
            variance=10_000 * (count * squares - total * total) / (count * images) ** 2,
            worst=worst,
            best=best,
        )


@dataclass(frozen=True)
class Group:
    """The faults of one kind in one layer that are stuck at one value."""

    kind: str
    layer: str
    value: int
    spread: Spread


def statistics(run: Run) -> list[Group]:
    """One group for each kind, layer and value that has a finished fault; layers in network order, values ascending."""
    groups: dict[tuple[str, str, int], list[Result]] = {}
    for result in run.results:
        groups.setdefault((result.kind, result.layer, result.value), []).append(result)
    kinds = list(dict.fromkeys(kind for kind, _, _ in groups))
    place = {layer.name: layer.position for layer in run.layers}
    keys = sorted(groups, key=lambda k: (kinds.index(k[0]), place.get(k[1], -1), k[2]))
    return [Group(*key, Spread.of(groups[key], run.images)) for key in keys]


def _criticality(result: Result) -> tuple[int, int]:
    return result.correct, -result.changed


def overall(run: Run) -> Spread:
    """The whole campaign as one group; CampaignError if no fault is finished."""
    return Spread.of(run.results, run.images)


def most_critical(results: Iterable[Result], count: int | None = None) -> list[Result]:
    """The faults from the lowest accuracy up; of equals, the one that changes more images first."""
    return sorted(results, key=_criticality)[:count]
