"""How many faults do harm, and what a sample says about those that were not tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fat_fpga.arguments import checked
from fat_fpga.campaign.run import Result, Run
from fat_fpga.campaign.sampling import population, share_estimate

HARM = 1
"""A fault does harm if it costs more than so many percentage points of accuracy."""


@dataclass(frozen=True)
class Share:
    """How many faults of a group have a property.

    Attributes:
        count: those that have it.
        faults: all of the group.
        interval: of the share in the whole space in percent, with 95 % confidence; None where the group is no finished
            sample: a whole campaign leaves nothing to estimate, and the faults done first are no random ones.
        percent: the share among the faults of the group, or, of a finished sample, the estimate for the whole space:
            in a stratified sample a draw of a stratum stands for as many faults as its stratum has for each draw.
        population: how many faults the estimate is of; None where nothing is estimated, or where a run of an older
            version does not tell.
    """

    count: int
    faults: int
    interval: tuple[float, float] | None
    percent: float
    population: int | None = None


@checked
def harmful(run: Run, results: Sequence[Result]) -> Share:
    """The faults that cost more than one percentage point of accuracy; there must be at least one fault."""
    return _share(run, results, lambda result: is_harmful(run, result))


@checked
def changing(run: Run, results: Sequence[Result]) -> Share:
    """The faults that change the predicted class of any image; there must be at least one fault."""
    return _share(run, results, is_changing)


def is_harmful(run: Run, result: Result) -> bool:
    """Whether a fault costs more than one percentage point of accuracy."""
    return 100 * (run.error_free - result.correct) > HARM * run.images


def is_changing(result: Result) -> bool:
    """Whether a fault changes the predicted class of any image."""
    return result.changed > 0


def _share(run: Run, results: Sequence[Result], hit: Callable[[Result], bool]) -> Share:
    count, faults = sum(map(hit, results)), len(results)
    found = share_estimate(run, results, hit)
    if found is None:
        return Share(count, faults, None, 100 * count / faults)
    return Share(count, faults, (found.low, found.high), found.value, population(run, results))
