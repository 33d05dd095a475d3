"""The log of a command, and completion in a shell."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

import pytest

from fat_fpga.cli import main

CAMPAIGN = ["campaign", "tfc_w2a2", "--data", "demo:mnist", "--images", "5", "--layers", "fc0", "-q"]


def test_a_log_tells_what_was_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "a.log"
    assert main(["--log-file", str(log), *CAMPAIGN, "-o", str(tmp_path / "a.run")]) == 0
    assert capsys.readouterr().err.count("\n") <= 1  # a note on few images
    lines = log.read_text().splitlines()
    assert "fat-fpga --log-file" in lines[0]
    assert "version " in lines[1]
    assert any("tfc_w2a2 on demo:mnist, 5 images: the native engine has 192 faults to do" in line for line in lines)
    assert any("faults saved" in line for line in lines)
    assert "ended after" in lines[-1]
    assert not logging.getLogger("fat_fpga").handlers


def test_errors_are_a_line_on_the_screen_and_a_traceback_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "a.log"
    log.write_text("before\n")
    assert main(["--log-file", str(log), "report", str(tmp_path / "none.run")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert log.read_text().startswith("before\n")
    assert "Traceback" in log.read_text()
    assert main(["-v", "models"]) == 0
    assert "ended after" in capsys.readouterr().err
    assert main(["--log-file", str(tmp_path / "no" / "a.log"), "models"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("fat-fpga: the log cannot be written: No such file or directory")


def test_completion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    with pytest.raises(SystemExit) as left:
        main(["--completion", "bash"])
    assert left.value.code == 0
    script = capsys.readouterr().out
    (tmp_path / "fat-fpga.sh").write_text(script)
    asked = "source fat-fpga.sh; COMP_WORDS=(fat-fpga camp); COMP_CWORD=1; COMPREPLY=(); "
    asked += "$(complete -p fat-fpga | sed 's/.*-F \\([^ ]*\\).*/\\1/') fat-fpga camp fat-fpga; echo ${COMPREPLY[@]}"
    found = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["campaign"]
    for word in ("--keep-predictions", "--worst-error", "finn", "safety"):
        assert word in script
    assert "derived" not in script


def test_no_colours_are_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR asks for what is always so, but for the help of newer Pythons, which keep to it."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(["models"]) == 0
    with pytest.raises(SystemExit):
        main(["campaign", "--help"])
    assert "\x1b" not in capsys.readouterr().out
