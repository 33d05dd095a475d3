"""Nothing of the user's is overwritten by the command that reads it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fat_fpga.cli import main
from tests.cli.conftest import Refused

LOST = "it is read here and would be lost"


@pytest.fixture
def run_file(folder: Path) -> str:
    assert main(["campaign", "tiny.onnx", "--data", "npz:tiny.npz", "-o", "a.run", "-q"]) == 0
    assert main(["plan", "a.run", "--tmr", "-o", "plan.json"]) == 0
    return "a.run"


@pytest.mark.parametrize(
    "command",
    [
        "report a.run --csv a.run",
        "report a.run --json a.run",
        "compare a.run a.run --csv a.run",
        "plan a.run --tmr -o a.run",
        "harden tiny.onnx plan.json -o tiny.onnx",
        "harden tiny.onnx plan.json -o plan.json",
        "harden tiny.onnx plan.json -o h.onnx --save-folding plan.json",
        "inject tiny.onnx conv0/channel[0]=1 -o tiny.onnx",
        "campaign tiny.onnx --data npz:tiny.npz -o tiny.onnx",
    ],
)
def test_an_output_is_none_of_the_inputs(run_file: str, refused: Refused, command: str) -> None:
    assert LOST in refused(*command.split())


def test_a_demo_leaves_other_files_alone(run_file: str, folder: Path, refused: Refused) -> None:
    Path(run_file).rename("cnv_w1a1.run")
    assert "has cnv_w1a1.run, which no demo has made" in refused("demo", "-o", ".")
    Path("cnv_w1a1.run").unlink()
    Path("faults.csv").write_text("mine")
    assert "has faults.csv, which no demo has made" in refused("demo", "-o", ".")


FOREIGN = {
    "a.run": b"",
    "plan.json": b"",
    "tiny.onnx": b"",
    "tiny.npz": b"",
    "package.json": b'{"name": "mine", "version": "1.0"}',
    "notes.txt": b"do not lose me",
    "mine.csv": b"time,voltage\n0,1\n",
    "photo.png": b"\x89PNG\r\n\x1a\n....",
    "other.sqlite": b"SQLite format 3\0" + b"\0" * 100,
    "bytes": b"\0\1\2\xff",
}
"""Files of the user's; the empty ones are made by the fixtures."""

OUTPUTS = {
    "report a.run --csv": None,
    "report a.run --json": None,
    "compare a.run b.run --csv": None,
    "compare a.run b.run --json": None,
    "plan a.run --tmr -o": "plan.json",
    "plan a.run --front --csv": None,
    "plan a.run --front --json": None,
    "harden tiny.onnx plan.json -o": "tiny.onnx",
    "harden tiny.onnx plan.json -o h.onnx --save-folding": None,
    "inject other.onnx conv0/channel[0]=1 -o": "tiny.onnx",
    "export tfc_w2a2 -o": "tiny.onnx",
    "trace other.onnx --image 0 --json": None,
}
"""Commands, and the file among `FOREIGN` that is of the kind which they write."""


@pytest.mark.parametrize("command", OUTPUTS)
def test_a_file_of_another_kind_needs_force(run_file: str, folder: Path, refused: Refused, command: str) -> None:
    shutil.copy("a.run", "b.run")
    for name, content in FOREIGN.items():
        if content:
            Path(name).write_bytes(content)
        if name == OUTPUTS[command] or name in command.split():
            continue  # of the same kind, or an input
        assert "not " in (message := refused(*command.split(), name))
        assert f"name another file, or give --force to lose it: {folder / name}" in message or name in message
    assert main([*command.split(), "notes.txt", "--force"]) == 0
    written = Path("notes.txt").read_bytes()
    assert written != FOREIGN["notes.txt"]
    Path("h.onnx").unlink(missing_ok=True)
    assert main([*command.split(), "notes.txt"]) == 0  # it is of the same kind now
    Path("empty").touch()
    assert main([*command.split(), "empty"]) == 0


def test_a_campaign_takes_no_file_of_another_kind(run_file: str, refused: Refused) -> None:
    for name in ("plan.json", "other.onnx"):
        assert "is not a run file" in refused("campaign", "tiny.onnx", "--data", "npz:tiny.npz", "-o", name)


def test_figures_leave_files_of_other_kinds_alone(run_file: str, refused: Refused) -> None:
    Path("f").mkdir()
    Path("f/ranges.svg").write_text("mine")
    Path("f/readme.txt").write_text("mine")
    Path("f/front.pdf").write_text("mine")
    assert "there is other text, not an SVG picture" in refused("report", run_file, "--figures", "f")
    assert "there is other text, not a PDF document" in refused("plan", run_file, "--front", "--figures", "f")
    assert main(["report", run_file, "--figures", "f", "--format", "png"]) == 0
    assert main(["report", run_file, "--figures", "f", "--force"]) == 0
    assert main(["report", run_file, "--figures", "f"]) == 0
    assert Path("f/readme.txt").read_text() == "mine"


def test_kinds_are_told_by_content(run_file: str) -> None:
    from fat_fpga.file_kinds import content_of

    for name, content in FOREIGN.items():
        if content:
            Path(name).write_bytes(content)
    assert main(["report", run_file, "--figures", "f"]) == 0
    assert {name: content_of(name) for name in FOREIGN} == {
        "a.run": "a run file",
        "plan.json": "a plan",
        "tiny.onnx": "an ONNX model",
        "tiny.npz": "numpy arrays, a checkpoint or another ZIP archive",
        "package.json": "other JSON",
        "notes.txt": "other text",
        "mine.csv": "other text",
        "photo.png": "a PNG picture",
        "other.sqlite": "an SQLite database",
        "bytes": "other data",
    }
    kinds = {"png": "a PNG picture", "svg": "an SVG picture", "pdf": "a PDF document"}
    for form, kind in kinds.items():
        assert content_of(f"f/ranges.{form}") == kind
