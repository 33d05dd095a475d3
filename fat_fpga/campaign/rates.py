"""Rates of a sweep: a grid of them, or what they are at the end of the intervals of scrubbing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, expm1, floor, inf, log10

from fat_fpga.errors import CampaignError

DIGITS = 3
"""Of rates in a grid."""


@dataclass(frozen=True)
class Scrubbing:
    """A memory that is written anew after each interval, so that errors add up no longer than that.

    Attributes:
        upsets: of each bit in an hour, on average.
        intervals: in hours, ascending.
    """

    upsets: float
    intervals: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 0 < self.upsets < inf:
            raise CampaignError(f"a rate of upsets is above 0, in each bit and hour, got {self.upsets:g}")
        if not self.intervals or not all(0 < hours < inf for hours in self.intervals):
            raise CampaignError("scrubbing takes at least one interval, each above 0 hours")
        check_rates(self.rates)

    @property
    def rates(self) -> tuple[float, ...]:
        """Probability that a bit is wrong at the end of each interval.

        Upsets of a bit are a Poisson process, and an even number of them leaves it as it was:
        (1 - exp(-2 x upsets x interval)) / 2.
        """
        return tuple(-expm1(-2 * self.upsets * hours) / 2 for hours in self.intervals)


def check_rates(rates: Sequence[float]) -> None:
    """CampaignError unless there are rates, ascending, each a probability."""
    if not rates:
        raise CampaignError("a sweep takes at least one rate")
    wrong = [rate for rate in rates if not 0 <= rate <= 1]
    if wrong:
        raise CampaignError(f"a rate is a probability, 0 to 1, got {wrong[0]:g}")
    for before, after in pairwise(rates):
        if after <= before:
            raise CampaignError(f"rates ascend, and {after:g} follows {before:g}")


def rate_grid(low: float, high: float, per_decade: int = 3) -> tuple[float, ...]:
    """Rates from ``low`` to ``high``, evenly spaced on a logarithmic scale, so many in each decade.

    Raises:
        CampaignError: the ends are no rates above 0, or do not ascend.
    """
    if not 0 < low < high <= 1:
        raise CampaignError(
            f"a grid of rates goes from one above 0 up to a larger one, at most 1, got {low:g}:{high:g}"
        )
    first, last = ceil(log10(low) * per_decade - 1e-9), floor(log10(high) * per_decade + 1e-9)
    inner = [10 ** (number / per_decade) for number in range(first, last + 1)]
    return tuple(sorted({float(f"{rate:.{DIGITS - 1}e}") for rate in (low, *inner, high)}))
