"""Completion of commands and options in a shell, by shtab."""

from __future__ import annotations

import argparse

from fat_fpga.cli.parser import Derived
from fat_fpga.extras import advice, installed

SHELLS = ("bash", "zsh", "tcsh")


class PrintCompletion(argparse.Action):
    """Prints the script for a shell, and ends."""

    def __init__(self, option_strings: list[str], dest: str, **rest: object) -> None:
        super().__init__(
            option_strings, argparse.SUPPRESS, choices=SHELLS, metavar="SHELL", default=argparse.SUPPRESS,
            help="print what completes commands and options in bash, zsh or tcsh, and end; needs shtab",
        )  # fmt: skip

    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        if not installed("shtab"):
            parser.error(f"completion needs the package shtab: {advice('completion')}")
        import shtab

        spell_out(parser)
        print(shtab.complete(parser, str(rest[1])))
        parser.exit(0)


def spell_out(parser: argparse.ArgumentParser) -> None:
    """Make help that is made when it is printed."""
    for action in parser._actions:
        if isinstance(action.help, Derived):
            action.help = action.help.make().replace("%", "%%")
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                spell_out(command)
