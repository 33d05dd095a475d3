"""``fat-fpga run``: campaign, reports, plan and safety table of one file."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.cli.parser import Commands

if TYPE_CHECKING:
    from fat_fpga.cli.experiment_file import Step
    from fat_fpga.faults import AnyFault

EPILOG = """\
examples:
  fat-fpga run experiment.toml
  fat-fpga run experiment.toml --dry-run

A file has a table for each step: [campaign] or [sweep], then [report], [plan], [safety]. Its entries are the options of
that command, and model. Files are looked for in the folder of the experiment file. A run that is there is continued.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "run",
        help="campaign, reports, plan and safety table of an experiment file",
        description="Do what an experiment file says, step by step; the first step that fails ends it.",
        epilog=EPILOG,
    )
    parser.add_argument("experiment", metavar="FILE", help="experiment file, TOML")
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would be done, how many faults, and about how long it takes"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.cli.experiment_file import read_experiment
    from fat_fpga.cli.main import build_parser, run_arguments

    steps = read_experiment(args.experiment)
    text = Path(args.experiment).read_text(encoding="utf-8")
    with _inside(Path(args.experiment).parent):
        parser = build_parser()
        parsed = [parser.parse_args(step.arguments) for step in steps]  # all of them, before the first is done
        for step, arguments in zip(steps, parsed, strict=True):
            print(f"$ fat-fpga {shlex.join(step.arguments)}", flush=True)
            if args.dry_run:
                _tell(step, arguments)
                continue
            arguments.experiment_text = text
            code = run_arguments(arguments)
            if code:
                return code
    return 0


def _tell(step: Step, args: argparse.Namespace) -> None:
    """How many faults a campaign or a sweep has, and about how long it takes."""
    from fat_fpga.cli.campaign import faults_of
    from fat_fpga.cli.counting import counting_of
    from fat_fpga.cli.forecast import forecast
    from fat_fpga.cli.model import get_engine
    from fat_fpga.cli.subject import engine_name, load_subject

    faults: Sequence[AnyFault]
    more: tuple[str, ...] = ()
    if step.command == "sweep":
        from fat_fpga.cli.sweep import sweep_of
        from fat_fpga.engines.counts import ERRORS, HITS

        sweep = sweep_of(args)
        network, data = load_subject(args, lambda found: sweep.cells(found.fault_free))
        faults, more = sweep.patterns(network.fault_free), (ERRORS, HITS)
        what = f"{'up to ' if sweep.until is not None else ''}{len(faults):,} samples"
    elif step.command == "campaign" and args.margin is None:
        network, data = load_subject(args)
        faults = faults_of(args, network, len(data.images)).faults
        what = f"{len(faults):,} faults"
    else:
        return
    session = get_engine(args, engine_name(args)).open(network)
    seconds = forecast(session, data, faults, (*counting_of(args, data.classes), *more))
    print(f"  {what} x {len(data.images):,} images, about {_length(seconds)}")


def _length(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    whole = max(1, round(seconds))
    return f"{whole} second{'' if whole == 1 else 's'}"


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Makes a folder the working directory for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
