"""``fat-fpga protect``: the cheapest measure for each layer, for one promised worst case."""

from __future__ import annotations

import argparse
from fractions import Fraction
from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from fat_fpga.cli import numbers
from fat_fpga.cli.goals import add_error_goals, add_front_goal
from fat_fpga.cli.options import add_model, option
from fat_fpga.cli.outputs import Outputs
from fat_fpga.cli.parser import Commands

if TYPE_CHECKING:
    from fat_fpga.boards import Board
    from fat_fpga.hardening.layerwise.problem import Problem

JUDGES = ("worst", "mean")
"""`fat_fpga.hardening.layerwise.evidence`, without numpy; a test compares them."""

EPILOG = """\
examples:
  fat-fpga protect net.onnx --folding 16x4,8x8,8x8 --without weights.run --with secded=ecc.run --worst-error 10
  fat-fpga protect net.onnx --folding f.json --without sat.run weights.run --with tmr=tmr.run secded=ecc.run --front
  fat-fpga protect net.onnx --folding f.json --without w.run --with parity=par.run clip=clip.run --worst-accuracy 90

measures, each with the runs that show what it does (several joined by +, as tmr+secded):
  secded  sweep of weights with --protect secded
  parity  sweep of weights with --protect parity --on-detect erase: a word found wrong is read as 0
  tmr     campaign or sweep of the network that plan --tmr and harden made: every channel three times, and voters
  clip    runs of the network with clipped activations (fat-fpga clip, quantise); in all layers or in none

Runs without measures say what is threatened: each kind of single fault, and each rate of errors, in each layer (sweeps
with --scope layer). The promise is about one threat in one layer at a time, outside of voters, on the runs' images.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "protect",
        help="which layers need ECC, parity, triplication or clipped activations",
        description="Choose the cheapest measure for each layer among codes over weight memories, triplication and\n"
        "clipped activations, so that no fault of the given runs leaves less accuracy than promised.",
        epilog=EPILOG,
    )
    add_model(parser)
    option(parser, "--folding", required=True)
    parser.add_argument("--without", metavar="RUN", nargs="+", required=True, help="runs without measures")
    parser.add_argument("--with", dest="having", metavar="MEASURES=RUN", nargs="+", default=[],
                        help="runs with measures: secded, parity, tmr, clip, or several joined by +")  # fmt: skip
    goal = parser.add_mutually_exclusive_group(required=True)
    add_error_goals(goal)
    add_front_goal(goal)
    parser.add_argument("--judge", choices=JUDGES, default=JUDGES[0], help="what counts of the samples of a rate: the "
                        "worst (default), or their mean")  # fmt: skip
    parser.add_argument("--up-to", metavar="RATE", type=numbers.decimal(0, 1, "a rate"),
                        help="leave errors at higher rates out")  # fmt: skip
    option(parser, "--board", ": what is chosen must fit")
    parser.add_argument("--bram-luts", metavar="N", type=numbers.decimal(0, 1e6, "a number of LUTs"),
                        help="LUTs that a block RAM of 18 Kbit counts as (default: as many as the part has for each, "
                        "190 without a part)")  # fmt: skip
    option(parser, "--json")
    option(parser, "--force")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.boards import BOARDS, board
    from fat_fpga.errors import PlanError
    from fat_fpga.file_kinds import json_kind
    from fat_fpga.hardening.layerwise.choose import choose, front
    from fat_fpga.hardening.layerwise.text import KEY, choice_text, front_text, write_choices_json

    pairs = [_pair(text) for text in args.having]
    inputs = [args.model, *args.without, *(path for _, path in pairs)]
    outputs = Outputs(args, inputs, json=json_kind("a choice of measures as JSON", KEY))
    part = board(args.board) if args.board else None
    counted = part or BOARDS[0]
    bram_luts = args.bram_luts if args.bram_luts is not None else float(round(counted.lut / counted.bram_18k))
    found = _problem(args, pairs, part)
    if args.front:
        chosen = front(found.options, bram_luts, found.limits)
        if not chosen:
            raise PlanError(_too_small(found))
        outputs.say(front_text(found, chosen, bram_luts))
    else:
        accuracy = 100 - args.worst_error if args.worst_error is not None else args.worst_accuracy
        target = Fraction(accuracy) * found.run.images / 100
        one = choose(found.options, target, bram_luts, found.limits)
        if one is None:
            raise PlanError(_refusal(found, accuracy, bram_luts))
        chosen = [one]
        outputs.say(choice_text(found, one, bram_luts))
    outputs.write("json", partial(write_choices_json, found, chosen, bram_luts))
    return 0


def _pair(text: str) -> tuple[str, str]:
    from fat_fpga.errors import PlanError

    measures, equals, path = text.partition("=")
    if not equals or not path:
        raise PlanError(f"--with takes MEASURES=RUN, as secded=ecc.run, got '{text}'")
    return measures, path


def _problem(args: argparse.Namespace, pairs: list[tuple[str, str]], part: Board | None) -> Problem:
    from fat_fpga.campaign import Run
    from fat_fpga.cli.model import load_model
    from fat_fpga.hardening.layerwise.measure import Measures, read_measures
    from fat_fpga.hardening.layerwise.problem import problem
    from fat_fpga.network.folding import read_folds

    runs: dict[Measures, list[Run]] = {}
    for name, path in pairs:
        runs.setdefault(read_measures(name), []).append(Run.open(path))
    network = load_model(args)
    folds = read_folds(args.folding, network.units, network.name)
    without = [Run.open(path) for path in args.without]
    return problem(network, folds, without, list(runs.items()), args.judge, args.up_to, part)


def _refusal(found: Problem, accuracy: Fraction, bram_luts: float) -> str:
    """Why a worst case cannot be had, and the nearest that can."""
    from fat_fpga.hardening.layerwise.choose import highest

    best = highest(found.options, bram_luts, found.limits)
    if best is None:
        return _too_small(found)
    error = ceil(10**6 * 100 * (1 - best.worst / found.run.images))
    layer = min(best.options, key=lambda name: best.options[name].worst)
    return (
        f"{float(accuracy):.2f} % right in the worst case cannot be had with these measures"
        f"{f' on {found.board.name}' if found.board else ''}: {layer} has no better one; nearest possible: "
        f"--worst-error {f'{error / 10**6:.6f}'.rstrip('0').rstrip('.')}"
    )


def _too_small(found: Problem) -> str:
    assert found.board is not None
    return f"the network does not fit {found.board.name} with any of these measures, nor without: take a larger part"
