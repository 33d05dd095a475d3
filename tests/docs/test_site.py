"""The site: each page is in its menu, and the reference of the command line has every command and option."""

from __future__ import annotations

import argparse
import importlib.util
import re
from types import ModuleType

import pytest

from .commands import ROOT, arguments_of
from .test_pages import refusal


def _reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cli_reference", ROOT / "docs" / "site" / "cli_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_menu() -> None:
    listed = re.findall(r"^ +- ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} | {"index.md", "cli.md"}
    assert sorted(listed) == sorted(pages)


def test_the_reference_has_every_command_and_option(capsys: pytest.CaptureFixture[str]) -> None:
    found = _reference()
    heads = r"^## (fat-fpga [\w -]+)\n(.*?)(?=^## |\Z)"
    sections = dict(re.findall(heads, found.reference(), re.MULTILINE | re.DOTALL))
    parsers = list(found.commands())
    assert list(sections) == [parser.prog for parser in parsers]
    assert {"fat-fpga campaign", "fat-fpga finn build", "fat-fpga board build"} <= set(sections)
    for parser in parsers:
        hidden = (argparse._HelpAction, argparse._SubParsersAction)
        shown = [each for each in parser._actions if each.help != argparse.SUPPRESS and not isinstance(each, hidden)]
        for name in (name for action in shown for name in action.option_strings):
            assert re.search(rf"`[^`]*{name}\b", sections[parser.prog]), f"{parser.prog} {name}"
    commands = re.findall(r"^fat-fpga .*$", found.reference(), re.MULTILINE)
    assert len(commands) > 60
    for command in commands:
        assert not refusal(arguments_of(re.sub(r"\s#.*", "", command)) or [], capsys), command
