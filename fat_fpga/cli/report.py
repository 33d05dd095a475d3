"""``fat-fpga report``: tables and figures of a run."""

from __future__ import annotations

import argparse

from fat_fpga.cli.parser import Commands

EPILOG = """\
examples:
  fat-fpga report cnv.run
  fat-fpga report cnv.run --figures report --csv cnv.csv --json cnv.json

Works while a campaign runs and after one was stopped: it says then how many faults the figures are over.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "report",
        help="tables and figures of a run",
        description="Accuracy under fault for each layer and stuck value, and the most critical places.",
        epilog=EPILOG,
    )
    parser.add_argument("run_file", metavar="RUN", help="run file of fat-fpga campaign")
    parser.add_argument("--csv", metavar="FILE", help="write one row for each fault")
    parser.add_argument("--json", metavar="FILE", help="write the whole report for other programs")
    parser.add_argument("--parquet", metavar="FILE", help="write one row for each fault, with types, for data frames")
    parser.add_argument("--figures", metavar="DIR", help="draw the figures as PNG, SVG and PDF")
    parser.add_argument("--top", metavar="N", type=int, default=10, help="so many of the most critical (default: 10)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.campaign import Run
    from fat_fpga.errors import CampaignError
    from fat_fpga.files import check_writable, make_folder
    from fat_fpga.reports import check_parquet, report_text, write_csv, write_figures, write_json, write_parquet

    if args.top < 1:
        raise CampaignError(f"--top must be at least 1, got {args.top}")
    found = Run.open(args.run_file)
    for path in filter(None, (args.csv, args.json, args.parquet)):
        check_writable(path, args.run_file)
    if args.parquet:
        check_parquet()
    if args.figures:
        make_folder(args.figures)
    print(report_text(found, args.top))
    if args.csv:
        write_csv(found, args.csv)
    if args.json:
        write_json(found, args.json, args.top)
    if args.parquet:
        write_parquet(found, args.parquet)
    if args.figures:
        written = write_figures(found, args.figures)
        print(f"\nfigures: {', '.join(str(path) for path in written if path.suffix == '.png')} (and .svg, .pdf)")
    return 0
