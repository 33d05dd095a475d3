"""``fat-fpga plan``: which channels to triplicate, for a promise or for a budget."""

from __future__ import annotations

import argparse
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.cli import numbers
from fat_fpga.cli.goals import add_error_goals, add_front_goal
from fat_fpga.cli.options import option, output
from fat_fpga.cli.outputs import Outputs, check_output
from fat_fpga.cli.parser import Commands, Derived, Parser
from fat_fpga.cli.renamed import Replaced

if TYPE_CHECKING:
    from fat_fpga.hardening.planner import Planner

EPILOG = """\
examples:
  fat-fpga plan cnv.run --worst-error 40 -o plan.json
  fat-fpga plan cnv.run --budget 1.3x -o plan.json
  fat-fpga plan cnv.run --worst-error 40 --folding bnn-pynq --cost finn --part Pynq-Z1 --clock 100 -o plan.json
  fat-fpga plan sat.run fat.run --names SAT,FAT --front --figures front --csv front.csv
  fat-fpga plan cnv.run --target class --worst-error 60 -o plan.json
  fat-fpga plan cnv.run --target cost --worst-cost 2.5 -o plan.json
  fat-fpga plan pes.run --worst-error 40 --folding bnn-pynq
  fat-fpga plan cnv.run --worst-error 40 --folding bnn-pynq --permute --model cnv.onnx --data cifar10:data -o plan.json

RUN is a finished campaign of all stuck channels, or of all stuck PEs under a folding. Errors are in percent of the
images; the cost of a network without copies is 1x. Next: fat-fpga harden MODEL PLAN -o HARDENED.onnx.
"""


TARGETS = ("accuracy", "top5", "class", "cost")
"""`fat_fpga.campaign.measures.MEASURES`, without numpy; a test compares them."""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "plan",
        help="which channels to triplicate, for a promise or a budget",
        description="From a finished campaign, the exact minimum set of channels (or PEs) to triplicate so that no\n"
        "single fault costs more than promised, as a network that can be built; or the whole front.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "run_files", metavar="RUN", nargs="+", help="run file of fat-fpga campaign; several for a front"
    )
    _add_goals(parser)
    parser.add_argument("--target", choices=TARGETS, default=TARGETS[0], help="what the worst case is of: the accuracy "
                        "(default), top-5 accuracy, the lowest accuracy of a class, or the mean cost of an image; the "
                        "campaign must have counted it (--top5, --per-class, --cost-matrix)")  # fmt: skip
    parser.add_argument("--cost", metavar="NAME", help=Derived(_costs))
    option(parser, "--folding")
    option(parser, "--board", ": what is planned must fit")
    option(parser, "--clock", ", to tell frames a second")
    option(parser, "--fps", ": at least so many (default: as without copies)")
    output(parser, "PLAN", "write the plan as JSON")
    option(parser, "--force")
    group = parser.add_argument_group("the model of the campaign, for closer costs and for reordering")
    option(group, "--model", " of the campaign: its weights tell how wide accumulators have to be")
    option(group, "--pixels")
    option(group, "--normalise")
    option(group, "--outputs")
    option(group, "--image-shape")
    group = parser.add_argument_group("reordering channels for faults of PEs")
    group.add_argument("--permute", action="store_true", help="gather critical channels in few PEs, and try that; "
                       "needs --model and --data")  # fmt: skip
    option(group, "--data")
    option(group, "--roi")
    option(group, "--threads")
    option(group, "--quiet")
    group = parser.add_argument_group("fronts")
    option(group, "--names")
    option(group, "--csv", "; one row for each point")
    option(group, "--json")
    option(group, "--figures")
    option(group, "--format")
    group.add_argument("--figure", metavar="FILE", action=Replaced, told="--figures DIR")
    parser.set_defaults(run=run)


def _costs() -> str:
    from fat_fpga.hardening.costs.registry import default_model, names

    plain, folded, part = (default_model(*given).name for given in ((False, False), (False, True), (True, True)))
    return f"what copies cost: {', '.join(names())} (default: {plain}; with a folding {folded}; with a part {part})"


