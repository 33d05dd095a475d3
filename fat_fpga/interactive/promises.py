"""What a promise costs: for each worst case, how many channels have to be triplicated, and their price."""

from __future__ import annotations

from typing import Any

from fat_fpga.campaign import Run
from fat_fpga.errors import PlanError
from fat_fpga.hardening.costs.registry import default_model
from fat_fpga.hardening.criticality import criticality_of
from fat_fpga.hardening.folding import legal_folding
from fat_fpga.hardening.front import Front
from fat_fpga.hardening.plan import CHANNEL, PE
from fat_fpga.hardening.planner import Planner
from fat_fpga.network import Network
from fat_fpga.network.folding import Fold, read_folds


def promises(run: Run, folding: str | None, network: Network | None) -> dict[str, Any]:
    """Points of the planner's front, ``[worst_correct, triplicated, ratio]``, and the folding.

    Where the run is none that a plan can be made from, ``why`` says it and there are no points.

    Args:
        folding: as ``--folding`` has it.
        network: of the campaign; needed where it branches.

    Raises:
        FaultError, PlanError: the folding is none of the network.
    """
    kind = PE if run.done and all(result.kind == PE for result in run.results) else CHANNEL
    found: dict[str, Any] = {"why": "", "points": [], "title": "", "kind": kind, "folding": {}, "option": folding or ""}
    try:
        what = criticality_of(run, kind, network)
    except PlanError as error:
        found["why"] = str(error)
        if folding:
            raise
        return found
    folds: dict[str, Fold] = {}
    if folding:
        folds, _ = legal_folding(what.design, read_folds(folding, what.design, run.identity.network))
        found["folding"] = {name: fold.pe for name, fold in folds.items()}
    planner = Planner(what, default_model(False, bool(folding)).of(None), folds)
    try:
        front = Front(run.identity.network, planner, tuple(planner.front()))
    except PlanError as error:
        found["why"] = str(error)
        return found
    found["points"] = [[point.worst_correct, point.triplicated, point.ratio] for point in front.points]
    found["title"] = planner.model.title
    return found
