"""``fat-fpga sizes``: the fewest parameters with which a network stands faulty computations; its sub-commands."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from fat_fpga.cli.numbers import count, decimal
from fat_fpga.cli.options import option, output
from fat_fpga.cli.outputs import Outputs
from fat_fpga.cli.parser import Commands, Parser, names, sub_command

EPILOG = """\
examples:
  fat-fpga sizes search --family mlp --data mnist:data -o mlps
  fat-fpga sizes search --family cnn --data mnist:data --trials 60 --deviations uniform -o cnns
  fat-fpga sizes show mlps
  fat-fpga sizes show cnns more_cnns --targets 2,2.3,2.6 --figures figures --csv needs.csv

mlp-L-N has L hidden layers of N neurons. cnn-L-C-P-F has L convolutions of CxC, F channels and pools of PxP (1: none),
and a hidden layer of 200. Results of the layers deviate before the activation: uniform makes one any other value,
erase makes it 0. Optuna chooses the networks. Stop with Ctrl-C: the same command goes on where it was.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "sizes",
        help="the fewest parameters with which a network stands faulty computations",
        description="Train networks of many sizes, measure them under deviations of their computations, and show\n"
        "how many parameters an error needs at each rate.",
        epilog=EPILOG,
    )
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    own = _sub(inner, "search", "train and measure networks")
    own.add_argument("--family", choices=("mlp", "cnn"), required=True, help="of the networks")
    option(own, "--data", "; both parts are used", required=True)
    output(own, "DIR", "folder of the search, made or continued", required=True)
    own.add_argument("--trials", metavar="N", type=count, default=30, help="so many networks (default: 30)")
    own.add_argument("--depths", metavar="A:B", type=_span, help="least and most L (default: 1:5, of CNNs 1:3)")
    own.add_argument(
        "--widths", metavar="A:B", type=_span,
        help="least and most N of MLPs (default: 50:1000), F of CNNs (default: 4:64)",
    )  # fmt: skip
    own.add_argument("--kernels", metavar="C[,C]", type=_sides, help="of CNNs, in pixels (default: 3,5)")
    own.add_argument("--pools", metavar="P[,P]", type=_sides, help="of CNNs, in pixels; 1 is none (default: 1,2)")
    option(own, "--rates", " (default: 5e-4,1e-3,2e-3,5e-3)", default="5e-4,1e-3,2e-3,5e-3")
    own.add_argument(
        "--deviations", metavar="A[,B]", type=names, default=["uniform", "erase"],
        help="uniform, erase (default: both)",
    )  # fmt: skip
    own.add_argument("--result-format", metavar="QM.N", default="Q3.13", help="of the results (default: Q3.13)")
    option(own, "--samples", " (default: 1; each draws anew for each image)", default=1)
    option(own, "--epochs", " (default: 15)", default=15)
    option(own, "--precision", default="float32")
    option(own, "--seed")
    option(own, "--images", " of each part, to try it out")
    option(own, "--quiet")
    own.set_defaults(run=run_search)
    own = _sub(inner, "show", "show what each error needs")
    own.add_argument("folders", metavar="DIR", nargs="+", help="folder of a search; several of one family as one")
    own.add_argument(
        "--targets", metavar="E[,E]", type=_targets,
        help="errors that are to be reached, in percent (default: six from the best one on)",
    )  # fmt: skip
    for name, more in (
        ("--csv", "; one row for each deviation, target and rate"),
        ("--figures", ""),
        ("--format", ""),
        ("--force", ""),
    ):
        option(own, name, more)
    own.set_defaults(run=run_show)


def _sub(inner: Commands, command: str, what: str) -> Parser:
    return sub_command(inner, f"sizes {command}", what, f"{what.capitalize()}.", EPILOG)


def _span(text: str) -> tuple[int, int]:
    low, _, high = text.partition(":")
    return count(low), count(high or low)


def _sides(text: str) -> tuple[int, ...]:
    return tuple(count(part) for part in text.split(","))


def _targets(text: str) -> tuple[float, ...]:
    read = decimal(0, 100, "an error in percent")
    return tuple(sorted(read(part) for part in text.split(",")))


def run_search(args: argparse.Namespace) -> int:
    from fat_fpga.sizes import Question, Space, search
    from fat_fpga.sizes.table import line
    from fat_fpga.training.parts import load_parts

    question = Question(
        args.rates,
        tuple(args.deviations),
        args.result_format,
        args.samples,
        args.epochs,
        args.seed or 0,
        precision=args.precision,
    )
    asked = {"layers": args.depths, "width": args.widths, "kernels": args.kernels, "pools": args.pools}
    space = replace(Space.of(args.family), **{name: value for name, value in asked.items() if value})
    train_set, test_set = load_parts(args.data, args.images, (1, 28, 28))
    try:
        found = search(space, train_set, test_set, question, Path(args.output), args.trials, not args.quiet)
        for number, one in enumerate(found, start=1):
            print(f"{number}/{args.trials} {line(one)}", flush=True)
    except KeyboardInterrupt:
        print(f"fat-fpga: stopped; what is finished is in {args.output}, the same command goes on", file=sys.stderr)
        return 130
    print(f"next: fat-fpga sizes show {args.output}")
    return 0


def run_show(args: argparse.Namespace) -> int:
    from fat_fpga.file_kinds import csv_kind
    from fat_fpga.sizes import needs, read_folders
    from fat_fpga.sizes.figures import write_figures
    from fat_fpga.sizes.measuring import DEVIATIONS
    from fat_fpga.sizes.table import COLUMNS, default_targets, needs_text, rates_of, write_csv

    outputs = Outputs(args, csv=csv_kind("parameters that errors need", COLUMNS), figures=("error", "needs"))
    measured = read_folders([Path(folder) for folder in args.folders])
    rates = {name: rates_of(measured, name) for name in DEVIATIONS if all(name in one.errors for one in measured)}
    targets = args.targets or default_targets(measured)
    outputs.say(f"{len(measured)} networks, {measured[0].candidate.kind}")
    rows = []
    for deviation, own in rates.items():
        found = needs(measured, deviation, own, targets)
        outputs.say(f"\n{needs_text(deviation, found)}")
        rows += [(deviation, need) for need in found]
    outputs.write("csv", partial(write_csv, rows))
    outputs.draw(partial(write_figures, measured, rates, targets))
    return 0
