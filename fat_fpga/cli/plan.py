"""``fat-fpga plan``: which channels to triplicate, for a promise or for a budget."""

from __future__ import annotations

import argparse
import shlex
from fractions import Fraction
from typing import TYPE_CHECKING

from fat_fpga.cli.parser import DATA, Commands, Parser, names, percent, shape

if TYPE_CHECKING:
    from fat_fpga.hardening.planner import Planner

EPILOG = """\
examples:
  fat-fpga plan cnv.run --worst-error 40 -o plan.json
  fat-fpga plan cnv.run --budget 1.3x -o plan.json
  fat-fpga plan cnv.run --worst-error 40 --folding bnn-pynq --cost finn --part Pynq-Z1 --clock 100 -o plan.json
  fat-fpga plan sat.run fat.run --names SAT,FAT --front --figure front.png --csv front.csv
  fat-fpga plan pes.run --worst-error 40 --folding bnn-pynq
  fat-fpga plan cnv.run --worst-error 40 --folding bnn-pynq --permute --model cnv.onnx --data cifar10:data -o plan.json

RUN is a finished campaign of all stuck channels, or of all stuck PEs under a folding. Errors are in percent of the
images; the cost of a network without copies is 1x. Next: fat-fpga harden MODEL PLAN -o HARDENED.onnx.
"""


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
    parser.add_argument("--cost", choices=("macs", "folded", "finn"), help="what copies cost (default: macs; with a "
                        "folding folded; with a part finn)")  # fmt: skip
    parser.add_argument("--folding", metavar="F", help="bnn-pynq, a list as 16x3,32x32 (PEs x SIMD), or a JSON file")
    parser.add_argument("--part", "--board", metavar="NAME", help="Pynq-Z1, Ultra96, ZCU104 or their parts: must fit")
    parser.add_argument("--clock", metavar="MHZ", type=float, help="to tell frames a second")
    parser.add_argument("--fps", metavar="N", type=float, help="least frames a second (default: as without copies)")
    parser.add_argument("-o", "--output", metavar="PLAN", help="write the plan as JSON")
    group = parser.add_argument_group("the model of the campaign, for closer costs and for reordering")
    group.add_argument("--model", metavar="MODEL", help="its weights tell how wide accumulators have to be")
    group.add_argument("--pixels", choices=("auto", "raw", "unit"), default="auto", help="as for fat-fpga campaign")
    group.add_argument("--image-shape", metavar="C,H,W", type=shape, help="as for fat-fpga campaign")
    group = parser.add_argument_group("reordering channels for faults of PEs")
    group.add_argument("--permute", action="store_true", help="gather critical channels in few PEs, and try that; "
                       "needs --model and --data")  # fmt: skip
    group.add_argument("--data", metavar="DATA", help=DATA)
    group.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
    group = parser.add_argument_group("fronts")
    group.add_argument("--names", metavar="A,B", type=names, help="what to call the runs (default: their networks)")
    group.add_argument("--figure", metavar="FILE", help="draw the front: .png, .svg or .pdf")
    group.add_argument("--csv", metavar="FILE", help="write one row for each point")
    group.add_argument("--json", metavar="FILE", help="write the front for other programs")
    parser.set_defaults(run=run)


def _add_goals(parser: Parser) -> None:
    goal = parser.add_mutually_exclusive_group(required=True)
    goal.add_argument("--worst-error", metavar="E", type=percent, help="at most so many percent wrong under any fault")
    goal.add_argument("--worst-accuracy", metavar="A", type=percent, help="at least so many percent right")
    goal.add_argument("--budget", metavar="1.3x", type=_ratio, help="the best for so many times the cost")
    goal.add_argument("--tmr", action="store_true", help="full TMR: every channel of every layer but the last")
    goal.add_argument("--front", action="store_true", help="every best trade")


def _ratio(text: str) -> Fraction:
    try:
        value = Fraction(text.removesuffix("x"))
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError("expected a cost as 1.3x, in times that of the unprotected network") from error
    if value <= 0:
        raise argparse.ArgumentTypeError("expected a cost above 0")
    return value


def run(args: argparse.Namespace) -> int:
    from fat_fpga.cli.plan_arguments import planners_of
    from fat_fpga.errors import PlanError
    from fat_fpga.files import check_writable

    single = ("output",) if args.front else ("figure", "csv", "json", "names")
    for option in single:
        if getattr(args, option) is not None:
            kind = "a plan: give a target or a budget" if args.front else "fronts: give --front"
            raise PlanError(f"--{option} is for {kind}")
    for path in filter(None, (args.output, args.figure, args.csv, args.json)):
        check_writable(path, *args.run_files, *filter(None, [args.model]))
    planners = planners_of(args)
    if args.front:
        return _front(args, planners)
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


def _front(args: argparse.Namespace, planners: list[Planner]) -> int:
    from fat_fpga.hardening.front import front_text, fronts_of, write_front_csv, write_front_json
    from fat_fpga.hardening.front_figure import write_front_figure

    networks = [planner.criticality.run.identity.network for planner in planners]
    fronts = fronts_of(planners, args.names or networks)
    print(front_text(fronts))
    if args.csv:
        write_front_csv(fronts, args.csv)
    if args.json:
        write_front_json(fronts, args.json)
    if args.figure:
        write_front_figure(fronts, args.figure)
    return 0
