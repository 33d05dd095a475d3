"""Accuracy against rate, from a sweep: points, tolerated rates, area under the curve, errors by class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import log10

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign import Run
from fat_fpga.campaign.counted import HITS, WORD_NAMES, error_name
from fat_fpga.campaign.sweep_rounds import half_interval
from fat_fpga.faults import Pattern
from fat_fpga.reports.area import mean_height

LOSSES = (0.0, 1.0, 5.0, 10.0)
"""Losses of accuracy, in points, whose rates are reported (Ares, Figures 4 and 5)."""
LOST = 90.0
"""A class is lost where so many percent of its images are wrong."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Point:
    """The samples at one rate.

    Attributes:
        rate: probability that a cell is hit.
        accuracy: in percent, float64 [S], in the order of the samples.
        hits: cells hit, int64 [S].
        errors: wrong images of each true class in percent of its images, float64 [S, C], NaN for classes without
            images; None where errors by class were not counted.
        words: words of protected memories with wrong bits, int64 [S] by what became of them (`WORD_NAMES`); empty
            where nothing is protected.
    """

    rate: float
    accuracy: Floats
    hits: npt.NDArray[np.int64]
    errors: Floats | None
    words: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        return float(self.accuracy.mean())

    @property
    def deviation(self) -> float:
        """Standard deviation of the samples (divided by S - 1); 0 for a single one."""
        return float(self.accuracy.std(ddof=1)) if len(self.accuracy) > 1 else 0.0

    @property
    def half(self) -> float:
        """Half of the 95 % interval of the mean over all error patterns; infinite for a single sample."""
        return half_interval(self.accuracy.tolist())

    @property
    def quartiles(self) -> tuple[float, float, float, float, float]:
        """Least, lower quartile, median, upper quartile, largest accuracy."""
        low, first, median, third, high = np.percentile(self.accuracy, [0, 25, 50, 75, 100]).tolist()
        return low, first, median, third, high

    @property
    def class_variance(self) -> float | None:
        """The variance between classes of their errors in percent, mean over the samples; in percent squared."""
        return None if self.errors is None else float(np.nanvar(self.errors, axis=1).mean())

    @property
    def one_class_lost(self) -> float | None:
        """Percent of the samples in which one class is lost (`LOST`), and no other."""
        return None if self.errors is None else 100 * float((self._lost == 1).mean())

    @property
    def half_of_classes_wrong(self) -> float | None:
        """Percent of the samples in which a third to two thirds of the classes are mostly wrong, the others right."""
        if self.errors is None:
            return None
        with np.errstate(invalid="ignore"):
            share = (self.errors > 50).sum(axis=1) / max(1, int((~np.isnan(self.errors[0])).sum()))
        return 100 * float(((share >= 1 / 3) & (share <= 2 / 3)).mean())

    @property
    def _lost(self) -> npt.NDArray[np.int64]:
        assert self.errors is not None
        with np.errstate(invalid="ignore"):
            lost: npt.NDArray[np.int64] = (self.errors >= LOST).sum(axis=1)
        return lost


@dataclass(frozen=True, eq=False)
class Curve:
    """Accuracy against rate of one scope.

    Attributes:
        cells: what is hit, and how it is protected: ``conv1/weight[*].bit[*] ^ 1 with secded[64]``.
        layer, kind: ``*`` and ``weight+activation``, or ``conv1`` and ``weight``.
        points: by rate, ascending.
        error_free: accuracy without errors, in percent.
        images: of the data set.
        errors: as ``cells``, without the protection.
        protection: ``secded[64]``, empty for none.
    """

    cells: str
    layer: str
    kind: str
    points: tuple[Point, ...]
    error_free: float
    images: int
    errors: str = ""
    protection: str = ""

    @property
    def name(self) -> str:
        """``conv1 weight``, or ``weight`` for all layers."""
        return self.kind if self.layer == "*" else f"{self.layer} {self.kind}"

    @cached_property
    def losses(self) -> list[float]:
        """Points of accuracy that each rate costs on average; at most 0 where it costs none."""
        return [self.error_free - point.mean for point in self.points]

    def tolerated(self, loss: float) -> float | None:
        """The highest rate that costs at most ``loss`` points on average, as do all lower ones of the sweep.

        Between two rates of the sweep it is read off a straight line over the logarithm of the rate; for a loss of 0 it
        is the highest rate that was tried and costs no more than half an image. None where the lowest rate costs more.
        """
        most = loss if loss > 0 else 50 / self.images
        if self.losses[0] > most:
            return None
        steps = zip(pairwise(self.points), pairwise(self.losses), strict=True)
        for (before, after), (one, other) in steps:
            if other > most:
                if loss <= 0 or before.rate <= 0:
                    return before.rate
                share = (most - one) / (other - one)
                return 10 ** (log10(before.rate) + share * (log10(after.rate) - log10(before.rate)))
        return self.points[-1].rate

    def beyond(self, loss: float) -> bool:
        """Whether every rate that was tried is tolerated, so that the tolerated rate is at least the last."""
        most = loss if loss > 0 else 50 / self.images
        return all(lost <= most for lost in self.losses)

    @property
    def area(self) -> float | None:
        """Area under the curve over the logarithm of the rate, divided by its width: the mean accuracy in percent; None
        for fewer than two rates above 0."""
        points = [point for point in self.points if point.rate > 0]
        if len(points) < 2:
            return None
        return mean_height([log10(point.rate) for point in points], [point.mean for point in points])

    @property
    def linear_area(self) -> float | None:
        """Area under the curve over the rate itself, from the network without errors at rate 0 to the last rate,
        divided by its width, in percent: FT-ClipAct's AUC (Hoang et al. 2020, section IV-B) times 100. None where no
        rate is above 0."""
        points = [point for point in self.points if point.rate > 0]
        if not points:
            return None
        heights = [self.error_free, *(point.mean for point in points)]
        return mean_height([0.0, *(point.rate for point in points)], heights)


def is_sweep(run: Run) -> bool:
    """Whether a run is a sweep, or of a list of patterns."""
    return run.has_patterns


def curves(run: Run) -> list[Curve]:
    """The curves of a sweep, over the finished samples, in the order of the run; empty where none is finished."""
    images = np.bincount(run.labels)
    hits = run.counts.get(HITS, np.zeros(run.done, np.int64))
    names = [error_name(label) for label in range(len(images))]
    errors: Floats | None = None
    if names and all(name in run.counts for name in names):
        with np.errstate(invalid="ignore", divide="ignore"):
            errors = 100 * np.stack([run.counts[name] for name in names], axis=1) / images
    groups: dict[str, dict[float, list[int]]] = {}
    shown: dict[str, Pattern] = {}
    for number, result in enumerate(run.results):
        pattern = result.pattern
        groups.setdefault(pattern.what, {}).setdefault(pattern.rate, []).append(number)
        shown[pattern.what] = pattern
    found = []
    words = [name for name in WORD_NAMES if name in run.counts]
    for cells, rates in groups.items():
        one = shown[cells]
        points = tuple(
            Point(
                rate, run.accuracy[own], hits[own], None if errors is None else errors[own],
                {name: run.counts[name][own] for name in words} if one.protection else {},
            )
            for rate, own in sorted(rates.items())
        )  # fmt: skip
        protection = str(one.protection or "")
        found.append(
            Curve(cells, one.layer, one.kind, points, run.error_free_accuracy, run.images, one.errors, protection)
        )
    return found
