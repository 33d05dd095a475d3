"""Reports on networks whose outputs are no classes: deviations in place of accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fat_fpga.campaign import Result, Run
from fat_fpga.campaign.deviations import Worth
from fat_fpga.errors import CampaignError
from fat_fpga.reports.part import Part, parts
from fat_fpga.reports.words import words
from fat_fpga.text import align, percent, shown

HEADS = ["faults", "mean deviation", "worst mean", "largest", "unchanged [%]", "worst fault"]


@dataclass(frozen=True)
class Moved:
    """Deviations under a group of faults, in the real values of the file.

    Attributes:
        faults: how many.
        mean: over all faults, images and values.
        worst: mean over all images and values under the fault that moves them most.
        largest: of any value.
        unchanged: images whose output stays as it is, over all faults, in percent.
        fault: the one with the worst mean.
    """

    faults: int
    mean: float
    worst: float
    largest: float
    unchanged: float
    fault: str

    @classmethod
    def of(cls, run: Run, results: Sequence[Result]) -> Moved:
        """Over some finished faults of a run whose outputs are no classes; at least one."""
        worth, first = worth_of(run), max(results, key=lambda result: result.total or 0)
        total = sum(result.total or 0 for result in results)
        return cls(
            faults=len(results),
            mean=worth.mean(total, run.images * len(results)),
            worst=worth.mean(first.total or 0, run.images),
            largest=max(result.largest or 0 for result in results) * worth.unit,
            unchanged=100 * sum(result.correct for result in results) / (run.images * len(results)),
            fault=first.fault,
        )

    @property
    def cells(self) -> list[str]:
        """What a table has of it, as `HEADS` says."""
        numbers = [number(value) for value in (self.mean, self.worst, self.largest)]
        return [f"{self.faults:,}", *numbers, percent(self.unchanged), self.fault]


def deviations(run: Run, result: Result) -> tuple[float, float]:
    """Mean and largest deviation under one fault, in the real values of the file."""
    worth = worth_of(run)
    return worth.mean(result.total or 0, run.images), (result.largest or 0) * worth.unit


def number(value: float) -> str:
    """A deviation, to four digits."""
    if value >= 1e6:
        return f"{value:.3e}"
    return np.format_float_positional(value, 4, unique=False, fractional=False, trim="-")


def worth_of(run: Run) -> Worth:
    """What the outputs of a run are; CampaignError where they are classes."""
    if run.outputs is None:
        raise CampaignError(f"{run.title} is on a network with classes, and has no deviations")
    return run.outputs


def refuse_values(run: Run, what: str) -> None:
    """CampaignError where the outputs of a run are no classes, and ``what`` needs them."""
    if run.outputs is not None:
        raise CampaignError(
            f"{run.title} is on a network whose outputs are no classes: it has no accuracies, and {what} needs them"
        )


def outputs_line(run: Run) -> str:
    """What the outputs are."""
    worth = worth_of(run)
    return (
        f"{shown(run.identity.network)} on {shown(run.identity.dataset)}, {run.images:,} images: outputs are "
        f"{worth.values:,} value{'' if worth.values == 1 else 's'} each, no classes; what counts is how far faults "
        "move them from the fault-free ones"
    )


def moved_tables(run: Run) -> str:
    """Deviations for each layer and effect, a section for each kind of fault."""
    return "\n\n".join(_section(part) for part in parts(run))


def moved_line(run: Run) -> str:
    """Over all finished faults."""
    found = Moved.of(run, run.results)
    return (
        f"{found.faults:,} faults: mean deviation {number(found.mean)}, worst mean {number(found.worst)} "
        f"({found.fault}), largest {number(found.largest)}, unchanged {percent(found.unchanged)} %"
    )


def moved_most(run: Run, count: int) -> str:
    """The ``count`` faults with the largest mean deviation."""
    rows = [["", "fault", "mean deviation", "largest", "unchanged [%]"]]
    order = sorted(run.results, key=lambda result: (-(result.total or 0), result.correct))
    for rank, result in enumerate(order[:count], 1):
        mean, largest = deviations(run, result)
        share = percent(100 * result.correct / run.images)
        rows.append([f"{rank}", result.fault, number(mean), number(largest), share])
    return f"faults that move the outputs most\n{align(rows, left=(1,))}"


def compared(runs: Sequence[Run], names: Sequence[str]) -> str:
    """Runs side by side: for each kind of fault the deviations of each run."""
    for run in runs:
        worth_of(run)
    blocks = []
    for kind in dict.fromkeys(result.kind for run in runs for result in run.results):
        rows = [["run", "network", *HEADS]]
        for name, run in zip(names, runs, strict=True):
            own = [result for result in run.results if result.kind == kind]
            if own:
                rows.append([shown(name), shown(run.identity.network), *Moved.of(run, own).cells])
        blocks.append(f"deviations under one {words(kind).one}\n{align(rows, left=(0, 1, len(rows[0]) - 1))}")
    return "\n\n".join(blocks)


def _section(part: Part) -> str:
    rows, before = [["layer", "effect", *HEADS]], ""
    for row in part.rows:
        layer = "" if row.layer == before else row.layer
        rows.append([layer, row.effect, *Moved.of(part.run, row.results).cells])
        before = row.layer
    return f"deviations under one {words(part.kind).one}\n{align(rows, left=(0, 1, len(rows[0]) - 1))}"
