"""What a run measures of each fault: accuracy, and what was counted beyond it. One number each, more is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from fat_fpga.arguments import checked
from fat_fpga.campaign.run import Run
from fat_fpga.engines.counts import ERRORS, error_name
from fat_fpga.engines.criteria import COST, TOP5, cost_matrix_of
from fat_fpga.errors import CampaignError

ACCURACY, CLASS = "accuracy", "class"
PARTS_OF_CLASS = 10**9
"""A share of a class's images is kept in so many parts, rounded down. Shares of up to 20,000 images that differ, differ
in it, and a limit of a whole number of parts is kept by exactly those that keep it."""
HOW = {TOP5: "--top5", CLASS: "--per-class", COST: "--cost-matrix FILE"}
"""The option of a campaign that counts what a measure needs."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One measure of all finished faults of a run.

    Attributes:
        name: ``accuracy``, ``top5``, ``class`` or ``cost``.
        title: for tables, with its unit.
        values: int64 [F]; more is better. Images; of classes parts in 1e9 of the class with the lowest accuracy; of
            costs what is left of the highest cost that there could be, in units of the matrix.
        fault_free: the same of the network without a fault.
        most: what it can be at most.
        full: what ``figure`` gives for ``values`` of 0; of costs the highest cost of an image, else 100.
    """

    name: str
    title: str
    values: npt.NDArray[np.int64]
    fault_free: int
    most: int
    full: Fraction = Fraction(100)

    @property
    def costs(self) -> bool:
        """Whether its figure is a cost, of which less is better."""
        return self.name == COST

    @property
    def worst(self) -> int:
        """The number of the worst fault, in the order of `Run.results`; of equals the first."""
        return int(self.values.argmin())

    def figure(self, value: int | float) -> float:
        """A value for people: percent; of costs the mean cost of an image."""
        return float(self.full) * ((self.most - value) if self.costs else value) / self.most


@checked
def measure_of(run: Run, name: str = ACCURACY) -> Measure:
    """A measure of a run.

    Raises:
        CampaignError: there is no such measure, or the run has not counted what it needs; it says how.
    """
    if name not in _MEASURES:
        raise CampaignError(f"unknown measure '{name}': known are {', '.join(MEASURES)}")
    if run.outputs is not None:
        raise CampaignError(f"{run.title} is on a network whose outputs are no classes, so it has no {name}")
    found = _MEASURES[name](run)
    if found is None:
        raise CampaignError(f"{run.title} did not count what {name} needs: campaign with {HOW[name]}")
    return found


@checked
def measures(run: Run) -> list[Measure]:
    """Every measure that a run has; accuracy first."""
    if run.outputs is not None or not run.done:
        return []
    found = (make(run) for make in _MEASURES.values())
    return [measure for measure in found if measure is not None]


@checked
def class_accuracies(run: Run) -> npt.NDArray[np.float64]:
    """Accuracy of each class in percent, [F + 1, classes], without a fault first; NaN for a class without images.

    CampaignError where errors were not counted by class.
    """
    if ERRORS not in run.identity.counting.split(","):
        raise CampaignError(f"{run.title} did not count errors by class: campaign with {HOW[CLASS]}")
    images, wrong = _by_class(run)
    with np.errstate(invalid="ignore"):
        found: npt.NDArray[np.float64] = 100 * (images - wrong) / np.where(images, images, np.nan)
    return found


def _by_class(run: Run) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Images of each class [C], and how many of them are wrong without a fault and under each, [F + 1, C]."""
    classes = sum(name.startswith(error_name(0)[:-1]) for name in run.counts)
    images = np.bincount(run.labels, minlength=classes)
    free = np.bincount(run.labels[run.labels != run.golden], minlength=classes)
    wrong = [run.counts[error_name(label)] for label in range(classes)]
    return images, np.concatenate([free[None], np.stack(wrong, axis=1)])


def _accuracy(run: Run) -> Measure:
    return Measure(ACCURACY, "accuracy [%]", run.correct, run.error_free, run.images)


def _top5(run: Run) -> Measure | None:
    if run.top5 is None or TOP5 not in run.counts:
        return None
    return Measure(TOP5, "top-5 accuracy [%]", run.counts[TOP5], run.top5, run.images)


def _class(run: Run) -> Measure | None:
    if ERRORS not in run.identity.counting.split(",") or error_name(0) not in run.counts:
        return None
    images, wrong = _by_class(run)
    there = images > 0
    least = (PARTS_OF_CLASS * (images - wrong)[:, there] // images[there]).min(axis=1)
    return Measure(CLASS, "lowest accuracy of a class [%]", least[1:], int(least[0]), PARTS_OF_CLASS)


def _cost(run: Run) -> Measure | None:
    matrix = cost_matrix_of(run.identity.counting.split(","))
    if matrix is None or COST not in run.counts:
        return None
    most = run.images * matrix.largest
    free = int(matrix.total(run.golden[None], run.labels)[0])
    full = Fraction(matrix.largest, 10**matrix.decimals)
    return Measure(COST, "mean cost of an image", most - run.counts[COST], most - free, most, full)


_MEASURES: Mapping[str, Callable[[Run], Measure | None]] = {
    ACCURACY: _accuracy, TOP5: _top5, CLASS: _class, COST: _cost
}  # fmt: skip
MEASURES = tuple(_MEASURES)
"""Their names."""
