"""``fat-fpga report``: tables and figures of a run."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from fat_fpga.cli import numbers
from fat_fpga.cli.options import option
from fat_fpga.cli.outputs import Outputs, add_outputs
from fat_fpga.cli.parser import Commands
from fat_fpga.cli.subject import add_module_arguments

if TYPE_CHECKING:
    from fat_fpga.campaign import Run
    from fat_fpga.interactive.details import Subject

EPILOG = """\
examples:
  fat-fpga report cnv.run
  fat-fpga report cnv.run --figures report --csv cnv.csv --json cnv.json
  fat-fpga report cnv.run --figures report --format png
  fat-fpga report cnv.run --html report.html
  fat-fpga report cnv.run --html report.html --model cnv.onnx --data cifar10:data --folding bnn-pynq
  fat-fpga report sat.run --html report.html --against fat.run
  fat-fpga report cnv.run --fail-under 60
  fat-fpga report outcomes.run --fail-under 60,class=30 --fail-over sdc1=0.5
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
    parser.add_argument(
        "--fail-under",
        metavar="LIMIT[,LIMIT]",
        type=numbers.least,
        help="exit with 1 where the worst fault, or for outcomes all faults together, are under a limit, for CI: P is "
        "percent of the images right; top5=P, class=P (the class that suffers most), masked=P, detected=P",
    )
    parser.add_argument(
        "--fail-over",
        metavar="LIMIT[,LIMIT]",
        type=numbers.largest,
        help="likewise over a limit: cost=C (mean cost of an image), sdc1=P, sdc5=P, critical=P and other outcome "
        "classes, in percent of all pairs of fault and image",
    )
    option(parser, "--track")
    group = parser.add_argument_group("the interactive report")
    option(group, "--html")
    group.add_argument("--against", metavar="RUN", help="another run to compare with")
    option(group, "--folding", ", for channels by PE and for what plans cost")
    option(group, "--model", " of the campaign: with --data it shows what the most critical faults do inside")
    option(group, "--data")
    option(group, "--roi")
    group.add_argument(
        "--details",
        metavar="N",
        type=numbers.count,
        default=20,
        help="so many of the most critical faults are looked at with the model (default: 20)",
    )
    for name in ("--pixels", "--normalise", "--outputs", "--image-shape"):
        option(group, name)
    add_module_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.campaign import Run
    from fat_fpga.campaign.gate import verdicts
    from fat_fpga.file_kinds import HTML, PARQUET, csv_kind, json_kind
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
    from fat_fpga.reports.tracked import track
    from fat_fpga.tracking import check_trackers

    _check_html_options(args)
    check_trackers(args.track or ())
    found = Run.open(args.run_file)
    if args.figures:
        refuse_values(found, "--figures")
    judged = verdicts(found, under=args.fail_under, over=args.fail_over) if args.fail_under or args.fail_over else []
    outputs = Outputs(
        args,
        [args.run_file, *filter(None, [args.against, args.model])],
        csv_kind("a report as CSV", csv_columns(found)),
        json_kind("a report as JSON", "network"),
        (*FIGURES, *SWEEP_FIGURES),
        PARQUET,
        HTML,
    )
    if args.parquet:
        check_parquet()
    html = None
    if args.html:
        from fat_fpga.interactive import check_html, write_html

        check_html()
        html = partial(
            write_html,
            found,
            against=Run.open(args.against) if args.against else None,
            subject=_subject(args, found),
            folding=args.folding,
            details_of=args.details,
        )
    outputs.say(report_text(found, args.top))
    outputs.write("csv", partial(write_csv, found))
    outputs.write("json", partial(write_json, found, top=args.top))
    outputs.write("parquet", partial(write_parquet, found))
    outputs.draw(partial(write_figures, found))
    if html is not None:
        outputs.write("html", html)
        outputs.say(f"\ninteractive report: {args.html}")
    track(found, args.track or ())
    if judged:
        outputs.say("\n" + "\n".join(verdict.text for verdict in judged))
    return 0 if all(verdict.held for verdict in judged) else 1


def _check_html_options(args: argparse.Namespace) -> None:
    """FatFpgaError for an option of the interactive report without it, and for a model without data."""
    from fat_fpga.errors import FatFpgaError

    for name in ("against", "folding", "model", "data"):
        if getattr(args, name) is not None and not args.html:
            raise FatFpgaError(f"--{name} is for the interactive report: give --html FILE, too")
    if (args.model is None) != (args.data is None):
        raise FatFpgaError("--model and --data belong together: the model is executed on the images of the campaign")


def _subject(args: argparse.Namespace, run: Run) -> Subject | None:
    """The network and the data of the campaign, where they are given."""
    from fat_fpga.cli.subject import load_subject
    from fat_fpga.interactive.details import Subject

    if args.model is None:
        return None
    args.images = run.images
    return Subject(*load_subject(args))
