"""From the arguments of ``fat-fpga plan`` to planners."""

from __future__ import annotations

import argparse
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from fat_fpga.errors import PlanError

if TYPE_CHECKING:
    from fat_fpga.boards import Board
    from fat_fpga.campaign import Run
    from fat_fpga.hardening.costs.model import CostModel
    from fat_fpga.hardening.planner import Planner
    from fat_fpga.network.folding import Fold


def planners_of(args: argparse.Namespace) -> list[Planner]:
    """A planner for each run, all under the same cost model, folding and limits.

    Raises:
        PlanError: runs or options do not fit together, or a folding or part is impossible.
    """
    from fat_fpga.boards import board
    from fat_fpga.campaign import Run
    from fat_fpga.campaign.counted import COST
    from fat_fpga.campaign.measures import ACCURACY
    from fat_fpga.hardening.costs.registry import cost_model, default_model, part_models
    from fat_fpga.hardening.plan import CHANNEL, PE

    if args.names is not None and len(args.names) != len(args.run_files):
        raise PlanError(f"expected one name for each of the {len(args.run_files)} runs, got {len(args.names)}")
    model = cost_model(args.cost) if args.cost else default_model(bool(args.board), bool(args.folding))
    if args.board and not model.parts:
        raise PlanError(
            f"--board limits LUTs, BRAM and DSPs, which --cost {model.name} does not count: take --cost {part_models()}"
        )
    if not model.folded and (args.folding or args.clock or args.fps) and not args.permute:
        raise PlanError(f"--cost {model.name} is of the unrolled network: leave --folding, --clock and --fps out")
    if model.folded and not args.folding:
        raise PlanError(f"--cost {model.name} needs --folding: bnn-pynq, a list as 16x3,32x32, or a JSON file")
    goal = args.worst_error if args.worst_error is not None else args.worst_accuracy
    if args.permute and (goal is None or not model.folded or not args.model or not args.data):
        raise PlanError("--permute needs --worst-error or --worst-accuracy, --folding, --model and --data")
    if args.permute and args.target != ACCURACY:
        raise PlanError(f"--permute counts right images alone: leave --target {args.target} out")
    if args.target == COST and goal is not None:
        raise PlanError("costs have no percentages: ask for --worst-cost, --budget or --front")
    if args.worst_cost is not None and args.target != COST:
        raise PlanError("--worst-cost is for --target cost")
    if args.fps and not args.clock:
        raise PlanError("--fps needs --clock, the MHz that the frames are counted at")
    chosen = board(args.board) if args.board else None
    cycles = int(args.clock * 1e6 / args.fps) if args.fps else None
    runs = [Run.open(path) for path in args.run_files]
    kind = PE if all(result.kind == PE for run in runs for result in run.results) else CHANNEL
    return [_planner(args, run, kind, model.of(chosen), chosen, cycles) for run in runs]


def _planner(
    args: argparse.Namespace, run: Run, kind: str, model: CostModel, chosen: Board | None, cycles: int | None
) -> Planner:
    from fat_fpga.hardening.criticality import criticality_of
    from fat_fpga.hardening.folding import legal_folding
    from fat_fpga.hardening.planner import Planner
    from fat_fpga.network.folding import read_folds

    network = None
    if args.model:
        from fat_fpga.cli.model import load_model
        from fat_fpga.hardening.values import check_model

        network = load_model(args)
        check_model(run, network)
    what = criticality_of(run, kind, network, args.target)
    if network is not None:
        from fat_fpga.hardening.values import with_values

        what = replace(what, design=with_values(what.design, network))
    folds: dict[str, Fold] = {}
    notes: list[str] = []
    if args.folding:
        folds, notes = legal_folding(what.design, read_folds(args.folding, what.design, run.identity.network))
    return Planner(what, model, folds, chosen, args.clock, cycles, notes=tuple(notes))


def permuted(args: argparse.Namespace, planner: Planner) -> tuple[Planner, str]:
    """A planner for PEs of the reordered network, and a line on what reordering saves."""
    from fat_fpga.cli.model import get_engine, load_model
    from fat_fpga.datasets import load
    from fat_fpga.hardening.gather import Trial, gather
    from fat_fpga.hardening.plan import CHANNEL

    what = planner.criticality
    if what.kind != CHANNEL:
        raise PlanError("--permute starts from a campaign of stuck channels, this one is of PEs")
    network = load_model(args)
    data = load(args.data, limit=what.images, shape=network.input.shape, roi=args.roi)
    if data.fingerprint != what.run.identity.dataset_fingerprint:
        raise PlanError(
            f"--data {args.data} holds other images than the campaign, which was on {what.run.identity.dataset}, "
            f"{what.images:,} images"
        )
    goal = 100 - args.worst_error if args.worst_error is not None else Fraction(args.worst_accuracy)
    target = planner.target(goal)
    planner.check(target)
    judge = Trial(get_engine(args, "native").open(network), data, not args.quiet)
    pes, orders, found = gather(what, network, planner.folds, target, judge)
    reordered = replace(planner, criticality=pes, order=orders)
    before = reordered.builder.cheapest({name: own.before for name, own in found.items()})
    after = reordered.least(target)
    if before is None or after is None:
        return reordered, ""
    old, new = (reordered.builder.price(built) for built in (before, after))
    copies = [sum(getattr(own, which) for own in found.values()) for which in ("before", "failing")]
    return reordered, (
        f"reordering: {copies[1]} PEs triplicated instead of {copies[0]}, {new:,.0f} {planner.model.title} instead of "
        f"{old:,.0f}, {100 * (old - new) / old:.1f} % saved"
    )
