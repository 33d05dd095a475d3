"""The example on the page about fault-aware training runs as it stands, learns, and goes through a campaign."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fat_fpga.campaign import Run
from fat_fpga.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "fat.md"


def test_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(example, str(PAGE), "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"epoch {epoch}" for epoch in range(5)]
    assert all(line.endswith("errors behind pool") for line in lines)
    commands = re.findall(r"^fat-fpga (.* bright.*)$", page, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["campaign", "report"]
    for command in commands:
        assert main(command.split()) == 0
    run = Run.open("bright.run")
    assert (run.done, run.complete, run.images) == (32, True, 512)
    assert run.error_free_accuracy > 95  # two classes
