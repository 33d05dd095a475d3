"""The reference of the command line, made from its parsers: each command with its arguments, options and examples."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from itertools import takewhile

from fat_fpga.cli.main import build_parser
from fat_fpga.cli.parser import Derived, Parser

HEAD = """\
# Command line reference: every command and option of fat-fpga

This page is made from the command line itself; `fat-fpga COMMAND --help` prints the same. Exit codes: 0 done, 1 a gate
or a promise is not kept, 2 bad input (one line on standard error says what and what to do), 130 stopped with Ctrl-C.

Options before the command:

"""


def commands(parser: argparse.ArgumentParser | None = None) -> Iterator[Parser]:
    """The parser of each command and, after it, those of the commands within it."""
    for action in (parser or build_parser())._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name in dict.fromkeys(choice.dest for choice in action._choices_actions):
                yield action.choices[name]
                yield from commands(action.choices[name])


def reference() -> str:
    """The page, Markdown."""
    parts = [HEAD + _table(build_parser(), build_parser()._actions)]
    for parser in commands():
        parts.append(f"## {parser.prog}\n\n{_plain(parser.description or '')}")
        for group in parser._action_groups:
            rows = _table(parser, group._group_actions)
            title = group.title if group.title not in ("positional arguments", "options") else ""
            parts += [f"**{title}**"] * bool(rows and title) + [rows] * bool(rows)
        examples = _examples(parser.epilog or "")
        parts += [examples] * bool(examples)
    return "\n\n".join(parts) + "\n"


def _table(parser: argparse.ArgumentParser, actions: list[argparse.Action]) -> str:
    rows = []
    for action in actions:
        if isinstance(action, (argparse._SubParsersAction, argparse._HelpAction)) or action.help == argparse.SUPPRESS:
            continue
        rows.append(f"| `{_names(parser, action)}` | {_help(action)}{_required(action)} |")
    return "\n".join(["| argument | meaning |", "|---|---|", *rows]) if rows else ""


def _names(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """``-o, --output RUN`` as `--help` prints it."""
    formatter = parser._get_formatter()
    if not action.option_strings:
        return formatter._metavar_formatter(action, action.dest)(1)[0]
    values = "" if action.nargs == 0 else " " + formatter._format_args(action, action.dest.upper())
    return (", ".join(action.option_strings) + values).replace("|", "\\|")


def _help(action: argparse.Action) -> str:
    text = action.help.make() if isinstance(action.help, Derived) else action.help or ""
    return _plain(text % {"default": action.default, "prog": "fat-fpga"} if "%(" in text else text.replace("%%", "%"))


def _required(action: argparse.Action) -> str:
    return " **(required)**" if action.option_strings and action.required else ""


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is, in one line."""
    return re.sub(r"([|<>*_`\[\]])", r"\\\1", " ".join(text.split()))


def _examples(epilog: str) -> str:
    """The examples of an epilog as a block, and what is said after them."""
    lines = epilog.splitlines()
    if not lines or not lines[0].endswith(":"):
        return _plain(epilog)
    shown = list(takewhile(lambda line: line.startswith("  "), lines[1:]))
    block = "\n".join(line[2:] for line in shown)
    rest = _plain(" ".join(lines[1 + len(shown) :]))
    return f"```\n{block}\n```" + (f"\n\n{rest}" if rest else "")
