"""Every command on every page can at least be read by the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fat_fpga.cli.fault_arguments import joined
from fat_fpga.cli.main import build_parser

from .commands import ROOT, arguments_of, blocks, inline_commands

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def refusal(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Why the arguments cannot be read; empty where they can."""
    try:
        build_parser().parse_args(joined(arguments))
    except SystemExit as left:
        return "" if left.code == 0 else capsys.readouterr().err
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_blocks(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks(page):
        for command in block.commands if not block.language else ():
            arguments = arguments_of(command)
            if arguments:
                assert not refusal(arguments, capsys), f"{block.page}, line {block.line}: {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_text(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Some leave arguments out, which does not matter here: each option that they have must be known."""
    for command in inline_commands(page):
        words = arguments_of(command.replace("...", ""))
        names = [word for word in words or () if not word.startswith("-")]
        if not names:
            continue
        message = refusal(words or [], capsys)
        missing = re.search(r"the following arguments are required|one of the arguments|expected one argument", message)
        assert not message or missing, f"{page.name}: {command}: {message}"


def test_there_are_commands_to_check() -> None:
    found = [c for page in PAGES for block in blocks(page) for c in block.commands if arguments_of(c)]
    assert len(found) > 80


def test_epilogs_of_the_help_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """The examples that ``--help`` shows, of each command."""
    for path in sorted((ROOT / "fat_fpga" / "cli").glob("*.py")):
        for command in re.findall(r"^  (fat-fpga .*)$", path.read_text(), re.MULTILINE):
            assert not refusal(arguments_of(re.sub(r"\s#.*", "", command)) or [], capsys), f"{path.name}: {command}"
