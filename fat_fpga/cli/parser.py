"""Argument parsing that complains in one line, and pieces that several commands share."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from fat_fpga.one_line import one_line

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Parser"]
else:
    Commands = Any

FORMATS = ("png", "svg", "pdf")
"""Of figures."""


class Derived(str):
    """Help of an argument that is made when it is printed, from what registers itself elsewhere.

    Args:
        make: gives the text; it may import what a command line must not import before it is asked for.
    """

    make: Callable[[], str]

    def __new__(cls, make: Callable[[], str]) -> Derived:
        text = super().__new__(cls, "derived")
        text.make = make
        return text

    def __add__(self, more: str) -> Derived:
        return Derived(lambda: self.make() + more)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help.make() if isinstance(action.help, Derived) else action.help


class Parser(argparse.ArgumentParser):
    """Keeps the line breaks of descriptions and epilogs, and reports an error in one line with exit code 2."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(formatter_class=_Formatter, allow_abbrev=False, **arguments)

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """As argparse, but ``--option=--`` is no empty list."""
        if arg_strings == ["--"] and action.option_strings:
            raise argparse.ArgumentError(action, "expected a value, got '--'")
        return super()._get_values(action, arg_strings)

    def error(self, message: str) -> NoReturn:
        found = re.match(r"argument (\S+): invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if found:
            near = get_close_matches(found[2], re.findall(r"[\w-]+", found[3]), 1)
            message += f": did you mean {near[0]}?" if near else ""
        print(f"fat-fpga: {one_line(message)} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def sub_command(inner: Commands, name: str, what: str, description: str, examples: str) -> Parser:
    """A command of a command, with its own of the examples.

    Args:
        name: with the command's in front: ``energy fit``.
        what: it does, in the list of the commands.
        examples: text in which lines are examples of all of them.
    """
    lines = [line for line in examples.splitlines() if line.startswith(f"  fat-fpga {name}")]
    epilog = "\n".join(["examples:", *lines])
    return inner.add_parser(name.split()[-1], help=what, description=description, epilog=epilog)


def names(text: str) -> list[str]:
    """Comma separated names, for ``type=`` of an argument."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise argparse.ArgumentTypeError("expected names separated by commas")
    return found


def formats(text: str) -> list[str]:
    """Comma separated formats of figures, for ``type=`` of an argument."""
    found = list(dict.fromkeys(name.lower().removeprefix(".") for name in names(text)))
    for name in found:
        if name not in FORMATS:
            raise argparse.ArgumentTypeError(f"expected {', '.join(FORMATS)} or several of them, got '{name[:20]}'")
    return found


def engines(words: str) -> Derived:
    """Help that lists the engines."""

    def make() -> str:
        from fat_fpga.engines import forms

        return f"{words}: {', '.join(forms())}. file is MODEL itself".replace("file:PATH", "file")

    return Derived(make)
