"""``fat-fpga compare``: several runs side by side."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fat_fpga.cli.options import option
from fat_fpga.cli.outputs import Outputs, add_outputs
from fat_fpga.cli.parser import Commands

if TYPE_CHECKING:
    from fat_fpga.campaign import Run
    from fat_fpga.file_kinds import FileKind

EPILOG = """\
examples:
  fat-fpga compare sat.run fat.run
  fat-fpga compare sat.run fat.run drop.run --names SAT,FAT,Dropout2D --figures compared --csv compared.csv

The runs must be on the same images. Runs with different kinds of faults may be mixed: each kind has its own table.
Unfinished runs take part with the faults that are done, and are marked. Sweeps are compared with sweeps: the rates that
each tolerates, curve by curve.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "compare",
        help="several runs side by side: which network is more tolerant",
        description="Error-free, minimum, maximum, mean and variance of accuracy of each run, its worst fault,\n"
        "and the minimum of each layer, for each kind of fault.",
        epilog=EPILOG,
    )
    parser.add_argument("run_files", metavar="RUN", nargs="+", help="run files of fat-fpga campaign, at least two")
    option(parser, "--names")
    add_outputs(parser, csv="run and kind of fault")
    parser.add_argument(
        "--allow-different-data", action="store_true", help="compare runs on different images nevertheless"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.campaign import Run
    from fat_fpga.file_kinds import json_kind
    from fat_fpga.reports import are_sweeps

    runs = [Run.open(path) for path in args.run_files]
    found = (_sweeps if are_sweeps(runs) else _campaigns)(args, runs)
    outputs = Outputs(args, args.run_files, found.csv, json_kind("a comparison as JSON", "runs"), found.figures)
    outputs.say(found.text)
    outputs.write("csv", found.write_csv)
    outputs.write("json", found.write_json)
    outputs.draw(found.draw)
    return 0


class _Compared(NamedTuple):
    """Runs side by side, and how they are written."""

    text: str
    csv: FileKind
    figures: Iterable[str]
    write_csv: Callable[[Path], object]
    write_json: Callable[[Path], object]
    draw: Callable[[Path, Sequence[str]], Sequence[Path]]


def _campaigns(args: argparse.Namespace, runs: Sequence[Run]) -> _Compared:
    from fat_fpga.file_kinds import csv_kind
    from fat_fpga.reports import (
        COMPARISON_FIGURES,
        compare,
        comparison_text,
        write_comparison_csv,
        write_comparison_figures,
        write_comparison_json,
    )
    from fat_fpga.reports.comparison_files import comparison_columns
    from fat_fpga.reports.moved import refuse_values

    comparison = compare(runs, args.names, allow_different_data=args.allow_different_data)
    if args.figures:
        refuse_values(runs[0], "--figures")
    return _Compared(
        comparison_text(comparison),
        csv_kind("a comparison as CSV", comparison_columns(runs)),
        COMPARISON_FIGURES,
        partial(write_comparison_csv, comparison),
        partial(write_comparison_json, comparison),
        partial(write_comparison_figures, comparison),
    )


def _sweeps(args: argparse.Namespace, runs: Sequence[Run]) -> _Compared:
    from fat_fpga.file_kinds import csv_kind
    from fat_fpga.reports import (
        SWEEP_COMPARISON_COLUMNS,
        SWEEP_COMPARISON_FIGURES,
        compare_sweeps,
        sweep_comparison_text,
        write_sweep_comparison_csv,
        write_sweep_comparison_figures,
        write_sweep_comparison_json,
    )

    found = compare_sweeps(runs, args.names, allow_different_data=args.allow_different_data)
    return _Compared(
        sweep_comparison_text(found),
        csv_kind("a comparison of sweeps as CSV", SWEEP_COMPARISON_COLUMNS),
        SWEEP_COMPARISON_FIGURES,
        partial(write_sweep_comparison_csv, found),
        partial(write_sweep_comparison_json, found),
        partial(write_sweep_comparison_figures, found),
    )
