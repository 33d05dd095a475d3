"""A simulated board from a plan, the way a user goes: campaign, plan, copies and voters, folding of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fat_fpga.campaign import run_campaign
from fat_fpga.datasets import load
from fat_fpga.faults import fault_space
from fat_fpga.finn.folding import Fold, plan_folding
from fat_fpga.hardening import check_same_function, harden, write_plan
from fat_fpga.hardening.costs.finn import FinnModel
from fat_fpga.hardening.criticality import criticality_of
from fat_fpga.hardening.planner import Planner
from fat_fpga.network import Network, folding

DIGITS = 80
"""How many of the bundled ones the plan is about: a simulated board does a whole campaign on them in two minutes."""


def planned(network: Network, folds: Mapping[str, Fold], folder: Path) -> tuple[Network, Mapping[str, Fold]]:
    """The network with the cheapest copies that let no stuck channel cost a single digit, and the plan's folding.

    The campaign that the plan is made from and the plan are left in the board's folder, as ``campaign.run`` and
    ``plan.json``. The same every time but for the times in the run: LUTs are those of the stored table.

    Args:
        folds: without copies; each unit's SIMD is the number of PEs in front. The planner leaves SIMD as it is, and
            changes the PEs of units that get a voter only, which makes beats of any width; so the plan's folding fits
            the simulated board as well.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "campaign.run"
    path.unlink(missing_ok=True)
    run = run_campaign(network, load("demo:mnist", limit=DIGITS), fault_space(network, "channel"), path)
    what = criticality_of(run)
    plain = {name: folding.Fold(fold.pe, fold.simd) for name, fold in folds.items()}
    plan = Planner(what, FinnModel(live=False), plain).plan(what.golden)
    write_plan(plan, folder / "plan.json")
    built = harden(network, plan)
    check_same_function(network, built)
    return built, plan_folding(plan, built).folds
