"""Rounds of a sweep: samples are added until the mean of each point is known well enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil, sqrt

from fat_fpga.campaign.intervals import student
from fat_fpga.campaign.origin import SWEEP
from fat_fpga.campaign.run import Run
from fat_fpga.campaign.selection import Selection
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.errors import CampaignError
from fat_fpga.faults import AnySubject, Pattern, parse_fault

FIRST = 10
"""Samples of each point before anything is known of it."""


class UntilInterval:
    """Rounds of a sweep: every point starts with a few samples, and gets more until its interval is met."""

    def __init__(self, sweep: Sweep, network: AnySubject) -> None:
        self._sweep, self._network = sweep, network

    def first(self) -> Selection:
        sweep = self._sweep
        count = sweep.samples if sweep.until is None else min(FIRST, sweep.samples)
        points = [(cells, rate) for cells in sweep.cells(self._network) for rate in sweep.rates]
        return sweep.selection(self._network, dict.fromkeys(points, count))

    def of(self, run: Run) -> Selection:
        if run.origin.source != SWEEP or run.origin.plan != self._sweep.entry:
            raise CampaignError(
                f"{run.title} holds another campaign: {run.origin.describe(run.asked)}, of other rates, samples, scope "
                "or errors. Continue with what it was started with, or name another output file"
            )
        return self._sweep.selection(self._network, _numbers(run.asked_faults))

    def more(self, run: Run) -> Selection | None:
        sweep = self._sweep
        if sweep.until is None:
            return None
        found = accuracies(run)
        numbers = {point: _wanted(own, sweep.until, sweep.samples) for point, own in found.items()}
        if all(numbers[point] == len(own) for point, own in found.items()):
            return None
        return sweep.selection(self._network, numbers)


def accuracies(run: Run) -> dict[tuple[str, float], list[float]]:
    """Accuracies in percent of each point, by cells and rate, in the order of the samples."""
    found: dict[tuple[str, float], list[float]] = {}
    for result in run.results:
        pattern = result.pattern
        found.setdefault((pattern.what, pattern.rate), []).append(100 * result.correct / run.images)
    return found


def half_interval(values: Sequence[float]) -> float:
    """Half of the 95 % interval of the mean of samples; infinite for a single one."""
    count = len(values)
    if count < 2:
        return float("inf")
    mean = sum(values) / count
    variance = sum((value - mean) ** 2 for value in values) / (count - 1)
    return student(count - 1) * sqrt(variance / count)


def _wanted(values: Sequence[float], until: float, most: int) -> int:
    """Samples of a point: those that it has, or more where its interval is not met."""
    half = half_interval(values)
    if half <= until:
        return len(values)
    fitting = ceil(len(values) * min(4.0, (half / until) ** 2))
    return min(most, max(len(values) + 1, fitting))


def _numbers(texts: Sequence[str]) -> dict[tuple[str, float], int]:
    found: Counter[tuple[str, float]] = Counter()
    for text in texts:
        pattern = parse_fault(text)
        assert isinstance(pattern, Pattern)
        found[pattern.what, pattern.rate] += 1
    return dict(found)
