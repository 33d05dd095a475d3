"""Every command on every page is executed, with small settings, in the order of the page.

README, getting_started and the tutorial are executed elsewhere (`test_readme`, `test_tutorial`). A block that cannot be
executed here has a comment on the line before it, ``<!-- not run: reason -->``; `WHY` counts them.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from .commands import Block, arguments_of, blocks
from .running import Shell
from .test_pages import PAGES

ELSEWHERE = ("README.md", "getting_started.md", "tutorial.md")
HEAVY = (
    "clipping.md", "distributed.md", "energy.md", "engines.md", "fixed_point.md", "planning.md", "rates.md",
    "results.md", "sizes.md", "tigru.md", "training.md",
)  # fmt: skip
"""Pages that train networks, start other processes or have many campaigns. ``make test-deep`` executes them."""
WHOLE = "FAT_FPGA_ALL_PAGES"
RUN = [page for page in PAGES if page.name not in ELSEWHERE]


WHY = {
    "work is counted for minutes, and times need a quiet machine": 1,
    "another commit is built, which takes minutes": 1,
    "FINN is in another environment": 7,  # tests/finn/test_pages.py executes them
    "FINN is in another environment, and the last steps need Vivado": 1,
    "Vivado is not here": 1,
    "there is no GPU here, and ImageNet is not at hand": 1,
    "there is no Kubernetes here": 1,
    "there is no board here": 1,
    "there is no cluster here": 1,
    "the simulated board is built by make boards": 2,
    "the simulated board is built by make boards-cnv": 1,
    "they are processes that do not end": 1,
}
"""Blocks that are not executed, by their reason."""


def is_commands(block: Block) -> bool:
    """Whether a block without a language holds commands, not what they print."""
    first = block.commands[0] if block.commands else ""
    known = ("make ", "pip ", "python ", "python3 ", "sqlite3 ", "dask ", "helm ", "docker/", ".venv-finn/")
    return not block.language and (bool(arguments_of(first)) or first.startswith(known))


def test_what_is_not_executed_is_counted() -> None:
    found = [block for page in PAGES for block in blocks(page) if block.not_run]
    assert Counter(block.not_run for block in found) == WHY
    assert all(is_commands(block) for block in found)


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_commands_do_what_the_page_says(
    page: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if page.name in HEAVY and WHOLE not in os.environ:
        pytest.skip(f"set {WHOLE}=1, as make test-deep does")
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
