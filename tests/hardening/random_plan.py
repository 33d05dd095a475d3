"""Plans with any channels triplicated, made by hand from a campaign, for tests of what follows a plan."""

from __future__ import annotations

import numpy as np

from fat_fpga.campaign import Run
from fat_fpga.hardening import Expected, Plan, UnitPlan
from fat_fpga.hardening.plan import CHANNEL
from fat_fpga.hardening.unit_plan import identity_plan
from fat_fpga.network import MatrixVectorUnit, Network


def random_unit(unit: MatrixVectorUnit, share: float, rng: np.random.Generator) -> UnitPlan:
    """About this share of the channels three times, with one PE a row, all in any order."""
    voted = rng.random(unit.channels) < share
    rows = rng.permutation(np.repeat(np.arange(unit.channels), np.where(voted, 3, 1)))
    order = rng.permutation(unit.channels) if voted.any() else rows
    return UnitPlan(unit.name, unit.channels, len(rows), 1, tuple(map(int, rows)), tuple(map(int, order)))


def plan_of(network: Network, run: Run, units: tuple[UnitPlan, ...], kind: str = CHANNEL) -> Plan:
    """What replicating these units promises, by the definition: the worst of all faults that nothing masks."""
    names = {unit.unit: unit for unit in units}
    open_faults = [r for r in run.results if int(r.index.split()[0]) not in names[r.layer].replicated]
    return Plan(
        model=network.name,
        fingerprint=network.fingerprint,
        dataset=run.identity.dataset,
        dataset_fingerprint=run.identity.dataset_fingerprint,
        images=run.images,
        golden_correct=run.error_free,
        kind=kind,
        asked="by hand",
        worst_correct=min((r.correct for r in open_faults), default=run.error_free),
        units=(*units, identity_plan(network.units[-1].name, network.classes, 1, 1)),
        expected=tuple(Expected(r.fault, r.correct, r.changed) for r in run.results),
    )
