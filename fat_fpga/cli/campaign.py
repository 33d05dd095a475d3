"""``fat-fpga campaign``: every fault on every image, into a run file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from fat_fpga.cli.counting import add_counting, counting_of
from fat_fpga.cli.fault_arguments import PLANNING, SAMPLING, add_fault_arguments, plan_of, selection_of, space_of
from fat_fpga.cli.options import add_model, option, output
from fat_fpga.cli.parser import Commands
from fat_fpga.cli.stopped import stopped
from fat_fpga.cli.subject import add_module_arguments, engine_name, load_subject

if TYPE_CHECKING:
    from fat_fpga.campaign import Run, Selection
    from fat_fpga.datasets.dataset import Dataset
    from fat_fpga.engines import Engine
    from fat_fpga.faults import AnySubject

EPILOG = """\
examples:
  fat-fpga campaign cnv.onnx --data cifar10:data -o cnv.run
  fat-fpga campaign cnv.onnx --data cifar10:data --images 1000 --layers conv0,conv1 -o quick.run
  fat-fpga campaign cnv.onnx --data cifar10:data --faults pixel -o pixels.run
  fat-fpga campaign cnv.onnx --data cifar10:data --faults pe --folding bnn-pynq -o pes.run
  fat-fpga campaign cnv.onnx --data cifar10:data --faults weight --sample 10000 --seed 0 -o weights.run
  fat-fpga campaign cnv.onnx --data cifar10:data --faults weight --sample 10000 --stratify kind,layer -o strata.run
  fat-fpga campaign cnv.onnx --data cifar10:data --faults weight --margin 1% --confidence 99 --strata layer,bit -o m.run
  fat-fpga campaign cnv.onnx --data cifar10:data --faults weight --sample 1000 --outcomes -o outcomes.run
  fat-fpga campaign cnv.onnx --data cifar10:data --top5 --per-class --cost-matrix costs.csv -o costs.run
  fat-fpga campaign tfc_w2a2 --data demo:mnist --engine board:build/boards/tfc_w2a2 -o board.run
  fat-fpga campaign module:mynet:Net --weights-file net.pt --data cifar10:data --sample 1000 -o net.run
  fat-fpga campaign cnv.onnx --data cifar10:data --dask tcp://10.0.0.1:8786 -o cnv.run

Stop it with Ctrl-C, or lose power: the same command continues where it was, and no finished fault is repeated.
Where the accuracy without faults is near chance, a note says so before the first fault; --expect-accuracy refuses it.
--margin draws until the share of faults that change a prediction, and of those that cost more than a point, is known
to the margin in each stratum; the plan is printed first. fat-fpga faults --plan-sample compares the ways to draw.
A run file that belongs to another model, data set or fault list is left alone, with a word on what differs.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "campaign",
        help="inject every fault, count the images it costs",
        description="Stick every channel of every layer at every value, one at a time, or inject other faults, and\n"
        "count on the whole test set how many images are still classified correctly. Exact; resumable.",
        epilog=EPILOG,
    )
    add_model(parser)
    option(parser, "--data", required=True)
    option(parser, "--roi")
    output(parser, "RUN", "the run file, made or continued", required=True)
    option(parser, "--images")
    option(parser, "--engine", " (default: native; of a module module)")
    option(parser, "--threads")
    option(parser, "--chunk")
    option(parser, "--dask")
    option(parser, "--dask-wait")
    option(parser, "--expect-accuracy")
    option(parser, "--per-class")
    add_counting(parser)
    option(parser, "--quiet", ", no table")
    add_module_arguments(parser)
    add_fault_arguments(parser)
    parser.add_argument(
        "--fault-list", metavar="FILE", help="these faults: one, or one set of faults, a line; - is standard input"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.campaign import run_campaign
    from fat_fpga.cli.model import get_engine
    from fat_fpga.files import check_writable
    from fat_fpga.reports import report_text

    check_writable(args.output, args.model, *filter(None, [args.fault_list, args.weights_file, args.cost_matrix]))
    counting_of(args)  # a mistake in it is told before anything is loaded
    engine = get_engine(args, engine_name(args))
    network, data = load_subject(args, engine=engine)
    options = {
        "chunk": args.chunk,
        "progress": not args.quiet,
        "expect_accuracy": args.expect_accuracy,
        "dask": args.dask,
        "dask_wait": args.dask_wait,
        "counting": counting_of(args, data.classes),
        "experiment": getattr(args, "experiment_text", None),
    }
    try:
        if args.margin is not None:
            finished = _to_margin(args, network, data, engine, options)
        else:
            selection = faults_of(args, network, len(data.images))
            finished = run_campaign(network, data, selection, args.output, engine, **options)
    except KeyboardInterrupt:
        return stopped(args.output)
    if not args.quiet:
        print(report_text(finished))
        figures = "" if finished.outputs else "--figures DIR "
        print(f"\nfigures and tables: fat-fpga report {args.output} {figures}--csv FILE --json FILE")
    return 0


def _to_margin(
    args: argparse.Namespace, network: AnySubject, data: Dataset, engine: Engine, options: dict[str, Any]
) -> Run:
    """A campaign that draws until the margin is reached; its plan is printed before anything runs."""
    from fat_fpga.campaign.rounds import UntilMargin, run_in_rounds
    from fat_fpga.faults.registry import default_kind
    from fat_fpga.reports.sample_table import plan_text

    _check_fault_list(args)
    plan = plan_of(args)
    assert plan is not None
    space = space_of(args, network, args.kinds or [default_kind(network)], len(data.images))
    if not args.quiet:
        print(plan_text(plan, space, network), end="\n\n", flush=True)
    return run_in_rounds(network, data, UntilMargin(plan, space, network), args.output, engine, **options)


def faults_of(args: argparse.Namespace, network: AnySubject, images: int) -> Selection:
    """The faults that the arguments ask for, on so many images."""
    from fat_fpga.campaign import read_selection
    from fat_fpga.faults.registry import default_kind

    if not args.fault_list:
        return selection_of(args, space_of(args, network, args.kinds or [default_kind(network)], images), network)
    _check_fault_list(args)
    return read_selection(args.fault_list, network, images)


def _check_fault_list(args: argparse.Namespace) -> None:
    """CampaignError where a list is given, and something else that says which faults."""
    from fat_fpga.errors import CampaignError

    if not args.fault_list:
        return
    for given in ("kinds", "layers", "effects", "values", "folding", "sample", "margin", *SAMPLING, *PLANNING):
        if getattr(args, given) is not None:
            name = "faults" if given == "kinds" else given.replace("_", "-")
            raise CampaignError(f"--fault-list brings its own faults: leave --{name} out")
