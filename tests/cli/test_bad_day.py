"""Odd names, byte order marks, closed and full outputs, full disks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fat_fpga.campaign import Run, database, new_file, store
from fat_fpga.cli import main
from fat_fpga.text import shown
from tests.campaign.tiny import tiny_run

DATA = ("--data", "npz:tiny.npz", "-q")


def shell(command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", command.replace("fat-fpga", f"{sys.executable} -m fat_fpga")], capture_output=True, check=False
    )


def test_a_reader_that_leaves(folder: Path) -> None:
    for command in ("models", "--help", "faults tiny.onnx --faults pixel --list"):
        done = shell(f"fat-fpga {command} | head -c 1; exit ${{PIPESTATUS[0]}}")
        assert done.stderr == b""
        assert done.returncode in (0, 141)  # 0 where all fits into the pipe


@pytest.mark.parametrize("command", ["models", "--help", ""])
def test_a_closed_output(folder: Path, command: str) -> None:
    done = shell(f"fat-fpga {command} >&-")
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_closed_output_is_no_place_for_a_run_file(folder: Path) -> None:
    done = shell("fat-fpga campaign tiny.onnx --data npz:tiny.npz -o a.run >&- 2>&-")
    assert done.returncode == 0
    assert Run.open("a.run").complete


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_output(folder: Path) -> None:
    done = shell("fat-fpga models > /dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith(b"fat-fpga: ")
    assert done.stderr.endswith(b"No space left on device\n")
    assert done.stderr.count(b"\n") == 1


def test_a_model_whose_file_name_is_no_utf8(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.onnx")
    Path("tiny.onnx").rename(name)
    Path("tiny.npz").rename(os.fsdecode(b"\xff.npz"))
    done = shell(
        "set -e; fat-fpga info caf*.onnx; fat-fpga campaign caf*.onnx --data npz:$'\\xff'.npz -o $'\\xe9.run' -q;"
        "fat-fpga report $'\\xe9.run' --csv a.csv --json a.json --figures f --format png;"
        "fat-fpga compare $'\\xe9.run' $'\\xe9.run' --names $'\\xe9',b --csv b.csv --json b.json --figures g;"
        "fat-fpga plan $'\\xe9.run' --worst-error 100 -o plan.json"
    )
    assert done.stderr == b""
    assert done.returncode == 0
    run = Run.open(os.fsdecode(b"\xe9.run"))
    assert run.identity.network == "caf\ufffd"
    assert run.identity.dataset == "npz:\ufffd.npz"


NAMES = (r"$\frac", "a_b$c^{", r"\alpha$x$", "x" * 200, "two\nlines\x1b[31m", "100 %")


@pytest.mark.parametrize("name", NAMES)
def test_names_in_tables_and_figures(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    model = "".join(letter for letter in name if letter.isprintable()) + ".onnx"
    Path("tiny.onnx").rename(model)
    assert main(["campaign", f"./{model}", *DATA, "-o", "a.run"]) == 0
    assert main(["report", "a.run", "--figures", "f", "--format", "svg"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) < 160
    stem = shown(model.removesuffix(".onnx"))
    assert stem.replace("&", "&amp;") in Path("f/ranges.svg").read_text()
    assert main(["compare", "a.run", "a.run", "--names", f"{name},other", "--figures", "g", "--format", "png"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert main(["plan", "a.run", "a.run", "--front", "--names", f"{name},other", "--figures", "g"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_long_names_are_cut_in_the_middle() -> None:
    assert shown("x" * 19 + "middle" + "y" * 19) == "x" * 19 + "…" + "y" * 19
    assert shown("x" * 40) == "x" * 40


def test_a_fault_list_with_a_byte_order_mark(folder: Path) -> None:
    Path("list.txt").write_bytes(b"\xef\xbb\xbfconv0/channel[0] = +1\r\nconv1/channel[1] = -1\r\n")
    assert main(["campaign", "tiny.onnx", *DATA, "--fault-list", "list.txt", "-o", "a.run"]) == 0
    assert len(Run.open("a.run").results) == 2


def test_a_number_beyond_a_machine_word_in_a_fault(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    big = "9" * 30
    for fault in (
        f"conv0/channel[{big}] = +1",
        f"conv0/channel[0] = {big}",
        f"conv0/accumulator[0].bit[{big}] ^ 1",
        f"conv0/activation[0,0,0].bit[0] ^ 1 @ frame[{big}]",
        f"conv0/channel[{'9' * 5000}] = 1",
    ):
        assert main(["inject", "tiny.onnx", fault, "-o", "f.onnx"]) == 2
        assert capsys.readouterr().err.count("\n") == 1
        assert main(["trace", "tiny.onnx", "--image", "0", "--fault", fault]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not Path("f.onnx").exists()


def test_a_folder_named_as_a_bundled_network(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("tfc_w2a2").mkdir()
    assert main(["info", "tfc_w2a2"]) == 0
    assert "fingerprint" in capsys.readouterr().out
    assert main(["export", "tfc_w2a2", "-o", "a.onnx"]) == 0
    assert main(["info", "a.onnx"]) == 0


def test_a_disk_that_fills_up(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own answer, by a limit on the pages of the file: what was saved stays, the same command continues."""

    command = ["campaign", "tiny.onnx", *DATA, "--chunk", "3", "-o", "a.run"]
    real, full = store.Store.record, 0

    def record(self: store.Store, *results: Any) -> None:
        nonlocal full
        full += 1
        if full == 2:
            pages = self._connection.execute("PRAGMA page_count").fetchone()[0]
            self._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
            with database.transaction(self._connection, self.path):
                self._connection.execute(new_file.SESSION, new_file.worker("x" * 100_000))
        real(self, *results)

    monkeypatch.setattr(store.Store, "record", record)
    assert main(command) == 2
    err = capsys.readouterr().err
    assert "a.run is full: nothing that was saved is lost. Make room, and the same command continues" in err
    assert err.count("\n") == 1
    assert Run.open("a.run").done == 3
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert main(command) == 0
    tiny_run(folder / "whole.run")
    assert Run.open("a.run").results == Run.open("whole.run").results


