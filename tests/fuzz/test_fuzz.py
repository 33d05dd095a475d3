"""A small part of ``make fuzz``, and its verdicts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.fuzz.damage import damaged
from tests.fuzz.registry import TARGETS
from tests.fuzz.targets import arguments
from tests.fuzz.trees import spoiled
from tests.fuzz.trial import MEMORY, Trial, judge

ROOT = Path(__file__).parents[2]


def test_a_small_part(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", "-n", "150", "--seed", "7", "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(tuple("123456789"))


@pytest.mark.parametrize(
    ("code", "errors", "memory", "verdict"),
    [
        (0, "", 0, ""),
        (0, "fat-fpga: note: this is odd\n", 0, ""),
        (2, "fat-fpga: a.onnx is not an ONNX file\n", 0, ""),
        (2, "fat-fpga: note: this is odd\nfat-fpga: a.onnx is not an ONNX file\n", 0, ""),
        (2, "", 0, "0 lines instead of one"),
        (2, "fat-fpga: a.onnx is\nfat-fpga: no ONNX file\n", 0, "2 lines instead of one"),
        (2, "a.onnx is not an ONNX file\n", 0, "1 lines instead of one"),
        (2, "fat-fpga: a.onnx is damaged:\n", 0, "an empty message"),
        (2, "fat-fpga: \n", 0, "an empty message"),
        (2, "fat-fpga: a.onnx \x1b[2J is damaged\n", 0, "control characters"),
        (2, "fat-fpga: " + "x" * 2000 + "\n", 0, "a line of 2010 characters"),
        (0, "RuntimeWarning: overflow\n", 0, "words on standard error"),
        (1, "", 0, "exit code 1"),
        (2, "Traceback (most recent call last):\nKeyError: 1\n", 0, "traceback: KeyError: 1"),
        (0, "", MEMORY + 1, "memory: 2.0 GiB"),
        (2, "fat-fpga: Unable to allocate 3. TiB for an array\n", 0, "memory: fat-fpga: Unable"),
    ],
)
def test_what_is_a_finding(code: int, errors: str, memory: int, verdict: str) -> None:
    found = judge(code, errors, memory)
    assert found.startswith(verdict)
    assert bool(found) == bool(verdict)


def test_the_same_seed_makes_the_same_inputs(tmp_path: Path) -> None:
    for name in ("fault_lists", "recipes", "idx"):
        target = next(target for target in TARGETS if target.name == name)
        made = []
        for folder in (tmp_path / f"{name}1", tmp_path / f"{name}2"):
            folder.mkdir()
            arguments = target.spoil(target.generator(3, 5), tmp_path, folder)
            made.append((arguments, {path.name: path.read_bytes() for path in folder.iterdir()}))
        assert made[0] == made[1]
    content, tree = bytes(range(256)) * 4, {"a": [1, {"b": "c"}]}
    assert damaged(content, np.random.default_rng(1)) == damaged(content, np.random.default_rng(1)) != content
    assert spoiled(tree, np.random.default_rng(1)) == spoiled(tree, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("program", "verdict"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crash: SIGSEGV"),
        ("raise KeyError(3)", "traceback: KeyError: 3"),
        ("import time; time.sleep(60)", "hang: still there after 3 s"),
        ("while True: pass", "hang: still running after 1 s"),
        ("x = bytearray(3 * 2**30)", "traceback: MemoryError"),
        ("import sys; sys.exit(0)", ""),
    ],
)
def test_trials(program: str, verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a program of its own, as this one has threads, which a fork does not take with it."""
    (tmp_path / "case").mkdir()
    watcher = f"""
import sys, time
import fat_fpga.cli
import tests.fuzz.trial as trial
from pathlib import Path
trial.SECONDS, trial.WAIT = 1, {3.0 if "sleep" in program else 100.0}
fat_fpga.cli.main = lambda arguments: exec(arguments[0])
one = trial.Trial([{program!r}], Path({str(tmp_path / "case")!r}))
one.start()
while (found := one.verdict()) is None:
    time.sleep(0.01)
print(found)
"""
    done = subprocess.run([sys.executable, "-c", watcher], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == verdict


def test_arguments_start_from_commands_that_work(tmp_path: Path) -> None:
    """In one program, as most of a command's time is what it imports."""
    (tmp_path / "good").mkdir()
    program = f"""
import os, sys
from pathlib import Path
from tests.fuzz.load import load_packages
load_packages()
from fat_fpga.cli import main
from tests.fuzz.targets import arguments, json_files
good = Path({str(tmp_path / "good")!r})
json_files._prepare(good)
for number, command in enumerate(arguments.COMMANDS):
    folder = good / str(number)
    folder.mkdir()
    arguments.arrange(good, folder)
    os.chdir(folder)
    try:
        code = main(words := [arguments.right(word) for word in command])
    except SystemExit as left:
        code = left.code
    print("command", code, *words, flush=True)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    codes = [line.split()[1:3] for line in done.stdout.splitlines() if line.startswith("command ")]
    assert len(codes) == len(arguments.COMMANDS)
    refused = {name for code, name in codes if code != "0"}
    assert refused <= arguments.REFUSED, done.stderr


def test_every_target_is_named_once() -> None:
    names = [target.name for target in TARGETS]
    assert len(set(names)) == len(names)
    assert Trial(["info"], Path("a")).pid == 0
