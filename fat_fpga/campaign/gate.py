"""A gate for CI: whether a network keeps an accuracy under every fault of a campaign."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from fat_fpga.arguments import checked
from fat_fpga.campaign.run import Run
from fat_fpga.campaign.statistics import most_critical
from fat_fpga.errors import CampaignError
from fat_fpga.text import percent


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes:
        held: whether the accuracy is kept.
        text: one line, with the worst fault.
    """

    held: bool
    text: str


@checked
def worst_accuracy(run: Run, least: float | Fraction) -> Verdict:
    """Whether at least ``least`` percent of the images are right under every fault of a finished run.

    The comparison is exact. Of a sample it is over the drawn faults.

    Raises:
        CampaignError: the run is unfinished, its outputs are no classes, or ``least`` is no percentage.
    """
    if not 0 <= least <= 100:
        raise CampaignError(f"the least accuracy must be a percentage, 0 to 100, got {least}")
    if run.outputs is not None:
        raise CampaignError(f"{run.title} is on a network whose outputs are no classes, so it has no accuracies")
    if not run.complete:
        raise CampaignError(
            f"{run.title} is unfinished, {run.done:,} of {run.asked:,} faults: the worst may be to come"
        )
    worst = most_critical(run.results, 1)[0]
    held = Fraction(100 * worst.correct, run.images) >= Fraction(least)
    text = (
        f"worst accuracy {percent(100 * worst.correct / run.images)} % ({worst.fault}) over "
        f"{run.origin.counted(run.done)}: {'at least' if held else 'BELOW'} {float(least):g} %"
    )
    return Verdict(held, text)


@checked
def assert_worst_accuracy(run: Run, least: float | Fraction) -> None:
    """For tests: AssertionError, naming the worst fault, unless the run keeps ``least`` percent under every fault.

    >>> assert_worst_accuracy(Run.open("cnv.run"), 60)   # doctest: +SKIP

    Raises:
        CampaignError: as `worst_accuracy`.
    """
    verdict = worst_accuracy(run, least)
    if not verdict.held:
        raise AssertionError(verdict.text)
