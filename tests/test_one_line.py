"""Text from files on a terminal."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.cli import main
from fat_fpga.one_line import LONGEST, one_line
from tests.designs.float_graph import GraphBuilder


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        (" two\n  lines\t", "two lines"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("\ud800", "\\ud800"),
        ("für 数", "für 数"),
    ],
)
def test_what_is_printed(text: str, line: str) -> None:
    assert one_line(text) == line


def test_the_middle_of_a_long_one_is_left_out() -> None:
    line = one_line("start " + "x" * 10_000 + " end")
    assert len(line) <= LONGEST
    assert line.startswith("start xxx")
    assert line.endswith("xxx end")
    assert " characters left out) ... xxx" in line


@given(st.text(), st.integers(100, 2000))
def test_always_one_short_line(text: str, longest: int) -> None:
    line = one_line(text * 50, longest)
    assert line.isprintable()
    assert len(line) <= longest


@pytest.mark.parametrize("name", ["\x1b[31mred\x1b[0m", "x" * 10_000, "two\nlines", "\u202eturned"])
def test_names_of_nodes_in_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    builder = GraphBuilder([1, 12], "UINT8")
    builder.node("Det", name=name)
    onnx.save(builder.model(), tmp_path / "model.onnx")
    assert main(["info", str(tmp_path / "model.onnx")]) == 2
    error = capsys.readouterr().err
    assert error.endswith("\n")
    assert error[:-1].isprintable()
    assert len(error) < 1100
    assert "(Det)" in error or "left out" in error
