"""Whether a hardened network kept its plan's promise, fault by fault, from a campaign on it.

What a fault of the hardened network must do follows from the plan and the campaign that it was made from:

| fault | must do |
|---|---|
| a row that has two other copies | nothing: every image keeps its class |
| a row without copies | what its channel did in the campaign |
| a PE | what a PE did that took the same channels with it, those with other copies left out; nothing if none is left |
| a voter's output | what the channel at that position did: voters are not themselves protected |
| a channel of an addition, a concatenation, thresholds of their own | what it did in the campaign: it has no copies |

Faults that the campaign behind the plan says nothing about are held to the promised worst case alone.

That is a proof for the plan's images, and for no others. A campaign on **other images** is no proof; it shows how far
the worst case carries over: what is voted away must still do nothing, and the worst cases on both sets of images are
compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from fat_fpga.arguments import checked
from fat_fpga.campaign import LayerRow, Measure, Result, Run, measure_of
from fat_fpga.campaign.counted import cost_matrix_of
from fat_fpga.campaign.intervals import Estimate, difference
from fat_fpga.errors import PlanError
from fat_fpga.faults import Fault, parse_fault
from fat_fpga.hardening.confidence import worst_case
from fat_fpga.hardening.plan import CHANNEL, PE, Plan
from fat_fpga.hardening.unit_plan import UnitPlan

_Key = tuple[str, frozenset[int], int]
"""Unit, channels that are stuck, and at which value."""


@dataclass(frozen=True)
class Verdict:
    """One fault of the hardened network.

    Attributes:
        result: what the campaign counted.
        voter: whether it sits behind a voter, which the promise leaves out.
        other: whether it is in a layer that is no unit, which the promise leaves out too.
        foretold: images classified correctly, and images whose class changes, as the plan has it; None where its
            campaign says nothing.
        bound: images that the promise demands correct at least; for another target, its measure.
        value: the measure that the promise is about; by default images classified correctly.
    """

    result: Result
    voter: bool
    foretold: tuple[int, int] | None
    bound: int
    value: int
    other: bool = False

    @property
    def promised(self) -> bool:
        """Whether the promise is about such faults: those of units."""
        return not self.voter and not self.other

    @property
    def kept(self) -> bool:
        """Exactly as foretold, and, where the promise is about it, not below that."""
        exact = self.foretold is None or self.foretold == (self.result.correct, self.result.changed)
        return exact and (not self.promised or self.value >= self.bound)


@dataclass(frozen=True)
class Verification:
    """Every fault of a run against the plan.

    Attributes:
        missing: faults of the promised kind that the run does not have.
    """

    plan: Plan
    run: Run
    verdicts: tuple[Verdict, ...]
    missing: int

    def __repr__(self) -> str:
        held = "held" if self.held else f"{len(self.broken):,} broken, {self.missing:,} missing"
        return f"<Verification of {self.run.title}: {len(self.verdicts):,} faults, {held}>"

    @cached_property
    def broken(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if not verdict.kept]

    @property
    def held(self) -> bool:
        """Whether every fault was there and did as promised; on other images, whether the worst case is no worse than
        chance explains."""
        return not self.broken and not self.missing and not self.worse

    @cached_property
    def same_images(self) -> bool:
        """Whether the run is on the plan's images."""
        return _same_images(self.plan, self.run)

    @cached_property
    def worst_cases(self) -> tuple[Estimate, Estimate]:
        """Lowest accuracy in percent outside of voters, on the plan's images and on the run's, with 95 % intervals."""
        worst = self.worst(voter=False)
        free = _measure(self.plan, self.run).fault_free
        correct = free if worst is None else min(free, worst.value)
        faults = sum(verdict.promised for verdict in self.verdicts)
        return (
            worst_case(self.plan.worst_correct, self.plan.images, len(self.plan.expected) + 1),
            worst_case(correct, self.run.images, faults + 1),
        )

    @cached_property
    def change(self) -> Estimate:
        """Worst case on the run's images less that on the plan's, in percentage points; holds for images of which none
        is in both."""
        before, now = self.worst_cases
        return difference(now, before)

    @property
    def worse(self) -> bool:
        """Whether other images have a lower worst case, by more than chance explains."""
        return not self.same_images and self.change.high < 0

    def worst(self, voter: bool) -> Verdict | None:
        """The fault with the lowest measure, behind voters or in units."""
        found = [verdict for verdict in self.verdicts if not verdict.other and verdict.voter is voter]
        return min(found, key=lambda verdict: verdict.value, default=None)


