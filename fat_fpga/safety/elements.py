"""The elements of a safety table: the places of a run, with their bits, failure rates and vulnerability factors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fat_fpga.campaign import Estimate, Result, Run
from fat_fpga.campaign.intervals import Moments, finite_share, stratified_mean
from fat_fpga.campaign.origin import SETS
from fat_fpga.campaign.sampling import pieces, share_estimate
from fat_fpga.errors import SafetyError
from fat_fpga.faults import fault_model
from fat_fpga.faults.pattern import EVERY
from fat_fpga.faults.weight import WeightBit
from fat_fpga.network.datatypes import bits_of
from fat_fpga.safety.fit import Fit, Mechanism
from fat_fpga.safety.sweeps import drawn_vulnerability, singles_of

MBIT = 1e6
Luts = Mapping[str, float]
"""LUTs of the logic of each layer."""


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
        of_luts: whether its bits follow from its LUTs.
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
    of_luts: bool = False

    @property
    def name(self) -> str:
        return f"{self.layer} {self.kind}"


def elements_of(runs: Sequence[Run], fit: Fit, luts: Luts | None = None) -> list[Element]:
    """One element for each layer and kind of the runs, in their order.

    Args:
        luts: of each layer's logic, where they are known.

    Raises:
        SafetyError: a run is unfinished, of given faults, of sets; two runs have the same element, or are
            on different networks or builds; rates or bits of an element are missing.
    """
    luts, found = luts or {}, dict[str, Element]()
    thresholds = {run.thresholds: run.title for run in runs if run.thresholds}
    if len(thresholds) > 1:
        each = ", ".join(f"{logic} in {title}" for logic, title in thresholds.items())
        raise SafetyError(f"thresholds are {each}: a safety table is of one build")
    for run in runs:
        _check(run, runs[0])
        for element in _of_sweep(run, fit, luts) if run.has_patterns else _of_singles(run, fit, luts):
            if element.name in found:
                before = found[element.name].run
                raise SafetyError(f"{element.name} is in {before} and in {run.title}: give one of them")
            found[element.name] = element
    _check_overlaps(found)
    return list(found.values())


def _of_singles(run: Run, fit: Fit, luts: Luts) -> Iterator[Element]:
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in run.results:
        groups.setdefault((result.layer, result.kind), []).append(result)
    for (layer, kind), results in groups.items():
        flips = [result for result in results if result.flip]
        held = [result for result in results if not result.flip]
        factors = vulnerability_of(run, flips or held, fit), vulnerability_of(run, held or flips, fit)
        bits = _bits(run, kind, results)
        yield _element(run.title, layer, kind, bits, factors, len(results), not (flips and held), fit, luts)


def _of_sweep(run: Run, fit: Fit, luts: Luts) -> Iterator[Element]:
    singles = singles_of(run)
    violates = None if fit.goal == "image" else _violates(run, fit)
    for layer, kind in dict.fromkeys(key[:2] for key in singles):
        own = {flip: singles[layer, kind, flip] for flip in (True, False) if (layer, kind, flip) in singles}
        factors = {flip: drawn_vulnerability(run, results, violates) for flip, results in own.items()}
        first = next(iter(factors))
        both = factors.get(True, factors[first]), factors.get(False, factors[first])
        drawn = sum(map(len, own.values()))
        yield _element(run.title, layer, kind, _weight_bits(run, layer, kind), both, drawn, len(own) == 1, fit, luts)


def _weight_bits(run: Run, layer: str, kind: str) -> float | None:
    """Bits of the weights of a layer, or of all of them; None for other kinds, which the layer table does not tell."""
    if kind != WeightBit.kind:
        return None
    rows = [row for row in run.layers if row.weights and layer in (row.name, EVERY)]
    widths = [bits_of(row.weight_type) for row in rows]
    if not rows or None in widths:
        return None
    return float(sum(row.weights * (bits or 0) for row, bits in zip(rows, widths, strict=True)))


def _check_overlaps(found: Mapping[str, Element]) -> None:
    """SafetyError where the same bits are in two rows: all layers and one of them, or logic as channels and as PEs."""
    for element in found.values():
        for other in found.values():
            if element.kind == other.kind and element.layer == EVERY != other.layer:
                raise SafetyError(f"{other.name} is within {element.name}: give one of them")
            if element.of_luts and other.of_luts and element.layer == other.layer and element.kind < other.kind:
                raise SafetyError(
                    f"the logic of {element.layer} would count twice, as {element.name} and as {other.name}: leave a "
                    "run out, or share its bits between them, [bits]"
                )


def _check(run: Run, first: Run) -> None:
    if run.outputs is not None:
        raise SafetyError(f"{run.title} is on a network whose outputs are no classes: the safety goal is about classes")
    if not run.complete:
        raise SafetyError(f"{run.title} is unfinished, {run.done:,} of {run.asked:,} faults: finish it first")
    if any(result.kind.startswith(SETS) for result in run.results):
        raise SafetyError(f"{run.title} has sets of faults: a row of the table is of single faults")
    if not (run.origin.whole or run.origin.drawn or run.has_patterns):
        raise SafetyError(
            f"{run.title} is of given faults, which are a sample of nothing: take all of them, or --sample"
        )
    if run.identity.network_fingerprint != first.identity.network_fingerprint:
        raise SafetyError(
            f"{run.title} is on {run.identity.network} and {first.title} on {first.identity.network}: the runs of a "
            "safety table are of one network"
        )


def _element(
    run: str, layer: str, kind: str, bits: float | None, factors: tuple[Estimate, Estimate], drawn: int, same: bool,
    fit: Fit, luts: Luts,
) -> Element:  # fmt: skip
    name = f"{layer} {kind}"
    if kind not in fit.structures:
        raise SafetyError(
            f"the FIT file does not say which structure holds faults of kind {kind}: [structures] {kind} ="
        )
    structure, of_luts = fit.structures[kind], False
    bits = fit.bits.get(name, bits)
    if bits is None and layer in luts and fit.bits_per_lut is not None:
        bits, of_luts = luts[layer] * fit.bits_per_lut, True
    if bits is None:
        raise SafetyError(
            f"a run does not tell how many bits are behind {name}: give them in the FIT file, [bits] '{name}' =, or "
            "[logic] bits_per_lut and --resources with estimates"
        )
    rate = fit.rates[structure]
    return Element(
        layer, kind, structure, bits, rate.transient * bits / MBIT, rate.permanent * bits / MBIT, factors, drawn,
        fit.mechanism(layer, kind), fault_model(kind).cause, run, same, of_luts,
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