def limited(command: str, kibibytes: int) -> tuple[int, str]:
    """Exit code and standard error of a command that can make no file larger than that; the disk is as good as full."""
    done = shell(f"( ulimit -f {kibibytes}; fat-fpga {command} 2>&1 > /dev/null | cat; exit ${{PIPESTATUS[0]}} )")
    return done.returncode, done.stdout.decode()


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("report a.run --csv out", "out"),
        ("report a.run --json out", "out"),
        ("report a.run --figures f --format png", "f/accuracy.png"),
        ("plan a.run --tmr -o out -q", "out"),
        ("inject tiny.onnx 'conv0/channel[0] = 1' -o out", "out"),
        ("export tfc_w2a2 -o out", "out"),
        ("train --model tfc-w2a2 --data demo:mnist -o t --epochs 1 --images 20 --batch-size 10 -q", "t/last.pt"),
    ],
)
def test_no_room_for_an_output(folder: Path, command: str, path: str) -> None:
    assert main(["campaign", "tiny.onnx", *DATA, "--faults", "channel,weight", "-o", "a.run"]) == 0
    (folder / "out").write_text("old")
    before = {entry.name for entry in folder.iterdir()}
    code, said = limited(f"{command} {'--force' * ('out' in command)}", 1)
    assert code == 2
    where = said.removeprefix("fat-fpga: File too large: ").removesuffix("\n")
    assert Path(where).resolve() == Path(path).resolve() if path[0] != "f" else where.endswith(".png"), said
    assert (folder / "out").read_text() == "old"
    assert {entry.name for entry in folder.iterdir()} - before <= {"f", "t"}
    assert not [*folder.glob("[ft]/*")]


def test_no_room_for_a_run_file(folder: Path) -> None:
    command = "campaign tiny.onnx --data npz:tiny.npz -q --faults channel,weight --chunk 20 -o a.run"
    before = {entry.name for entry in folder.iterdir()}
    code, said = limited(command, 8)
    assert code == 2
    assert said.startswith("fat-fpga: the disk with a.run is full")
    assert said.count("\n") == 1
    assert {entry.name for entry in folder.iterdir()} == before
    assert shell(f"fat-fpga {command}").returncode == 0
    assert Run.open("a.run").complete
