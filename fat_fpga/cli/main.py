"""From the command line to a sub-command, and from an error to one line and an exit code.

Exit codes: 0 done, 2 bad input (one line on standard error says what and what to do), 130 stopped with Ctrl-C,
141 the reader of standard output went away.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from fat_fpga import __version__
from fat_fpga.cli import (
    board,
    campaign,
    check,
    clip,
    compare,
    crosscheck,
    demo,
    energy,
    experiment,
    export,
    faults,
    finn,
    harden,
    info,
    inject,
    models,
    plan,
    protect,
    quantise,
    report,
    safety,
    sizes,
    sweep,
    trace,
    train,
    verify,
)
from fat_fpga.cli.completion import PrintCompletion
from fat_fpga.cli.fault_arguments import joined
from fat_fpga.cli.interrupts import CODE, Interrupts
from fat_fpga.cli.log import LOG, add_log_arguments, logged
from fat_fpga.cli.parser import Parser
from fat_fpga.cli.standard_output import leaving, prepare_output
from fat_fpga.errors import CampaignWarning, FatFpgaError, FaultWarning, ModelWarning
from fat_fpga.extras import advice
from fat_fpga.one_line import one_line

NOTES = (ModelWarning, FaultWarning, CampaignWarning)
"""Warnings that are shown as notes."""

COMMANDS = {
    "run" if module is experiment else module.__name__.rpartition(".")[2]: module
    for module in (
        check, campaign, sweep, experiment, report, safety, compare, plan, protect, harden, verify, clip, energy, sizes,
        info, faults, demo, crosscheck, inject, trace, board, finn, train, quantise, export, models,
    )
}  # fmt: skip
"""Modules by the name of their command, in the order of the help."""

EXTRAS = {"torch": "train", "brevitas": "train"}
"""Optional packages, and the extra of fat_fpga that brings them."""

EPILOG = """\
the main job:
  fat-fpga check model.onnx --data cifar10:DIR
  fat-fpga campaign model.onnx --data cifar10:DIR -o model.run
  fat-fpga report model.run --figures report

try it, needs no files of yours:
  fat-fpga demo
"""


def build_parser(only: str | None = None) -> Parser:
    """The parser with every sub-command, or with one alone: all of them take 15 ms to build."""
    parser = Parser(
        prog="fat-fpga",
        description="How bad can one hardware fault get in a quantised neural network on an FPGA? Exact answers.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"fat-fpga {__version__}")
    add_log_arguments(parser)
    parser.add_argument("--completion", action=PrintCompletion)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        if only in (None, name):
            command.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Unreadable arguments leave through SystemExit(2), as in argparse."""
    with Interrupts(whole=argv is None):
        return _main(argv)
    return CODE


def _main(argv: Sequence[str] | None) -> int:
    arguments = joined(sys.argv[1:] if argv is None else argv)
    prepare_output()
    return leaving(partial(_parse_and_run, arguments))


def _parse_and_run(arguments: Sequence[str]) -> int:
    if not arguments:
        build_parser().print_help()
        return 0
    args = build_parser(arguments[0] if arguments[0] in COMMANDS else None).parse_args(arguments)
    with warnings.catch_warnings():
        for note in NOTES:
            warnings.simplefilter("always", note)
        warnings.showwarning = _notes(warnings.showwarning)
        try:
            with logged(args, arguments):
                return run_arguments(args)
        except OSError as error:
            if error.filename != args.log_file or not args.log_file:
                raise
            return _complain(f"the log cannot be written: {error.strerror}: {error.filename}")


def run_arguments(args: argparse.Namespace) -> int:
    """Run one command whose arguments are read; errors are told in one line, exit code 2."""
    try:
        return int(args.run(args))
    except FatFpgaError as error:
        return _complain(str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return _complain(f"{error.strerror or error}{where}")
    except MemoryError:
        return _complain("this needs more memory than this machine, or its limits, have: take fewer images or faults")
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        return _complain(f"this needs the package {error.name}: {advice(extra)}")


def _notes(otherwise: Callable[..., None]) -> Callable[..., None]:
    """Shows what a user should know in one line, and any other warning as it would be shown ``otherwise``."""

    def show(message: Warning | str, category: type[Warning], *where: Any, **options: Any) -> None:
        if issubclass(category, NOTES):
            print("fat-fpga: note:", one_line(str(message)), file=sys.stderr)
            LOG.info("note: %s", message)
        else:
            otherwise(message, category, *where, **options)

    return show


def _complain(message: str) -> int:
    LOG.debug("error", exc_info=True)
    print("fat-fpga:", one_line(message), file=sys.stderr)
    return 2
