"""``fat-fpga safety``: failure rates, SPFM, LFM, PMHF and an FMEDA table from campaigns."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from fat_fpga.cli.options import option
from fat_fpga.cli.outputs import Outputs
from fat_fpga.cli.parser import Commands

EPILOG = """\
examples:
  fat-fpga safety --template fit.toml --board Pynq-Z1
  fat-fpga safety weights.run --fit fit.toml
  fat-fpga safety weights.run channels.run --fit fit.toml --csv fmeda.csv --json safety.json
  fat-fpga safety channels.run --fit fit.toml --resources estimates.json --xlsx fmeda.xlsx
  fat-fpga safety sweep.run --fit fit.toml

Each layer and kind of fault of the runs is a row of the table. Runs are of one network, finished: campaigns on all
faults of a space or on a sample, and sweeps with --scope layer or structure; the intervals carry the error of the
sample. --template writes a FIT file to fill in.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "safety",
        help="failure rates, SPFM, LFM, PMHF and an FMEDA table from campaigns",
        description="Safety metrics of ISO 26262-5 and IEC 61508 from failure rates of the structures of an FPGA and\n"
        "the shares of faults that violate the goal, which campaigns give. What is not modelled is told.",
        epilog=EPILOG,
    )
    parser.add_argument("run_files", metavar="RUN", nargs="*", help="run files of campaigns and sweeps, of one network")
    parser.add_argument("--fit", metavar="FILE", help="failure rates, mechanisms and goal, a TOML file")
    parser.add_argument("--template", metavar="FILE", help="write a FIT file to fill in, and do nothing else")
    option(parser, "--board", "; with --template, told at its head")
    parser.add_argument("--resources", metavar="FILE", help="LUTs of each layer, for the bits behind channels and PEs: "
                        "the --json of fat-fpga finn estimate, or {\"conv0\": 1234}")  # fmt: skip
    option(parser, "--csv", "; the FMEDA table, a row for each element")
    parser.add_argument("--xlsx", metavar="FILE", help="write the FMEDA table as XLSX; needs openpyxl")
    option(parser, "--json")
    option(parser, "--force")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.boards import board
    from fat_fpga.campaign import Run
    from fat_fpga.cli.outputs import check_output
    from fat_fpga.errors import SafetyError
    from fat_fpga.file_kinds import FIT, XLSX, csv_kind, json_kind
    from fat_fpga.safety import (
        assess,
        read_fit,
        read_resources,
        safety_text,
        write_fmeda,
        write_safety_json,
        write_template,
    )
    from fat_fpga.safety.table import COLUMNS

    if args.template:
        if args.run_files or args.fit:
            raise SafetyError("--template writes a file to fill in: leave runs and --fit out")
        write_template(check_output(args, args.template, FIT), board(args.board) if args.board else None)
        print(f"FIT file to fill in: {args.template}")
        return 0
    if args.board:
        raise SafetyError("--board is for --template: rates in a FIT file are of its part already")
    if not args.run_files or not args.fit:
        raise SafetyError("give at least one RUN and --fit FILE; --template FILE writes a FIT file to fill in")
    inputs = [*args.run_files, args.fit, *filter(None, [args.resources])]
    outputs = Outputs(args, inputs, csv_kind("an FMEDA table as CSV", COLUMNS), json_kind("safety metrics", "safety"))
    if args.xlsx:
        if Path(args.xlsx).suffix.lower() != ".xlsx":
            raise SafetyError(f"--xlsx writes a file whose name ends in .xlsx, got {args.xlsx}")
        check_output(args, args.xlsx, XLSX, *inputs)
    luts = read_resources(args.resources) if args.resources else None
    found = assess([Run.open(path) for path in args.run_files], read_fit(args.fit), luts)
    outputs.say(safety_text(found))
    outputs.write("csv", partial(write_fmeda, found))
    outputs.write("json", partial(write_safety_json, found))
    if args.xlsx:
        write_fmeda(found, args.xlsx)
    return 0