def _add_goals(parser: Parser) -> None:
    goal = parser.add_mutually_exclusive_group(required=True)
    add_error_goals(goal)
    goal.add_argument(
        "--worst-cost", metavar="C", type=numbers.price, help="at most so much mean cost of an image, for --target cost"
    )
    goal.add_argument("--budget", metavar="1.3x", type=numbers.ratio, help="the best for so many times the cost")
    goal.add_argument("--tmr", action="store_true", help="full TMR: every channel of every layer but the last")
    add_front_goal(goal)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.cli.plan_arguments import planners_of
    from fat_fpga.errors import PlanError
    from fat_fpga.file_kinds import FIGURES, PLAN, csv_kind, json_kind
    from fat_fpga.hardening.front import COLUMNS
    from fat_fpga.hardening.front_figure import FRONT, check_figure

    single = ("output",) if args.front else ("figures", "figure", "format", "csv", "json", "names")
    for given in single:
        if getattr(args, given) is not None:
            kind = "a plan: give a target or a budget" if args.front else "fronts: give --front"
            raise PlanError(f"--{given} is for {kind}")
    inputs = [*args.run_files, *filter(None, [args.model])]
    if args.output:
        check_output(args, args.output, PLAN, *inputs)
    if args.figure:
        check_figure(args.figure)
        check_output(args, args.figure, FIGURES[Path(args.figure).suffix[1:]], *inputs)
    outputs = Outputs(
        args, inputs, csv_kind("a front as CSV", COLUMNS), json_kind("a front as JSON", "fronts"), [FRONT]
    )
    planners = planners_of(args)
    if args.front:
        return _front(args, planners, outputs)
    if len(planners) > 1:
        raise PlanError(f"a plan is for one network, got {len(planners)} runs: --front lays several over each other")
    return _plan(args, planners[0])


def _plan(args: argparse.Namespace, planner: Planner) -> int:
    from fat_fpga.cli.plan_arguments import permuted
    from fat_fpga.hardening import write_plan
    from fat_fpga.hardening.offers import offers
    from fat_fpga.hardening.plan_text import plan_summary

    saved = ""
    if args.permute:
        planner, saved = permuted(args, planner)
    if args.worst_error is not None:
        plan = planner.plan_for_error(args.worst_error)
    elif args.worst_accuracy is not None:
        plan = planner.plan_for_accuracy(args.worst_accuracy)
    elif args.worst_cost is not None:
        plan = planner.plan_for_cost(args.worst_cost)
    elif args.tmr:
        plan = planner.plan_for_everything()
    else:
        plan = planner.plan_for_budget(args.budget)
    print(plan_summary(plan))
    if saved:
        print("\n" + saved)
    for what, offer in zip(("cheaper", "faster"), offers(planner, plan.worst_correct), strict=True):
        if offer is not None:
            print(f"next {what}: {offer.price:,.0f} {planner.model.title}, {offer.cycles:,} cycles, {offer.folding}")
    if args.output:
        write_plan(plan, args.output)
        model = shlex.quote(args.model or _model_of(plan.model))
        print(f"\nplan: {args.output}; next: fat-fpga harden {model} {shlex.quote(args.output)} -o hardened.onnx")
    return 0


def _model_of(network: str) -> str:
    """What to call the model of a campaign on the command line: a bundled name, or the file that the name came from."""
    from fat_fpga.models import zoo

    return network if network in zoo.bundled() else f"{network}.onnx"


def _front(args: argparse.Namespace, planners: list[Planner], outputs: Outputs) -> int:
    from fat_fpga.hardening.front import front_text, fronts_of, write_front_csv, write_front_json
    from fat_fpga.hardening.front_figure import write_front_figure, write_front_figures

    networks = [planner.criticality.run.identity.network for planner in planners]
    fronts = fronts_of(planners, args.names or networks)
    outputs.say(front_text(fronts))
    outputs.write("csv", partial(write_front_csv, fronts))
    outputs.write("json", partial(write_front_json, fronts))
    outputs.draw(partial(write_front_figures, fronts))
    if args.figure:
        write_front_figure(fronts, args.figure)
    return 0
