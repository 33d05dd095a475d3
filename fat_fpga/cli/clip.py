"""``fat-fpga clip``: bounds for the activations of a PyTorch module."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.cli.numbers import decimal, whole
from fat_fpga.cli.options import add_model, option, output
from fat_fpga.cli.outputs import check_output
from fat_fpga.cli.parser import Commands
from fat_fpga.cli.subject import add_module_arguments, load_subject
from fat_fpga.errors import ModelError

if TYPE_CHECKING:
    from fat_fpga.campaign.sweep import Sweep
    from fat_fpga.datasets import Dataset
    from fat_fpga.faults import AnySubject
    from fat_fpga.modules import ModuleSubject
    from fat_fpga.ranges.restricted import Ranges

METHODS = ("ft-clipact", "ranger", "fitact", "proact", "weight-range")
SEARCHED = METHODS[0]

EPILOG = """\
examples:
  fat-fpga clip module:mynet:Net --weights-file net.pt --data cifar10:data --images 256 --rates 1e-7:1e-5 -o clipped.pt
  fat-fpga clip module:mynet:Net --weights-file net.pt --data cifar10:data --onnx clipped.onnx -o clipped.pt
  fat-fpga clip module:mynet:Net --weights-file net.pt --data cifar10:data --restrict ranger -o ranger.pt
  fat-fpga sweep module:mynet:Net --weights-file clipped.pt --data cifar10:data --rates 1e-7:1e-5 -o clipped.run

