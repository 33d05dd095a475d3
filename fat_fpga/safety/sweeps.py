"""Vulnerability factors from sweeps: from those samples in which a single cell was hit.

Every cell fails with the same probability and on its own. So the samples of a pattern with exactly one hit, at whatever
rate, are single faults drawn at random, each cell as likely as any other: a simple random sample with replacement.
Samples with more hits say nothing exact about single faults, and are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

import numpy as np

from fat_fpga.campaign import Estimate, Result, Run
from fat_fpga.campaign.counted import HITS
from fat_fpga.campaign.intervals import Moments, finite_share, stratified_mean
from fat_fpga.errors import SafetyError
from fat_fpga.faults.pattern import Action, Pattern

FEWEST = 10
"""Samples with a single hit that an element needs."""


def singles_of(run: Run) -> dict[tuple[str, str, bool], list[Result]]:
    """For each layer and kind, and for flips (True) and held bits, the samples of a sweep with a single hit.

    Raises:
        SafetyError: a pattern is of several layers or kinds at once, protected, a burst, or of no single bits; or too
            few samples have a single hit.
    """
    groups: dict[tuple[str, str, bool], list[Result]] = {}
    for result, hits in zip(run.results, run.counts[HITS].tolist(), strict=True):
        pattern = result.pattern
        _check(run, pattern)
        own = groups.setdefault((pattern.layer, pattern.kind, pattern.action is Action.FLIP), [])
        own += [result] * (hits == 1)
    for (layer, kind, _), own in groups.items():
        if len(own) < FEWEST:
            raise SafetyError(
                f"{run.title}: {len(own)} samples of {layer} {kind} have a single hit, at least {FEWEST} are needed: "
                "sweep rates near one over the number of its bits, or more samples"
            )
    return groups


def _check(run: Run, pattern: Pattern) -> None:
    where = f"{run.title}: {pattern.what}"
    if len(pattern.layers) > 1 or len(pattern.kinds) > 1:
        raise SafetyError(f"{where} hits several layers or kinds at once: sweep with --scope layer, or structure")
    if pattern.protection is not None:
        raise SafetyError(f"{where} is protected: sweep without protection, and give the code as a mechanism")
    if pattern.burst > 1 or pattern.bit is None or pattern.action not in (Action.FLIP, Action.HOLD):
        raise SafetyError(f"{where} is of no single bits: sweep with --errors flip, stuck0 or stuck1, without --burst")


def drawn_vulnerability(run: Run, results: Sequence[Result], violates: Callable[[Result], bool] | None) -> Estimate:
    """Share of single errors that violate the goal, 0 to 1, with a 95 % interval, from draws with replacement.

    Args:
        violates: what a violation is; None where it is the share of images whose class changes.
    """
    if violates is not None:
        found = finite_share(sum(map(violates, results)), len(results), inf)
    else:
        shares = np.array([100 * result.changed / run.images for result in results])
        mean = float(shares.mean())
        found = stratified_mean([Moments(len(shares), inf, mean, float(shares.var(ddof=1)))]) or _no_spread(shares)
    return Estimate(*(min(1.0, max(0.0, value / 100)) for value in found))


def _no_spread(shares: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Estimate:
    """Where all draws are equal: as if a share of them were hit as a whole."""
    mean = float(shares.mean())
    ends = finite_share(round(len(shares) * mean / 100), len(shares), inf)
    return Estimate(mean, min(mean, ends.low), max(mean, ends.high))
