"""How many faults do harm, and what a sample says about those that were not tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from fat_fpga.campaign.run import Result, Run

Z = 1.959963984540054
"""Of the normal distribution for 95 %: 2.5 % lie above."""

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
    """

    count: int
    faults: int
    interval: tuple[float, float] | None

    @property
    def percent(self) -> float:
        return 100 * self.count / self.faults


def wilson(count: int, trials: int, z: float = Z) -> tuple[float, float]:
    """Confidence interval of a share in percent, from ``count`` of ``trials`` drawn (Wilson 1927), by default 95 %.

    It takes draws as independent; without replacement the truth lies closer still, so it errs on the wide side.
    """
    p, z2 = count / trials, z * z
    centre = p + z2 / (2 * trials)
    half = z * sqrt(p * (1 - p) / trials + z2 / (4 * trials * trials))
    low, high = ((centre + sign * half) / (1 + z2 / trials) for sign in (-1, 1))
    return (100 * low if count else 0.0), (100 * high if count < trials else 100.0)


def harmful(run: Run, results: Sequence[Result]) -> Share:
    """The faults that cost more than one percentage point of accuracy; there must be at least one fault."""
    return _share(run, sum(100 * (run.error_free - r.correct) > HARM * run.images for r in results), len(results))


def changing(run: Run, results: Sequence[Result]) -> Share:
    """The faults that change the predicted class of any image; there must be at least one fault."""
    return _share(run, sum(r.changed > 0 for r in results), len(results))


def _share(run: Run, count: int, faults: int) -> Share:
    return Share(count, faults, wilson(count, faults) if run.origin.drawn and run.complete else None)
