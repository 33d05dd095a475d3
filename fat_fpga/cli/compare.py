"""``fat-fpga compare``: several runs side by side."""

from __future__ import annotations

import argparse

from fat_fpga.cli.parser import Commands, names

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
    parser.add_argument(
        "--names", metavar="A,B", type=names, help="what to call the runs (default: the names of their networks)"
    )
    parser.add_argument("--csv", metavar="FILE", help="write one row for each run and kind of fault")
    parser.add_argument("--json", metavar="FILE", help="write the whole comparison for other programs")
    parser.add_argument("--figures", metavar="DIR", help="draw the figures as PNG, SVG and PDF")
    parser.add_argument(
        "--allow-different-data", action="store_true", help="compare runs on different images nevertheless"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.campaign import Run
    from fat_fpga.files import check_writable, make_folder
    from fat_fpga.reports import (
        compare,
        comparison_text,
        write_comparison_csv,
        write_comparison_figures,
        write_comparison_json,
    )

    runs = [Run.open(path) for path in args.run_files]
    comparison = compare(runs, args.names, allow_different_data=args.allow_different_data)
    for path in filter(None, (args.csv, args.json)):
        check_writable(path, *args.run_files)
    if args.figures:
        make_folder(args.figures)
    print(comparison_text(comparison))
    if args.csv:
        write_comparison_csv(comparison, args.csv)
    if args.json:
        write_comparison_json(comparison, args.json)
    if args.figures:
        written = write_comparison_figures(comparison, args.figures)
        print(f"\nfigures: {', '.join(str(path) for path in written if path.suffix == '.png')} (and .svg, .pdf)")
    return 0
