"""Triplicating whole PEs: the unit gets two more PEs for each, and as many folds as before.

Under a folding a stuck PE p takes the channels {c : c mod PE = p} with it, one in each fold. With K of PE PEs
triplicated a unit has PE + 2K PEs and C + 2K (C / PE) rows; it takes as many cycles as before, and the voter works lane
by lane.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from fat_fpga.errors import PlanError
from fat_fpga.hardening.cheapest import Builder
from fat_fpga.hardening.costs.model import Built
from fat_fpga.hardening.design import UnitShape
from fat_fpga.network.folding import Fold


@dataclass
class PeBuilder(Builder):
    """As `Builder`, with PEs instead of channels: ``forced`` counts PEs."""

    def within(self, cycles: int, keep: bool | None = None) -> PeBuilder:
        return PeBuilder(self.design, self.folds, self.model, cycles, self.limits)

    def unprotected(self) -> list[Built]:
        return self.given()

    def fewest_cycles(self, unit: UnitShape) -> int:
        return self._plain(unit).cycles

    def unlimited(self) -> PeBuilder:
        return PeBuilder(self.design, self.folds, self.model, self.cycles)

    def full(self) -> list[Built] | None:
        return self.unlimited().cheapest({unit.name: self.folds[unit.name].pe for unit in self.design[:-1]})

    def cycle_counts(self, forced: Mapping[str, int]) -> list[int]:
        return []  # copies of PEs come with the folding that the campaign was of

    def cheapest(self, forced: Mapping[str, int]) -> list[Built] | None:
        built = []
        for unit in self.design:
            pe, simd = self.folds[unit.name]
            copies = forced.get(unit.name, 0)
            if unit.groups > 1 and copies:
                copies = pe  # all channels or none
            built.append(Built(unit, copies * (unit.channels // pe), pe + 2 * copies, simd or 1, True))
        if self.cycles is not None and any(one.cycles > self.cycles for one in built):
            return None
        return built if self._within(built) else None


def pe_rows(order: Sequence[int], pe: int, replicated: Collection[int]) -> tuple[int, ...]:
    """Rows with the lanes of ``replicated`` PEs three times, side by side.

    Args:
        order: the channel at each position; position i is on PE ``i mod pe``.
    """
    lanes = [lane for lane in range(pe) for _ in range(3 if lane in replicated else 1)]
    return tuple(order[fold * pe + lane] for fold in range(len(order) // pe) for lane in lanes)


def check_folding(asked: Mapping[str, Fold], found: Mapping[str, int], path: str) -> None:
    """PlanError unless the folding that is planned for is the one that the campaign's PEs were of."""
    for name, pes in found.items():
        if asked[name].pe != pes:
            raise PlanError(
                f"{path} has faults of {pes} PEs in {name}, the folding to plan for has {asked[name].pe}: give the "
                "folding of the campaign"
            )
