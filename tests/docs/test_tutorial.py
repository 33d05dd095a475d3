"""The tutorial, typed as it stands in an empty folder: a network of one's own, campaigned, planned and hardened."""

from __future__ import annotations

import re
from pathlib import Path

from fat_fpga.campaign import Run
from fat_fpga.hardening import read_plan, verify

from .commands import ROOT, blocks
from .test_readme import shell

TUTORIAL = blocks(ROOT / "docs" / "tutorial.md")


def test_from_top_to_bottom(tmp_path: Path) -> None:
    printed = ""
    for block in TUTORIAL:
        if block.language == "python":
            name = re.match(r"# (\w+\.py)\n", block.text)
            assert name, f"{block.page}, line {block.line}: a program begins with its name"
            (tmp_path / name[1]).write_text(block.text)
            continue
        assert not block.language, f"{block.page}, line {block.line}: blocks are commands or Python"
        for command in block.commands:
            result = shell(command, tmp_path)
            at = f"{block.page}, line {block.line}: {command}"
            assert result.returncode == 0, f"{at}\n{result.stdout}\n{result.stderr}"
            assert "Traceback" not in result.stderr
            printed += result.stdout
    right = re.search(r"^(\d+) of 50 other images", printed, re.MULTILINE)
    assert right is not None
    assert int(right[1]) > 25, "a tenth is chance"
    plan, run = read_plan(tmp_path / "plan.json"), Run.open(tmp_path / "hardened.run")
    assert plan.replicated > 0
    assert plan.worst_correct > min(Run.open(tmp_path / "digits.run").correct)
    assert verify(plan, run).held
    assert "HELD" in printed
