"""``fat-fpga report``: tables and figures of a run."""

from __future__ import annotations

import argparse
from functools import partial

from fat_fpga.cli.options import option
from fat_fpga.cli.outputs import Outputs, add_outputs
from fat_fpga.cli.parser import Commands

EPILOG = """\
examples:
  fat-fpga report cnv.run
  fat-fpga report cnv.run --figures report --csv cnv.csv --json cnv.json
  fat-fpga report cnv.run --figures report --format png
  fat-fpga report cnv.run --json - | python3 -m json.tool

Works while a campaign runs and after one was stopped: it says then how many faults the figures are over.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "report",
        help="tables and figures of a run",
        description="Accuracy under fault for each layer and stuck value, and the most critical places.",
        epilog=EPILOG,
    )
    parser.add_argument("run_file", metavar="RUN", help="run file of fat-fpga campaign or sweep")
    add_outputs(parser, csv="fault")
    option(parser, "--parquet")
    option(parser, "--top", " (default: 10)", default=10)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.campaign import Run
    from fat_fpga.file_kinds import PARQUET, csv_kind, json_kind
    from fat_fpga.reports import (
        FIGURES,
        SWEEP_FIGURES,
        check_parquet,
        report_text,
        write_csv,
        write_figures,
        write_json,
        write_parquet,
    )  # fmt: skip
    from fat_fpga.reports.csv_file import csv_columns
    from fat_fpga.reports.moved import refuse_values

    found = Run.open(args.run_file)
    if args.figures:
        refuse_values(found, "--figures")
    outputs = Outputs(
        args,
        [args.run_file],
        csv_kind("a report as CSV", csv_columns(found)),
        json_kind("a report as JSON", "network"),
        (*FIGURES, *SWEEP_FIGURES),
        PARQUET,
    )
    if args.parquet:
        check_parquet()
    outputs.say(report_text(found, args.top))
    outputs.write("csv", partial(write_csv, found))
    outputs.write("json", partial(write_json, found, top=args.top))
    outputs.write("parquet", partial(write_parquet, found))
    outputs.draw(partial(write_figures, found))
    return 0
