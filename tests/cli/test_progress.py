"""Progress bars are for terminals; an error has a line of its own."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from fat_fpga.campaign import progress
from fat_fpga.cli import main
from fat_fpga.engines.reference import ReferenceSession
from fat_fpga.errors import DataError

CAMPAIGN = ("campaign", "tiny.onnx", "--data", "npz:tiny.npz", "-o", "a.run", "--engine", "reference", "--chunk", "4")
CROSSCHECK = ("crosscheck", "tiny.onnx", "--engines", "native,reference", "--sample", "8", "--images", "2")


class Terminal(io.StringIO):
    """Standard error of somebody who looks on."""

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        """What is to be read: after a carriage return, what follows covers what was there."""
        found = []
        for line in self.getvalue().split("\n"):
            shown = ""
            for part in line.split("\r"):
                shown = part + shown[len(part) :]
            found.append(shown.rstrip())
        return found


def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the reference engine fail when it is asked for faults."""
    whole = ReferenceSession.run

    def run(self: ReferenceSession, images, labels, faults, **options):  # type: ignore[no-untyped-def]
        if faults:
            raise DataError("the engine broke")
        return whole(self, images, labels, faults, **options)

    monkeypatch.setattr(ReferenceSession, "run", run)


@pytest.mark.parametrize("command", [CAMPAIGN, CROSSCHECK])
def test_no_bar_in_a_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    broken(monkeypatch)
    assert main(command) == 2
    assert capsys.readouterr().err == "fat-fpga: the engine broke\n"


@pytest.mark.parametrize("command", [CAMPAIGN, CROSSCHECK])
def test_an_error_after_a_bar_has_its_own_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    broken(monkeypatch)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    assert main(command) == 2
    assert "%|" in terminal.getvalue() or "% |" in terminal.getvalue()  # there was a bar
    assert terminal.lines()[-2:] == ["fat-fpga: the engine broke", ""]


def test_a_bar_on_a_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    assert main(CAMPAIGN) == 0
    assert "14 of 14 faults saved" in terminal.getvalue()
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    assert main(["campaign", *CAMPAIGN[1:], "--layers", "conv1", "-o", "b.run", "-q"]) == 0
    assert terminal.getvalue() == ""


def test_a_log_says_now_and_then_how_far_a_campaign_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    assert main(CAMPAIGN) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[-1] == "fat-fpga: 14 of 14 faults saved"
    assert "fat-fpga: 4 of 14 faults saved" in told


def test_every_bar_is_made_in_one_place() -> None:
    root = Path(progress.__file__).parents[1]
    users = {path.relative_to(root).as_posix() for path in root.rglob("*.py") if "import tqdm" in path.read_text()}
    assert users == {"progress.py", "training/trainer.py"}  # the trainer's writes lines above its bar
