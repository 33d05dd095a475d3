"""Commands and Python blocks on the pages."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = re.compile(r"(?:\S*/)?fat-fpga|python3? -m fat_fpga")
NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
OPERATORS = frozenset(("|", ">", "<", "&&", ";"))


@dataclass(frozen=True)
class Block:
    """What stands between two lines of backticks.

    Attributes:
        page: relative to the repository.
        line: of the first line in it, from 1.
        language: the word behind the first backticks, or nothing.
        text: with line breaks.
        not_run: why its commands are not executed by the tests: what a comment ``<!-- not run: ... -->`` on the line
            before it says; else nothing.
    """

    page: str
    line: int
    language: str
    text: str
    not_run: str = ""

    @property
    def commands(self) -> list[str]:
        """Its lines, without comments, lines that end in a backslash joined with the next."""
        joined = self.text.replace("\\\n", " ")
        return [line for line in (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines()) if line]


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in their order."""
    found, start, language = [], None, ""
    reason = ""
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            if start is None:
                start, language = number, line[3:].strip()
                mark = NOT_RUN.fullmatch(lines[number - 2]) if number > 1 else None
                reason = mark[1] if mark else ""
            else:
                text = "\n".join(lines[start : number - 1])
                found.append(Block(page.relative_to(ROOT).as_posix(), start + 1, language, text, reason))
                start = None
    assert start is None, f"{page}: a block is not closed"
    return found


def arguments_of(command: str) -> list[str] | None:
    """What ``fat-fpga`` gets as arguments in a command, up to a pipe or a redirection; None for other commands."""
    match = PROGRAM.match(command)
    if not match or command[match.end() : match.end() + 1] not in ("", " "):
        return None
    found = []
    for word in shlex.split(command[match.end() :]):
        if word in OPERATORS:
            break
        found.append(word)
    return found


def inline_commands(page: Path) -> list[str]:
    """Commands with arguments in the running text, between backticks: those with an input that is spelt out."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", text) if PROGRAM.match(code)]