The validation part of DATA is taken, unless DATA names another one. Every activation without a bound (ReLU and its
kin) gets a threshold; above it the activation is 0. ft-clipact searches, layer by layer, the threshold with the
largest area under the curve of accuracy against rate (AUC). Stop it with Ctrl-C: the same command continues where it
was. All that was measured is in FILE.record.json.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "clip",
        help="bound the activations of a PyTorch module, so that faults do less",
        description="Give every activation of a PyTorch module a bound, found on validation images, beyond which it\n"
        "is a fault and becomes 0 (FT-ClipAct), or restrict ranges in another way.",
        epilog=EPILOG,
    )
    add_model(parser)
    add_module_arguments(parser)
    option(parser, "--data", required=True)
    output(parser, "FILE", "the checkpoint to write; --weights-file of other commands", required=True)
    parser.add_argument("--onnx", metavar="FILE", help="write the network with its bounds as ONNX, too")
    parser.add_argument(
        "--restrict", choices=METHODS, default=SEARCHED,
        help="ft-clipact searches thresholds (default); ranger clamps to the largest value; fitact trains a bound of "
        "each neuron; proact trains one of each layer, and of the last neurons; weight-range bounds parameters",
    )  # fmt: skip
    group = parser.add_argument_group("the search of ft-clipact")
    option(group, "--faults", " (default: weight)")
    option(group, "--rates", "; 1e-7:1e-5:2 unless given", default="1e-7:1e-5:2")
    option(group, "--samples", " (default: 8)", default=8)
    group.add_argument(
        "--axis", choices=("linear", "log"), default="linear",
        help="of the area: the rate from 0 on (default), or its logarithm",
    )  # fmt: skip
    group.add_argument("--iterations", metavar="N", type=whole(1, 1000), default=6, help="at most (default: 6)")
    group.add_argument("--least", metavar="M", type=whole(1, 1000), default=3, help="at least (default: 3)")
    group.add_argument(
        "--difference", metavar="D", type=decimal(0, 1), default=0.001,
        help="stop where neighbours differ by no more of AUC (default: 0.001)",
    )  # fmt: skip
    option(group, "--layers", ": which are hit")
    option(group, "--csv", "; one row for each threshold that was tried")
    group.add_argument(
        "--histograms", metavar="FILE", help="write histograms of the activations with and without these errors as CSV"
    )
    group = parser.add_argument_group("the training of fitact and proact")
    group.add_argument(
        "--bound-epochs", metavar="N", type=whole(1, 1000), default=5, help="at most, of each step (default: 5)"
    )
    option(group, "--most-loss", " (default: 1)", default=1.0)
    option(parser, "--seed")
    option(parser, "--images")
    option(parser, "--threads")
    option(parser, "--force")
    option(parser, "--quiet", ", no table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.campaign.sweep import Sweep
    from fat_fpga.faults.registry import DEFAULT_SWEPT
    from fat_fpga.file_kinds import ONNX, RANGES, csv_kind
    from fat_fpga.foreign_module import is_module
    from fat_fpga.hardening.ranges.analysis import HISTOGRAM_COLUMNS
    from fat_fpga.hardening.ranges.checkpoint import write_checkpoint, write_onnx
    from fat_fpga.hardening.ranges.text import CLIP_COLUMNS
    from fat_fpga.hardening.ranges.tune import with_ranges
    from fat_fpga.modules import ModuleSubject

    if not is_module(args.model):
        raise ModelError(
            f"clip takes a PyTorch module, module:PACKAGE:FACTORY, got {args.model}: activations of an integer network "
            "have a largest level already"
        )
    inputs = [path for path in (args.weights_file,) if path]
    path = check_output(args, args.output, RANGES, *inputs)
    if args.onnx:
        check_output(args, args.onnx, ONNX, *inputs, str(path))
    if args.csv:
        if args.restrict != SEARCHED:
            raise ModelError(f"--csv is of thresholds that were tried: {args.restrict} tries none")
        check_output(args, args.csv, csv_kind("thresholds that were tried", CLIP_COLUMNS), *inputs, str(path))
    if args.histograms:
        check_output(args, args.histograms, csv_kind("histograms", HISTOGRAM_COLUMNS), *inputs, str(path))
    if args.threads:
        import torch

        torch.set_num_threads(args.threads)
    sweep = Sweep(
        tuple(args.kinds or (DEFAULT_SWEPT,)), args.rates, args.samples,
        layers=tuple(args.layers) if args.layers else None, seed=args.seed or 0,
    )  # fmt: skip
    args.data = _validation(args.data)
    subject, data = load_subject(args, _look(sweep, args.restrict == SEARCHED))
    assert isinstance(subject, ModuleSubject)
    try:
        if args.histograms:
            _histograms(args, subject, data, sweep)
        ranges = _ranges(args, subject, data, sweep, path)
    except KeyboardInterrupt:
        print("fat-fpga: stopped; what was measured is saved, the same command continues", file=sys.stderr)
        return 130
    write_checkpoint(subject, ranges, path)
    print(f"wrote {path}: {ranges.words:,} bounds; --weights-file {path} takes it")
    if args.onnx:
        write_onnx(with_ranges(subject, ranges).module, subject.input.row, Path(args.onnx))
        print(f"wrote {args.onnx}")
    return 0


def _histograms(args: argparse.Namespace, subject: ModuleSubject, data: Dataset, sweep: Sweep) -> None:
    from fat_fpga.hardening.ranges.analysis import beyond_text, histograms, write_histograms
    from fat_fpga.hardening.ranges.profile import profile

    found = histograms(subject, data, sweep)
    write_histograms(found, Path(args.histograms))
    if not args.quiet:
        shape = profile(subject, data.images)
        print(beyond_text(found, {name: float(shape.layer(name)) for name in shape.neurons}))
        print(f"wrote {args.histograms}\n")


def _validation(spec: str) -> str:
    """The validation part, where nothing else is said."""
    from fat_fpga.datasets.part import split_spec

    found, part = split_spec(spec)
    return f"{spec}@val" if found == spec and part.split is None else spec


def _look(sweep: Sweep, searched: bool) -> Callable[[AnySubject], None]:
    """What is refused before the work begins."""
    from fat_fpga.modules import ModuleSubject

    def look(subject: AnySubject) -> None:
        from fat_fpga.hardening.ranges.profile import unbounded

        if searched and isinstance(subject, ModuleSubject):
            unbounded(subject.module)
            sweep.cells(subject)

    return look


def _ranges(args: argparse.Namespace, subject: ModuleSubject, data: Dataset, sweep: Sweep, path: Path) -> Ranges:
    from fat_fpga.hardening.ranges import rivals
    from fat_fpga.hardening.ranges.search import Rules
    from fat_fpga.hardening.ranges.text import areas_text, tuned_text, write_trials
    from fat_fpga.hardening.ranges.tune import tune

    if args.restrict == "ranger":
        return rivals.ranger(subject, data)
    if args.restrict == "weight-range":
        return rivals.weight_ranges(subject, data)
    if args.restrict in ("fitact", "proact"):
        training = rivals.BoundTraining(args.bound_epochs, loss=args.most_loss, seed=args.seed or 0)
        return (rivals.fitact if args.restrict == "fitact" else rivals.proact)(subject, data, training)

    def tell(name: str, threshold: float, area: float) -> None:
        if not args.quiet:
            print(f"{name}: threshold {threshold:.6g}, AUC {area:.4f}", file=sys.stderr, flush=True)

    rules = Rules(args.iterations, args.least, args.difference)
    record = path.with_name(f"{path.name}.record.json")
    tuned = tune(subject, data, sweep, rules=rules, axis=args.axis, record=record, tell=tell)
    if args.csv:
        write_trials(tuned, Path(args.csv))
    if not args.quiet:
        print(tuned_text(tuned))
        rows = {"unbounded": tuned.before, "every threshold ACT_max": tuned.at_largest, "tuned": tuned.after}
        print(f"\n{data.name}, {len(data):,} images, {sweep.samples} samples of each rate")
        print(areas_text(rows, sweep.rates, args.axis))
    return tuned.ranges
