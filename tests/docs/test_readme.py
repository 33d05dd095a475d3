"""The README and the page that goes on from it: each command works, or says at once what is missing, in their order.

Commands are executed as they stand, by bash, in an empty folder, but for `SMALLER`: fewer images, faults and samples.
What cannot be executed here is in `ELSEWHERE`, with the reason; these commands are checked as far as that goes
(`test_pages` reads their arguments). A command that is in neither way known fails the test.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run
from fat_fpga.datasets import load

from .commands import ROOT, blocks

README = blocks(ROOT / "README.md") + blocks(ROOT / "docs" / "getting_started.md")

SMALLER = (
    (r"(campaign .*--data (?:demo:cifar10|cifar10:data))", r"\1 --images 20"),
    (r"(campaign .*)--sample \d+", r"\1--sample 100"),
    (r"(crosscheck .*)--(faults|sample) \d+ --images \d+", r"\1--\2 12 --images 1"),
    (r"load_data\(\"demo:cifar10\"\)", 'load_data("demo:cifar10", limit=20)'),
)
"""What is made smaller, and how: regular expressions and what takes their place."""

ELSEWHERE = {
    r"make (\w+)": "it sets up environments",
    r"(docker/[\w./-]+) .*": "it sets up an environment",
    r"\.venv-finn/bin/fat-fpga .*": "FINN is in another environment",
    r"python3 -m fat_fpga .* --engine board:.*": "there is no board here",
}


def smaller(text: str) -> str:
    for pattern, replacement in SMALLER:
        text = re.sub(pattern, replacement, text)
    return text


def elsewhere(command: str) -> re.Match[str] | None:
    return next((match for pattern in ELSEWHERE if (match := re.fullmatch(pattern, command))), None)


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )


def official_files(folder: Path) -> None:
    """The bundled images in the form of CIFAR-10's binary version."""
    data = load("demo:cifar10", limit=100)
    rows = np.concatenate([data.labels[:, None].astype(np.uint8), data.images.reshape(len(data), -1)], axis=1)
    folder.mkdir()
    (folder / "test_batch.bin").write_bytes(rows.tobytes())


def test_from_top_to_bottom(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(sys.prefix)
    python = 0
    for block in README:
        if block.language == "python":
            python += 1
            (tmp_path / "block.py").write_text(smaller(block.text))
            commands = [f"{sys.executable} block.py"]
        else:
            assert not block.language, f"{block.page}, line {block.line}: blocks are commands or Python"
            commands = [command for command in block.commands if elsewhere(command) is None]
        for command in map(smaller, commands):
            if command.startswith("source ") and not (Path(sys.prefix) / "bin" / "activate").exists():
                continue  # the tests run outside of an environment
            if "cifar10:data" in command and not (tmp_path / "data").exists():
                before = set(tmp_path.iterdir())
                result = shell(command, tmp_path)
                assert result.returncode == 2, command
                assert re.search(r"official files are at https://\S+ .*--data demo:cifar10", result.stderr), (
                    result.stderr
                )
                assert result.stderr.count("\n") == 1
                assert set(tmp_path.iterdir()) == before
                official_files(tmp_path / "data")
            result = shell(command, tmp_path)
            at = f"{block.page}, line {block.line}: {command}"
            assert result.returncode == 0, f"{at}\n{result.stdout}\n{result.stderr}"
            assert "Traceback" not in result.stderr
    assert python == 1
    runs = {path.name: Run.open(path) for path in tmp_path.glob("*.run")}
    assert set(runs) == {"cnv.run", "pes.run", "weights.run", "hardened.run", "python.run", "own.run"}
    assert all(run.complete for run in runs.values())
    assert runs["python.run"].results == runs["cnv.run"].results == runs["own.run"].results
    assert (tmp_path / "report" / "criticality.png").exists()


def test_activating_makes_the_command_known(tmp_path: Path) -> None:
    if not (Path(sys.prefix) / "bin" / "activate").exists():
        pytest.skip("the tests run outside of an environment")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    assert any("source .venv/bin/activate" in block.commands for block in README)
    result = shell("PATH=/usr/bin:/bin; source .venv/bin/activate && fat-fpga --version", tmp_path)
    assert result.stdout.startswith("fat-fpga "), result.stderr


def test_what_is_run_elsewhere_is_there() -> None:
    commands = [command for block in README if not block.language for command in block.commands]
    found = [match for match in map(elsewhere, commands) if match]
    assert {match.re.pattern for match in found} == set(ELSEWHERE)
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for match in found:
        command, name = match[0], match[1] if match.re.groups else None
        if command.startswith("make"):
            assert name in targets
        elif command.startswith("docker"):
            assert os.access(ROOT / str(name), os.X_OK)


def test_the_extras_of_users_are_named() -> None:
    """All that pyproject.toml has, but for those of people who work on the package."""
    table = (ROOT / "pyproject.toml").read_text().partition("[project.optional-dependencies]")[2].partition("\n\n")[0]
    extras = set(re.findall(r"^(\w+) = \[", table, re.MULTILINE)) - {"rtl", "docs", "dev"}
    named = (ROOT / "README.md").read_text().partition("Extras, as")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", named)) == extras
