"""Old spellings of options: they work for one more version, with a line on standard error that says the new one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any


def note(old: str, new: str) -> None:
    """Say once more how an option is spelt now."""
    print(f"fat-fpga: note: {old} is {new} now; the old spelling will not be read by the next version", file=sys.stderr)


class Renamed(argparse.Action):
    """An option under its old name, hidden from ``--help``: it does what the action ``now`` does.

    Args:
        now: the option under its new name.
    """

    def __init__(self, option_strings: Sequence[str], dest: str, now: argparse.Action, **rest: Any) -> None:
        rest = {"nargs": now.nargs, "type": now.type, "choices": now.choices, "metavar": now.metavar, **rest}
        rest |= {"default": argparse.SUPPRESS, "help": argparse.SUPPRESS}
        super().__init__(option_strings, now.dest, **rest)
        self._now = now

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        note(option_string or self.option_strings[-1], self._now.option_strings[-1])
        self._now(parser, namespace, values, option_string)


class Replaced(argparse.Action):
    """An option that is gone, hidden from ``--help``: it still does what it did.

    Args:
        told: what to type instead.
    """

    def __init__(self, option_strings: Sequence[str], dest: str, told: str, **rest: Any) -> None:
        super().__init__(option_strings, dest, **{**rest, "help": argparse.SUPPRESS})
        self._told = told

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        note(option_string or self.option_strings[-1], self._told)
        setattr(namespace, self.dest, values)
