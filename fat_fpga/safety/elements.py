"""The elements of a safety table: the places of a run, with their bits, failure rates and vulnerability factors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fat_fpga.campaign import Estimate, Result, Run
from fat_fpga.campaign.intervals import Moments, finite_share, stratified_mean
from fat_fpga.campaign.origin import PATTERNS, SETS
from fat_fpga.campaign.sampling import pieces, share_estimate
from fat_fpga.errors import SafetyError
from fat_fpga.faults import fault_model
from fat_fpga.safety.fit import Fit, Mechanism

MBIT = 1e6


@dataclass(frozen=True, eq=False)
class Element:
    """A row of the table.

    Attributes:
        layer, kind: of its faults: ``conv1``, ``weight``.
        structure: that holds its bits.
        bits: how many it has.
        transient, permanent: failure rates in FIT.
        vulnerability: share of its faults that violate the goal, 0 to 1, with a 95 % interval: of transient and of
            permanent faults. A whole campaign has no interval: both ends are the value.
        drawn: faults that were tried.
        mechanism: what watches it; None for nothing.
        cause: in the hardware.
        run: title of the run that the factors are from.
        same: whether both factors are from the same faults, as the run has only one kind of effect.
    """

    layer: str
    kind: str
    structure: str
    bits: float
    transient: float
    permanent: float
    vulnerability: tuple[Estimate, Estimate]
    drawn: int
    mechanism: Mechanism | None
    cause: str
    run: str
    same: bool

    @property
    def name(self) -> str:
        return f"{self.layer} {self.kind}"


def elements_of(runs: Sequence[Run], fit: Fit) -> list[Element]:
    """One element for each layer and kind of the runs, in their order.

    Raises:
        SafetyError: a run is unfinished, of given faults, of patterns or sets; two runs have the same element, or are
            on different networks; rates or bits of an element are missing.
    """
    found: dict[str, Element] = {}
    for run in runs:
        _check(run, runs[0])
        groups: dict[tuple[str, str], list[Result]] = {}
        for result in run.results:
            groups.setdefault((result.layer, result.kind), []).append(result)
        for (layer, kind), results in groups.items():
            element = _element(run, layer, kind, results, fit)
            if element.name in found:
                before = found[element.name].run
                raise SafetyError(f"{element.name} is in {before} and in {run.title}: give one of them")
            found[element.name] = element
    return list(found.values())


def _check(run: Run, first: Run) -> None:
    if run.outputs is not None:
        raise SafetyError(f"{run.title} is on a network whose outputs are no classes: the safety goal is about classes")
    if not run.complete:
        raise SafetyError(f"{run.title} is unfinished, {run.done:,} of {run.asked:,} faults: finish it first")
    if run.has_patterns or any(result.kind.startswith((SETS, PATTERNS)) for result in run.results):
        raise SafetyError(f"{run.title} has patterns or sets of faults: a row of the table is of single faults")
    if not (run.origin.whole or run.origin.drawn):
        raise SafetyError(
            f"{run.title} is of given faults, which are a sample of nothing: take all of them, or --sample"
        )
    if run.identity.network_fingerprint != first.identity.network_fingerprint:
        raise SafetyError(
            f"{run.title} is on {run.identity.network} and {first.title} on {first.identity.network}: the runs of a "
            "safety table are of one network"
        )


def _element(run: Run, layer: str, kind: str, results: Sequence[Result], fit: Fit) -> Element:
    name = f"{layer} {kind}"
    if kind not in fit.structures:
        raise SafetyError(
            f"the FIT file does not say which structure holds faults of kind {kind}: [structures] {kind} ="
        )
    structure = fit.structures[kind]
    bits = fit.bits.get(name, _bits(run, kind, results))
    if bits is None:
        raise SafetyError(
            f"a run does not tell how many bits are behind {name}: give them in the FIT file, [bits] '{name}' ="
        )
    rate = fit.rates[structure]
    flips = [result for result in results if result.flip]
    held = [result for result in results if not result.flip]
    vulnerability = vulnerability_of(run, flips or held, fit), vulnerability_of(run, held or flips, fit)
    return Element(
        layer, kind, structure, bits, rate.transient * bits / MBIT, rate.permanent * bits / MBIT, vulnerability,
        len(results), fit.mechanism(layer, kind), fault_model(kind).cause, run.title, not (flips and held),
    )  # fmt: skip


def _bits(run: Run, kind: str, results: Sequence[Result]) -> float | None:
    """How many bits the faults stand for; None where they are of no bits."""
    if not fault_model(kind).traits.bits:
        return None
    effects = len({(result.flip, result.value) for result in results})
    if run.origin.whole:
        return len(results) / effects
    return float(sum(piece.population for piece in pieces(run, results))) / effects


def vulnerability_of(run: Run, results: Sequence[Result], fit: Fit) -> Estimate:
    """The share of faults that violate the goal, 0 to 1; in a sample the estimate for all that the draws stand for."""
    if fit.goal == "image":
        found = _mean_share(run, results)
    else:
        hit = _violates(run, fit)
        estimate = share_estimate(run, results, hit)
        exact = 100 * sum(map(hit, results)) / len(results)
        found = estimate or Estimate(exact, exact, exact)
    return Estimate(*(min(1.0, max(0.0, value / 100)) for value in found))


def _violates(run: Run, fit: Fit) -> Callable[[Result], bool]:
    if fit.goal == "change":
        return lambda result: result.changed > 0
    return lambda result: 100 * (run.error_free - result.correct) > fit.points * run.images


def _mean_share(run: Run, results: Sequence[Result]) -> Estimate:
    """Mean share of images whose class changes, in percent. Where the draws show no variance, the interval is that of a
    share: all of it, or nothing, was hit."""
    changed = [100 * result.changed / run.images for result in results]
    mean = sum(changed) / len(changed)
    found = pieces(run, results)
    if not found:
        return Estimate(mean, mean, mean)
    moments = []
    for piece in found:
        own = np.array([100 * result.changed / run.images for result in piece.results])
        moments.append(
            Moments(len(own), piece.population, float(own.mean()), float(own.var(ddof=min(1, len(own) - 1))))
        )
    estimate = stratified_mean(moments)
    if estimate is not None:
        return estimate
    population = sum(piece.population for piece in found)
    ends = finite_share(round(len(results) * mean / 100), len(results), population)
    return Estimate(mean, min(mean, ends.low), max(mean, ends.high))
