"""Every command on every page is executed, with small settings, in the order of the page.

README, getting_started and the tutorial are executed as they stand elsewhere (`test_readme`, `test_tutorial`). A block that
cannot be executed here has a comment on the line before it, ``<!-- not run: reason -->``; `WHY` lists what reasons there are.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .commands import ROOT, PROGRAM, Block, arguments_of, blocks
from .running import Shell
from .test_pages import PAGES

ELSEWHERE = ("README.md", "getting_started.md", "tutorial.md")
RUN = [page for page in PAGES if page.name not in ELSEWHERE]


def is_commands(block: Block) -> bool:
    """Whether a block without a language holds commands, not what they print."""
    first = block.commands[0] if block.commands else ""
    known = ("make ", "pip ", "python ", "python3 ", "sqlite3 ", "dask ", "helm ", "docker/")
    return not block.language and (bool(arguments_of(first)) or first.startswith(known))


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_commands_do_what_the_page_says(
    page: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path_factory.getbasetemp() / "given"
    store.mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    shell = Shell(tmp_path, store)
    for block in blocks(page):
        if is_commands(block) and not block.not_run:
            for command in block.commands:
                shell.run(command, f"{block.page}, line {block.line}")
    assert not shell.troubles, "\n".join(shell.troubles)
