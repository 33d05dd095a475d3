"""The cheapest legal way to build a network in which given numbers of channels are triplicated at least.

Units are independent of each other but for the limits of a part, so the cheapest network is the cheapest way for each
unit; where that breaks a limit, all undominated combinations are gone through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fat_fpga.errors import PlanError
from fat_fpga.hardening.costs.model import Built, CostModel
from fat_fpga.hardening.design import UnitShape
from fat_fpga.hardening.folding import unrolled, ways
from fat_fpga.network.folding import Fold


@dataclass(frozen=True)
class Choice:
    """One way to build a unit, with its price."""

    built: Built
    price: float

    @property
    def rank(self) -> tuple[float, int, int]:
        """The cheaper, then the one of fewer copies, then of fewer cycles is better."""
        return self.price, self.built.voted, self.built.cycles


@dataclass
class Builder:
    """Ways to build the units of a design under a folding's SIMD lanes, within a number of cycles.

    Attributes:
        design: the units.
        folds: PEs and SIMD lanes without copies.
        model: prices the ways.
        cycles: most cycles that a unit may take for an image; None for any number.
        limits: most of each of the model's resources, over all units; ``price`` limits the price itself.
        keep: a unit without copies keeps its folding where that is quick enough. (With a few copies it may still be
            cheaper: 70 rows have divisors that 64 have not.) If not, it takes the cheapest that is quick enough.
    """

    design: Sequence[UnitShape]
    folds: Mapping[str, Fold]
    model: CostModel
    cycles: int | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    keep: bool = True
    _ways: dict[str, list[Choice]] = field(default_factory=dict, repr=False)
    _best: dict[str, list[Choice | None]] = field(default_factory=dict, repr=False)

    def within(self, cycles: int, keep: bool | None = None) -> Builder:
        """The same with another number of cycles."""
        keep = self.keep if keep is None else keep
        return Builder(self.design, self.folds, self.model, cycles, self.limits, keep, self._ways)

    def given(self) -> list[Built]:
        """The units under the folding, without copies."""
        return [self._plain(unit) for unit in self.design]

    def unprotected(self) -> list[Built]:
        """The network without copies that plans are held against: as cheap as it can be within the cycles, on a part of
        any size.

        Raises:
            PlanError: a unit cannot be so quick.
        """
        found = []
        for unit in self.design:
            ways = [choice for choice in self._quick(unit, 0) if not choice.built.voted]
            if not ways:
                raise PlanError(f"{unit.name} takes {self.fewest_cycles(unit):,} cycles at least")
            found.append(min(ways, key=lambda choice: choice.rank).built)
        return found

    def fewest_cycles(self, unit: UnitShape) -> int:
        """With a PE for each row: a unit cannot be quicker, with copies or without."""
        return min(choice.built.cycles for choice in self._choices(unit))

    def unlimited(self) -> Builder:
        """The same for a part of any size."""
        return Builder(self.design, self.folds, self.model, self.cycles, {}, self.keep, self._ways)

    def full(self) -> list[Built] | None:
        """The cheapest network with every channel of every unit but the last triplicated, on a part of any size; None
        if there is none."""
        return self.unlimited().cheapest({unit.name: unit.channels for unit in self.design[:-1]})

    def price(self, built: Sequence[Built]) -> float:
        """Of a whole network."""
        return sum(self.model.price(one) for one in built)

    def resources(self, built: Sequence[Built]) -> dict[str, float]:
        """Of a whole network."""
        total: dict[str, float] = {}
        for one in built:
            for name, amount in self.model.resources(one).items():
                total[name] = total.get(name, 0) + amount
        return total

    def cheapest(self, forced: Mapping[str, int]) -> list[Built] | None:
        """The cheapest network with at least ``forced[unit]`` channels triplicated, None if there is none.

        Of equally cheap ones that with the fewest copies in each unit, then with the fewest cycles.
        """
        chosen = []
        for unit in self.design:
            best = self._best_from(unit)[forced.get(unit.name, 0)]
            if best is None:
                return None
            chosen.append(best)
        if self._within([choice.built for choice in chosen]):
            return [choice.built for choice in chosen]
        return self._under_limits(forced)

    def cycle_counts(self, forced: Mapping[str, int]) -> list[int]:
        """Every number of cycles that some unit with its copies can take, ascending."""
        found = set()
        for unit in self.design:
            least = forced.get(unit.name, 0)
            found |= {choice.built.cycles for choice in self._choices(unit) if choice.built.voted >= least}
        return sorted(found)

    def _best_from(self, unit: UnitShape) -> list[Choice | None]:
        """The best way for each least number of triplicated channels."""
        if unit.name not in self._best:
            best: list[Choice | None] = [None] * (unit.channels + 1)
            for choice in self._quick(unit, 1):
                known = best[choice.built.voted]
                if known is None or choice.rank < known.rank:
                    best[choice.built.voted] = choice
            for voted in range(unit.channels - 1, 0, -1):
                more, own = best[voted + 1], best[voted]
                if own is None or (more is not None and more.rank < own.rank):
                    best[voted] = more
            best[0] = min(self._quick(unit, 0), key=lambda choice: choice.rank, default=None)
            self._best[unit.name] = best
        return self._best[unit.name]

    def _quick(self, unit: UnitShape, least: int) -> list[Choice]:
        """Every way to build a unit with at least so many channels triplicated that is quick enough."""
        found = [c for c in self._choices(unit) if self.cycles is None or c.built.cycles <= self.cycles]
        if least:
            return [choice for choice in found if choice.built.voted >= least]
        plain = self._plain(unit)
        if self.keep and any(choice.built == plain for choice in found):
            return [choice for choice in found if choice.built == plain or choice.built.voted]
        return found

    def _choices(self, unit: UnitShape) -> list[Choice]:
        """Every way to build a unit, quick or not."""
        if unit.name not in self._ways:
            most = 0 if unit is self.design[-1] else unit.channels
            built = [one for voted in range(most + 1) for one in self._possible(unit, voted)]
            self._ways[unit.name] = [Choice(one, self.model.price(one)) for one in built]
        return self._ways[unit.name]

    def _possible(self, unit: UnitShape, voted: int) -> list[Built]:
        if not self.model.folded and (unit.groups == 1 or voted in (0, unit.channels)):
            return [Built(unit, voted, unit.channels + 2 * voted, unit.built_inputs)]
        return ways(unit, self.folds[unit.name].simd or 1, voted) if self.model.folded else []

    def _plain(self, unit: UnitShape) -> Built:
        pe, simd = (self.folds if self.model.folded else unrolled([unit]))[unit.name]
        return Built(unit, 0, pe, simd or 1)

    def _within(self, built: Sequence[Built]) -> bool:
        if not self.limits:
            return True
        total = self.resources(built) | {"price": self.price(built)}
        return all(total.get(name, 0) <= limit for name, limit in self.limits.items())

    def _under_limits(self, forced: Mapping[str, int]) -> list[Built] | None:
        """As `cheapest`, over all undominated combinations: exact."""
        names = [name for name in self.limits if name != "price"]
        front: list[tuple[tuple[float, ...], list[Built]]] = [((0.0,) * (len(names) + 1), [])]
        for unit in self.design:
            points = []
            for choice in sorted(self._quick(unit, forced.get(unit.name, 0)), key=lambda c: c.rank):
                used = self.model.resources(choice.built)
                points.append(((choice.price, *(used.get(name, 0) for name in names)), [choice.built]))
            own = _undominated(points)
            front = _undominated(
                [
                    (tuple(map(sum, zip(total, more, strict=True))), built + extra)
                    for total, built in front
                    for more, extra in own
                ]
            )
        for _, built in sorted(front, key=lambda point: point[0]):
            if self._within(built):
                return built
        return None


def _undominated(points: list[tuple[tuple[float, ...], list[Built]]]) -> list[tuple[tuple[float, ...], list[Built]]]:
    """Points that no other one beats or equals in every figure; of equals the first."""
    kept: list[tuple[tuple[float, ...], list[Built]]] = []
    for point in sorted(points, key=lambda p: p[0]):
        if not any(all(a <= b for a, b in zip(other[0], point[0], strict=True)) for other in kept):
            kept.append(point)
    return kept
