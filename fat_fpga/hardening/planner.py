"""The cheapest set of channels, or PEs, to triplicate for a promised worst case (Zahid et al. 2020, section V-C).

A stuck channel that has two healthy copies changes nothing; any other one costs what the campaign counted. So a worst
case of ``target`` correct images can be promised if and only if every channel whose own worst case is lower is
triplicated: the set is forced. A budget buys the largest target whose forced set it pays for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import ceil

from fat_fpga.boards import Board
from fat_fpga.campaign.measures import ACCURACY
from fat_fpga.errors import PlanError
from fat_fpga.hardening.cheapest import Builder
from fat_fpga.hardening.costs.macs import MacsModel
from fat_fpga.hardening.costs.model import Between, Built, CostModel
from fat_fpga.hardening.criticality import Criticality
from fat_fpga.hardening.folding import unrolled
from fat_fpga.hardening.pes import PeBuilder, check_folding, pe_rows
from fat_fpga.hardening.plan import CHANNEL, PE, Plan
from fat_fpga.hardening.plan_costs import costs_of, slowest
from fat_fpga.hardening.plan_notes import notes_of
from fat_fpga.hardening.refusals import check_rate, enough, impossible
from fat_fpga.hardening.unit_plan import UnitPlan, spread_rows
from fat_fpga.network.folding import Fold


@dataclass(frozen=True)
class Point:
    """A point of the front.

    Attributes:
        worst_correct: images that stay correct under any single fault of the kind outside of voters; for another
            target, its measure.
        triplicated: channels, or PEs.
        price: in the cost model's measure.
        ratio: the price over that of the network without protection.
        built: its units.
    """

    worst_correct: int
    triplicated: int
    price: float
    ratio: float
    built: tuple[Built, ...]


@dataclass(frozen=True, eq=False)
class Planner:
    """Plans for one campaign under one cost model.

    Attributes:
        criticality: what the campaign says.
        model: what plans cost.
        folds: the folding without copies; every SIMD told. Models without folding do without.
        board: whose limits the plans must keep; the model must count its resources.
        clock: MHz, for frames a second.
        cycles: most cycles for an image; by default those of the slowest unit without copies, so that the rate is kept.
        order: for plans about PEs, the channel at each position of each unit; as it is where a unit is missing.
        notes: to go into every plan.
    """

    criticality: Criticality
    model: CostModel = field(default_factory=MacsModel)
    folds: Mapping[str, Fold] = field(default_factory=dict)
    board: Board | None = None
    clock: float | None = None
    cycles: int | None = None
    order: Mapping[str, Sequence[int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @cached_property
    def builder(self) -> Builder:
        """What builds networks for the kind of fault, under the folding and within the limits."""
        design, pes = self.criticality.design, self.criticality.kind == PE
        folds = self.folds if self.folds or not pes else {}
        if pes:
            if not folds or not self.model.folded:
                raise PlanError("plans about PEs need a folding and a cost under it: --folding, --cost folded or finn")
            found = {name: len(worst) for name, worst in self.criticality.worst.items()}
            check_folding(folds, found, self.criticality.run.title)
        kind = PeBuilder if pes else Builder
        builder = kind(design, folds or unrolled(design), self.model, keep=self.cycles is None)
        if not self.model.folded:
            return builder
        check_rate(builder, self.cycles, self.clock)
        builder.cycles = slowest(builder.given()) if self.cycles is None else self.cycles
        if self.board is not None:
            between = self._between(folds, builder.cycles)
            left = self.board.lut - sum(one.price for one in between)
            builder.limits = {"price": left, "BRAM_18K": self.board.bram_18k, "DSP": self.board.dsp}
        return builder

    @cached_property
    def between(self) -> list[Between]:
        """What stands between the units, with copies as without."""
        if not self.folds:
            return []
        return self._between(self.folds, self.builder.cycles or 0)

    def _between(self, folds: Mapping[str, Fold], cycles: int) -> list[Between]:
        what = self.criticality
        if what.network is None:
            return self.model.between(what.run.layers, folds, cycles)
        return self.model.between(what.run.layers, folds, cycles, what.network)

    @cached_property
    def unprotected(self) -> float:
        """Price of the cheapest network without copies at the same rate; where the rate is that of the folding, of the
        network under the folding."""
        return self.builder.price(self.builder.unprotected())

    def least(self, target: int) -> list[Built] | None:
        """The cheapest network that keeps ``target`` images correct, None if it cannot be built."""
        return self.builder.cheapest(self.forced(target))

    def plan(self, target: int, asked: str = "") -> Plan:
        """The cheapest plan that keeps at least ``target`` images correct under any fault of the kind.

        Raises:
            PlanError: more than the fault-free network gets right, or no such network can be built.
        """
        self.check(target)
        built = self.least(target)
        if built is None:
            raise PlanError(impossible(self, target))
        return self._plan_of(
            built, self.forced(target), asked or f"{target} of {self.criticality.target.most} images correct"
        )

    def plan_for_everything(self) -> Plan:
        """Full TMR: every channel, or PE, of every unit but the last.

        Raises:
            PlanError: it cannot be built, under the folding or within the part.
        """
        worst = self.criticality.worst
        every = {unit.name: len(worst.get(unit.name, ())) for unit in self.criticality.design}
        built = self.builder.cheapest(every)
        if built is None:
            where = f" on {self.board.name}" if self.board else " under this folding and rate"
            raise PlanError(f"full TMR cannot be built{where}: leave the part out, or ask for a worst error")
        return self._plan_of(built, every, "full TMR")

    def plan_for_error(self, percent: Fraction) -> Plan:
        """The cheapest plan whose worst-case error is at most so many percent."""
        return self.plan(self.target(100 - percent), f"worst error {float(percent):g} %")

    def plan_for_accuracy(self, percent: Fraction) -> Plan:
        """The cheapest plan whose worst-case accuracy is at least so many percent."""
        return self.plan(self.target(percent), f"worst accuracy {float(percent):g} %")

    def plan_for_cost(self, cost: Fraction) -> Plan:
        """The cheapest plan whose worst-case mean cost of an image is at most so much.

        Raises:
            PlanError: the target of the plan is no cost.
        """
        return self.plan(self.target_of_cost(cost), f"worst mean cost {float(cost):g}")

    def target(self, accuracy: Fraction) -> int:
        """Images that must stay correct for an accuracy in percent, rounded up; the same of another measure."""
        if self.criticality.about.costs:
            raise PlanError("the target is a cost: ask for --worst-cost, or for a budget")
        return max(0, ceil(accuracy * self.criticality.target.most / 100))

    def target_of_cost(self, cost: Fraction) -> int:
        """The measure that a mean cost of an image needs, rounded up."""
        about = self.criticality.target
        if not self.criticality.about.costs:
            raise PlanError("--worst-cost is for --target cost")
        return max(0, ceil(about.most * (1 - cost / about.full)))

    def plan_for_budget(self, ratio: Fraction) -> Plan:
        """The best worst case for at most ``ratio`` times the price without protection.

        Raises:
            PlanError: nothing fits; it names the cheapest that can be built.
        """
        best, least = None, None
        for target in self.criticality.targets:
            built = self.least(target)
            if built is None:
                continue
            price = self.builder.price(built) / self.unprotected
            least = price if least is None else min(least, price)
            if Fraction(price) <= ratio + Fraction(1, 10**12):
                best = target, built
        if least is None:
            raise PlanError(impossible(self, self.criticality.targets[0]))
        if best is None:
            raise PlanError(
                f"budget {float(ratio):g}x is too small: the cheapest network costs {least:.4f} times the one without "
                "protection"
            )
        return self._plan_of(best[1], self.forced(best[0]), f"budget {float(ratio):g}x")

    def front(self) -> list[Point]:
        """Every worst case that no cheaper network reaches, from the cheapest network to the best worst case."""
        points = []
        for target in self.criticality.targets:
            built = self.least(target)
            if built is not None:
                price = self.builder.price(built)
                points.append(
                    Point(self.promise(built), self._parts(built), price, price / self.unprotected, tuple(built))
                )
        front: list[Point] = []
        for point in sorted(points, key=lambda p: (p.price, -p.worst_correct, p.triplicated)):
            if not front or point.worst_correct > front[-1].worst_correct:
                front.append(point)
        return front

    def promise(self, built: Sequence[Built]) -> int:
        """Images that stay correct under the worst fault that is not voted away."""
        worst = self.criticality.golden
        for name, count in self._counts(built).items():
            left = sorted(int(v) for v in self.criticality.worst[name])[count:]
            worst = min([worst, *left])
        return worst

    def forced(self, target: int) -> dict[str, int]:
        """Parts of each unit that must be triplicated for a target."""
        return {unit.name: self.criticality.forced(unit.name, target) for unit in self.criticality.design}

    def _counts(self, built: Sequence[Built]) -> dict[str, int]:
        """Triplicated parts of each unit but the last."""
        if self.criticality.kind == CHANNEL:
            return {one.unit.name: one.voted for one in built[:-1]}
        return {one.unit.name: one.voted * self.folds[one.unit.name].pe // one.unit.channels for one in built[:-1]}

    def _parts(self, built: Sequence[Built]) -> int:
        return sum(self._counts(built).values())

    def check(self, target: int) -> None:
        """PlanError for a target that not even the fault-free network meets."""
        golden, about = self.criticality.golden, self.criticality.target
        if target <= golden:
            return
        if about.name == ACCURACY:
            asked, has = f"{100 * target / about.most:.2f} %", f"{100 * golden / about.most:.2f} %"
            raise PlanError(
                f"a worst-case accuracy of {asked} was asked for, the fault-free network has {has}: nearest possible "
                f"{enough(golden, about)}"
            )
        raise PlanError(
            f"a {about.title} of {about.text(target)} was asked for, the fault-free network has {about.text(golden)}: "
            f"nearest possible {enough(golden, about)}"
        )

    def _plan_of(self, built: Sequence[Built], forced: Mapping[str, int], asked: str) -> Plan:
        what, counts = self.criticality, self._counts(built)
        units = [self._unit_plan(one, counts.get(one.unit.name, 0)) for one in built]
        run = what.run
        return Plan(
            model=run.identity.network,
            fingerprint=run.identity.network_fingerprint,
            dataset=run.identity.dataset,
            dataset_fingerprint=run.identity.dataset_fingerprint,
            images=what.images,
            golden_correct=what.golden,
            kind=what.kind,
            asked=asked,
            worst_correct=self.promise(built),
            units=tuple(units),
            expected=what.expected,
            costs=costs_of(self.builder, built, self.clock, self.between),
            part=self.board.part if self.board else None,
            notes=notes_of(self, built, forced),
            others=what.others,
            target=None if what.target.name == ACCURACY else what.target,
        )

    def _unit_plan(self, built: Built, count: int) -> UnitPlan:
        unit = built.unit
        order = tuple(self.order.get(unit.name, range(unit.channels)))
        if not count:
            return UnitPlan(unit.name, unit.channels, built.pe, built.simd, order, order)
        parts = frozenset(self.criticality.ranked(unit.name)[:count])
        if self.criticality.kind == PE:
            rows = pe_rows(order, self.folds[unit.name].pe, parts)
        else:
            rows = spread_rows(order, parts)
        return UnitPlan(unit.name, unit.channels, built.pe, built.simd, rows, order)
