"""How critical each channel or PE is: the accuracy under its worst stuck value, from a finished campaign."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign import Measure, Result, Run, measure_of
from fat_fpga.campaign.counted import cost_matrix_of
from fat_fpga.campaign.measures import ACCURACY
from fat_fpga.errors import PlanError
from fat_fpga.hardening.design import UnitShape, branching, design_of
from fat_fpga.hardening.plan import CHANNEL, PE, Expected
from fat_fpga.hardening.target import Target
from fat_fpga.network import Network

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Criticality:
    """What a campaign says about the parts that can be triplicated: channels, or PEs under a folding.

    Attributes:
        run: the campaign.
        kind: ``channel`` or ``pe``.
        design: the units of the network.
        worst: for each unit but the last, int64 [parts]: the measure under the part's worst stuck value, by default
            images still classified correctly.
        changed: of the same faults, images whose predicted class differs; among equally bad values the largest.
        expected: all faults of the kind in these units, in the run's order.
        others: faults of the kind in layers that are no units, which no copies protect: additions, concatenations,
            thresholds of their own.
        network: the network of the campaign, where it branches.
        measure: what plans promise something about; `Measure.values` are in the run's order.
    """

    run: Run
    kind: str
    design: tuple[UnitShape, ...]
    worst: dict[str, Counts]
    changed: dict[str, Counts]
    expected: tuple[Expected, ...]
    others: tuple[Expected, ...] = ()
    network: Network | None = None
    measure: Measure | None = None

    @property
    def images(self) -> int:
        return self.run.images

    @cached_property
    def about(self) -> Measure:
        """What plans promise something about: accuracy unless another measure was given."""
        return self.measure or measure_of(self.run)

    @cached_property
    def target(self) -> Target:
        """The same as plans keep it."""
        about, matrix = self.about, cost_matrix_of(self.run.identity.counting.split(","))
        return Target(about.name, about.most, about.full, matrix.text if about.costs and matrix else "")

    @property
    def golden(self) -> int:
        """The measure of the fault-free network: by default images that it classifies correctly."""
        return self.about.fault_free

    @property
    def targets(self) -> list[int]:
        """Every worst case that some set of triplicated parts can promise, ascending."""
        values = {min(int(v), self.golden) for counts in self.worst.values() for v in counts}
        return sorted(values | {self.golden})

    def ranked(self, unit: str) -> list[int]:
        """Parts of a unit, most critical first; of equals the one that changes more images, then the lower number."""
        worst, changed = self.worst[unit], self.changed[unit]
        return sorted(range(len(worst)), key=lambda part: (worst[part], -changed[part], part))

    def forced(self, unit: str, target: int) -> int:
        """How many parts of a unit must be triplicated so that the measure stays at least ``target``."""
        if unit not in self.worst:
            return 0
        return int((self.worst[unit] < target).sum())


def criticality_of(
    run: Run, kind: str = CHANNEL, network: Network | None = None, target: str = ACCURACY
) -> Criticality:
    """Read a finished campaign of all channels, or of all PEs under a folding.

    Args:
        network: the network of the campaign; needed where it branches.
        target: the measure that plans are to promise something about, see `fat_fpga.campaign.measures`.

    Raises:
        CampaignError: the run has not counted what the measure needs.
        PlanError: the campaign is unfinished, lacks faults of the kind, or is on a network with voters.
    """
    if run.outputs is not None:
        raise PlanError(
            f"{run.title} is on a network whose outputs are no classes: the goal of a plan is an accuracy, and it has "
            "none"
        )
    if not run.complete:
        raise PlanError(
            f"{run.title} is unfinished, {run.done:,} of {run.asked:,} faults: a plan needs all of them. Finish it "
            f"with the command that started it: fat-fpga campaign {run.identity.network} --data DATA -o "
            f"{shlex.quote(run.title)}, with the same data ({run.identity.dataset}) and options"
        )
    measure = measure_of(run, target)
    values = measure.values.tolist()
    design, own = design_of(run, network), [each for each in zip(run.results, values, strict=True)
                                            if each[0].kind == kind]  # fmt: skip
    rows = {row.name: row for row in run.layers}
    counts: dict[str, dict[tuple[int, int], tuple[int, int, int]]] = {unit.name: {} for unit in design[:-1]}
    for result, value in own:
        part = result.channel if kind == CHANNEL else result.pe
        if result.layer in counts and part is not None and result.value is not None:
            counts[result.layer][part, result.value] = value, -result.changed, result.of or 0
    worst, changed = {}, {}
    for unit in design[:-1]:
        found, levels = counts[unit.name], rows[unit.name].levels.split(",")
        folds = {of for _, _, of in found.values()}
        parts = unit.channels if kind == CHANNEL else max(folds, default=0)
        if len(folds) != 1 or len(found) != parts * len(levels):
            raise PlanError(_lacking(run, kind, unit.name, len(found)))
        by_part: list[list[tuple[int, int]]] = [[] for _ in range(parts)]
        for (part_number, _), (correct, unchanged, _) in found.items():
            by_part[part_number].append((correct, unchanged))
        least = np.array([min(values) for values in by_part], np.int64)
        worst[unit.name], changed[unit.name] = least[:, 0], -least[:, 1]
    expected = [each for each in own if each[0].layer in counts]
    known, branches = {unit.name for unit in design}, branching(run, network)
    others = [each for each in own if branches is not None and each[0].layer in rows and each[0].layer not in known]
    told, left = (tuple(_expected(result, value, target) for result, value in each) for each in (expected, others))
    return Criticality(run, kind, design, worst, changed, told, left, branches, measure)


def _expected(result: Result, value: int, target: str) -> Expected:
    return Expected(result.fault, result.correct, result.changed, None if target == ACCURACY else value)


def _lacking(run: Run, kind: str, unit: str, count: int) -> str:
    options = f" --faults {PE} --folding FOLDING" if kind == PE else ""
    return (
        f"{run.title} has {count:,} {kind} faults in {unit}, a plan needs every {kind} of every unit at every value, "
        f"under one folding: fat-fpga campaign {run.identity.network} --data DATA{options} -o NEW.run"
    )