@checked
def verify(plan: Plan, run: Run) -> Verification:
    """Compare a campaign on the hardened network with the plan.

    Raises:
        CampaignError: the run has not counted what the promise is about.
        PlanError: the run is on another network, or has no faults of the promised kind; or it is on other images, or
            counted other costs, where the promise is about classes or costs.
    """
    measure = _measure(plan, run)
    _check(plan, run, measure.fault_free)
    same = _same_images(plan, run)
    if not same and not plan.about.about_images:
        raise PlanError(
            f"{run.title} is on other images than the plan, and its promise, a {plan.about.title}, is compared on "
            f"the same images only: {plan.images:,} images of {plan.dataset}"
        )
    known, voters = (_known(plan) if same else {}), _voters(run)
    wanted = {row.name for row in run.layers if row.weights and row.levels}
    others = {fault.fault: (fault.correct, fault.changed) for fault in plan.others} if same else {}
    verdicts, seen = [], 0
    for result, value in zip(run.results, measure.values.tolist(), strict=True):
        if result.kind != plan.kind:
            continue
        (fault,) = result.faults
        seen += fault.layer in wanted
        voter = fault.layer in voters
        if not voter and fault.layer not in wanted:
            verdicts.append(Verdict(result, False, others.get(result.fault), 0, value, other=True))
            continue
        unit = plan.unit(voters.get(fault.layer, fault.layer))
        stuck = frozenset([unit.order[fault.index[0]]] if voter else _stuck(unit, fault))
        foretold = known.get((unit.unit, stuck, fault.value)) if stuck else (run.error_free, 0)
        verdicts.append(Verdict(result, voter, foretold, plan.worst_correct if same else 0, value))
    if not verdicts:
        raise PlanError(
            f"{run.title} has no {plan.kind} faults, which the plan is about: run fat-fpga campaign HARDENED.onnx "
            f"--faults {plan.kind}"
        )
    missing = sum(_faults(plan, row) for row in run.layers if row.name in wanted) - seen
    return Verification(plan, run, tuple(verdicts), missing)


def _faults(plan: Plan, row: LayerRow) -> int:
    """How many faults of the promised kind a hardened unit has."""
    places = row.channels if plan.kind == CHANNEL else plan.unit(row.name).pe
    return places * len(row.levels.split(","))


def _voters(run: Run) -> dict[str, str]:
    """By the name of each vote, the unit right in front of it."""
    pairs = zip(run.layers, run.layers[1:], strict=False)
    return {row.name: before.name for before, row in pairs if row.is_vote}


def _stuck(unit: UnitPlan, fault: Fault) -> Iterator[int]:
    """Channels that a fault of a hardened unit gets past the voter."""
    rows = [fault.index[0]] if fault.kind == CHANNEL else range(fault.index[0], len(unit.rows), fault.of or 1)
    broken = [unit.rows[row] for row in rows]
    for channel in set(broken):
        if len(unit.copies[channel]) - broken.count(channel) < 2:
            yield channel


def _known(plan: Plan) -> dict[_Key, tuple[int, int]]:
    """What the campaign behind the plan counted, by the channels that were stuck."""
    found = {}
    for expected in plan.expected:
        fault = parse_fault(expected.fault)
        assert isinstance(fault, Fault)
        unit = plan.unit(fault.layer)
        channels = {fault.index[0]} if fault.kind != PE else unit.order[fault.index[0] :: fault.of or 1]
        found[unit.unit, frozenset(channels), fault.value] = expected.correct, expected.changed
    return found


def _same_images(plan: Plan, run: Run) -> bool:
    return (run.identity.dataset_fingerprint, run.images) == (plan.dataset_fingerprint, plan.images)


def _measure(plan: Plan, run: Run) -> Measure:
    """What the promise is about, of the run; PlanError where its costs are others."""
    measure, about = measure_of(run, plan.about.name), plan.about
    matrix = cost_matrix_of(run.identity.counting.split(","))
    if about.matrix and (matrix is None or matrix.text != about.matrix):
        raise PlanError(f"{run.title} counted the costs of another matrix than the plan's: campaign with that one")
    return measure


def _check(plan: Plan, run: Run, golden: int) -> None:
    """PlanError where the run cannot be one of the hardened network, whose measure without a fault is ``golden``."""
    layers, voted = {row.name: row for row in run.layers}, set(_voters(run).values())
    for unit in plan.units:
        row, vote = layers.get(unit.unit), unit.unit in voted
        channels = None if row is None else row.channels
        if channels != len(unit.rows) or vote != bool(unit.replicated):
            has = "no such layer" if channels is None else f"{channels} channels{'' if vote else ', no voter'}"
            raise PlanError(
                f"{run.title} is no campaign on the hardened network: the plan gives {unit.unit} {len(unit.rows)} "
                f"channels{'' if unit.replicated else ' and no voter'}, the run's {run.identity.network} has {has}. "
                "Make it with fat-fpga harden, then fat-fpga campaign"
            )
    if _same_images(plan, run) and golden != plan.golden_correct:
        if plan.target is None:
            told = f"{golden:,} images are classified correctly, in the plan {plan.golden_correct:,}"
        else:
            told = f"the {plan.about.title[len('worst-case ') :]} is {plan.about.text(golden)}"
            told += f", in the plan {plan.about.text(plan.golden_correct)}"
        raise PlanError(f"{run.title}: without a fault {told}: the run is on another network than the plan")
