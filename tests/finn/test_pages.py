"""The commands of the pages that need FINN, executed with small settings, as tests/docs executes all others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.commands import ROOT, Block, blocks
from tests.docs.running import Shell

REASON = "FINN is in another environment"
OWN = ".venv-finn/bin/"
MADE_BY = "docker/install-finn.sh"
"""It makes this environment: ``make test-finn`` has run it."""
BLOCKS = [block for page in sorted((ROOT / "docs").glob("*.md")) for block in blocks(page) if block.not_run == REASON]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{Path(block.page).name}:{block.line}")
def test_commands_do_what_the_page_says(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (store := tmp_path / "given").mkdir()
    (here := tmp_path / "here").mkdir()
    monkeypatch.chdir(here)
    shell = Shell(here, store)
    for command in block.commands:
        if not command.startswith(MADE_BY):
            shell.run(command.removeprefix(OWN), f"{block.page}, line {block.line}")
    assert not shell.troubles, "\n".join(shell.troubles)


def test_there_are_such_blocks() -> None:
    assert {block.page for block in BLOCKS} == {"docs/finn.md", "docs/planning.md"}
