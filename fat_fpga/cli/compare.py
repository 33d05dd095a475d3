"""``fat-fpga compare``: several runs side by side."""

from __future__ import annotations

import argparse
from functools import partial

from fat_fpga.cli.options import option
from fat_fpga.cli.outputs import Outputs, add_outputs
from fat_fpga.cli.parser import Commands

EPILOG = """\
examples:
  fat-fpga compare sat.run fat.run
  fat-fpga compare sat.run fat.run drop.run --names SAT,FAT,Dropout2D --figures compared --csv compared.csv

The runs must be on the same images. Runs with different kinds of faults may be mixed: each kind has its own table.
Unfinished runs take part with the faults that are done, and are marked.
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
    from fat_fpga.file_kinds import csv_kind, json_kind
    from fat_fpga.reports import (
        COMPARISON_COLUMNS,
        COMPARISON_FIGURES,
        compare,
        comparison_text,
        write_comparison_csv,
        write_comparison_figures,
        write_comparison_json,
    )

    runs = [Run.open(path) for path in args.run_files]
    comparison = compare(runs, args.names, allow_different_data=args.allow_different_data)
    outputs = Outputs(
        args,
        args.run_files,
        csv_kind("a comparison as CSV", COMPARISON_COLUMNS),
        json_kind("a comparison as JSON", "runs"),
        COMPARISON_FIGURES,
    )
    outputs.say(comparison_text(comparison))
    outputs.write("csv", partial(write_comparison_csv, comparison))
    outputs.write("json", partial(write_comparison_json, comparison))
    outputs.draw(partial(write_comparison_figures, comparison))
    return 0
