"""A gate for CI: whether a network keeps what it has to under every fault of a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real

from fat_fpga.arguments import checked
from fat_fpga.campaign.counted import MODULE_OUTCOME_NAMES, PARTS
from fat_fpga.campaign.measures import ACCURACY, CLASS, PARTS_OF_CLASS, Measure, measure_of
from fat_fpga.campaign.run import Run
from fat_fpga.campaign.statistics import most_critical
from fat_fpga.engines.criteria import COST, TOP5
from fat_fpga.errors import CampaignError
from fat_fpga.text import percent

GOOD_OUTCOMES = ("masked", "detected")
"""Outcome classes of which more is better; of all others less is."""
UNDER = (ACCURACY, TOP5, CLASS, *GOOD_OUTCOMES)
"""What must not be under a limit, in percent: under the worst fault; of outcomes over all faults."""
OVER = (COST, *(name for name in MODULE_OUTCOME_NAMES if name not in GOOD_OUTCOMES))
"""What must not be over a limit: the mean cost of an image under the worst fault; outcomes over all faults."""
DIGITS = 7
"""So many decimals of a percentage of a class can be told apart (`PARTS_OF_CLASS`)."""


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes:
        held: whether the limit is kept.
        text: one line; for a worst case with its fault.
    """

    held: bool
    text: str


@checked
def verdicts(
    run: Run, *, under: Mapping[str, float | Fraction] | None = None, over: Mapping[str, float | Fraction] | None = None
) -> list[Verdict]:
    """Whether a finished run keeps each limit; one verdict a limit, those of ``under`` first, in their order.

    The comparisons are exact. Of a sample they are over the drawn faults.

    Args:
        under: least values by name, one of `UNDER`, in percent. ``accuracy``, ``top5`` and ``class`` (the class that
            suffers most) are those under the worst fault. ``masked`` and ``detected`` are shares of all pairs of fault
            and image.
        over: largest values by name, one of `OVER`: ``cost`` is the mean cost of an image under the worst fault, in the
            units of the cost matrix; outcome classes such as ``sdc1`` are shares of all pairs, in percent.

    Raises:
        CampaignError: the run is unfinished or did not count what a limit is of, its outputs are no classes, or a limit
            is unknown or cannot be.
    """
    asked = [(name, limit, True) for name, limit in (under or {}).items()]
    asked += [(name, limit, False) for name, limit in (over or {}).items()]
    for name, limit, least in asked:
        _check(name, limit, least)
    if run.outputs is not None:
        raise CampaignError(f"{run.title} is on a network whose outputs are no classes, so it has no accuracies")
    if not run.complete:
        raise CampaignError(
            f"{run.title} is unfinished, {run.done:,} of {run.asked:,} faults: the worst may be to come"
        )
    return [
        (_outcome if name in MODULE_OUTCOME_NAMES else _worst)(run, name, Fraction(limit), least)
        for name, limit, least in asked
    ]


@checked
def assert_worst_accuracy(run: Run, least: float | Fraction) -> None:
    """For tests: AssertionError, naming the worst fault, unless the run keeps ``least`` percent under every fault.

    >>> assert_worst_accuracy(Run.open("cnv.run"), 60)   # doctest: +SKIP

    Raises:
        CampaignError: as `verdicts`.
    """
    assert_limits(run, under={ACCURACY: least})


@checked
def assert_limits(
    run: Run, *, under: Mapping[str, float | Fraction] | None = None, over: Mapping[str, float | Fraction] | None = None
) -> None:
    """For tests: AssertionError, with a line for each limit that is not kept; limits as in `verdicts`.

    >>> assert_limits(Run.open("cnv.run"), under={"class": 30}, over={"sdc1": 0.5})   # doctest: +SKIP

    Raises:
        CampaignError: as `verdicts`.
    """
    broken = [verdict.text for verdict in verdicts(run, under=under, over=over) if not verdict.held]
    if broken:
        raise AssertionError("\n".join(broken))


def _check(name: str, limit: float | Fraction, least: bool) -> None:
    known = UNDER if least else OVER
    if name not in known:
        other = " (a largest value is given of it)" if least and name in OVER else ""
        other = " (a least value is given of it)" if not least and name in UNDER else other
        raise CampaignError(f"unknown limit '{name}'{other}: known are {', '.join(known)}")
    if not isinstance(limit, Real):
        raise CampaignError(f"the limit of {name} must be a number, got {limit!r}")
    if name == COST:
        if not 0 <= limit < float("inf"):
            raise CampaignError(f"the largest mean cost must be a number from 0 up, got {limit}")
    elif not 0 <= limit <= 100:
        what = "least accuracy" if name == ACCURACY else f"limit of {name}"
        raise CampaignError(f"the {what} must be a percentage, 0 to 100, got {limit}")
    if name == CLASS and (Fraction(limit) * PARTS_OF_CLASS / 100).denominator != 1:
        raise CampaignError(f"the limit of {name} must have at most {DIGITS} decimals, got {limit}")


def _worst(run: Run, name: str, limit: Fraction, least: bool) -> Verdict:
    measure = measure_of(run, name)
    worst = most_critical(run.results, 1)[0] if name == ACCURACY else run.results[measure.worst]
    figure = _exact(measure, int(measure.values[measure.worst]))
    held = figure >= limit if least else figure <= limit
    words = "worst accuracy" if name == ACCURACY else f"worst {measure.title.removesuffix(' [%]')}"
    shown = f"{float(figure):.4g}" if measure.costs else f"{percent(float(figure))} %"
    return _verdict(held, f"{words} {shown} ({worst.fault})", run, limit, least, "" if measure.costs else " %")


def _exact(measure: Measure, value: int) -> Fraction:
    """As `Measure.figure`, exactly."""
    return measure.full * ((measure.most - value) if measure.costs else value) / measure.most


def _outcome(run: Run, name: str, limit: Fraction, least: bool) -> Verdict:
    if name not in run.counts:
        how = "--outcomes counts it" if PARTS[0] not in run.counts else "there is no such class on this network"
        raise CampaignError(f"{run.title} did not count the outcome {name}: {how}")
    share = Fraction(100 * int(run.counts[name].sum()), run.done * run.images)
    held = share >= limit if least else share <= limit
    shown = percent(float(share)) if not share or share >= Fraction(1, 100) else f"{float(share):.1e}"
    return _verdict(held, f"{name} {shown} % of all pairs of fault and image", run, limit, least, " %")


def _verdict(held: bool, what: str, run: Run, limit: Fraction, least: bool, unit: str) -> Verdict:
    good, bad = ("at least", "BELOW") if least else ("at most", "ABOVE")
    over = run.origin.counted(run.done)
    return Verdict(held, f"{what} over {over}: {good if held else bad} {float(limit):g}{unit}")
