"""Execute the commands of a page, made small: fewer images, faults, samples and epochs."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from fat_fpga.cli.main import main

from .commands import ROOT, arguments_of
from .given import GIVEN, fill_in, provide

SMALLER: tuple[tuple[str, str], ...] = (
    (r"(crosscheck .*)--images \d+", r"\1--images 1"),
    (r"cnv_w1a1 (.*)--folding stock (--rtl-only.*)", r"tfc_w2a2 \1--folding auto:1000 \2"),
    (r"cnv_w1a1 --data demo:cifar10 (.*board:build/rtl.*)", r"tfc_w2a2 --data demo:mnist \1"),
    (r"--images (?!1\b)\d+", "--images 8"),
    (r"(campaign .*)--sample \d+", r"\1--sample 24"),
    (r"(crosscheck .*)--sample \d+", r"\1--sample 6"),
    (r"local:4", "local:2"),
    (r"--epochs \d+", "--epochs 1"),
    (r"--samples \d+", "--samples 2"),
    (r"--margin \d+%", "--margin 40%"),
    (r"--trials \d+", "--trials 2"),
    (r"--iterations \d+ --least \d+", "--iterations 1 --least 1"),
    (r"(clip .*)--rates ([^, ]+),([^, ]+),\S+", r"\1--rates \2,\3"),
    (r"--per-layer --until-loss 0.5", "--per-layer --until-loss 50"),
    (r"(resnet8.*)--worst-error \d+", r"\1--worst-error 100"),
    (r"^(?!.*resnet8)(.*)--worst-error \d+", r"\1--worst-error 70"),
    (r"--fail-under 60", "--fail-under 0"),
    (r"--image 7\b", "--image 3"),
)
"""What is made smaller, and how."""

ADDED: tuple[tuple[str, str], ...] = (
    (r"(?:campaign|sweep) (?!.*--images )", " --images 4"),
    (r"clip (?!.*--samples )", " --samples 2"),
    (r"clip (?!.*--iterations )", " --iterations 1 --least 1"),
    (r"sweep (?!.*--(samples|scrub) )(?!.*--scope layer)", " --samples 2"),
    (r"sweep (?!.*--samples ).*--scope layer", " --samples 60"),  # a page on single hits needs them
    (r"train (?!.*--images )", " --images 24"),
    (r"crosscheck (?!.*--sample )", " --sample 6"),
    (r"crosscheck (?!.*--images )", " --images 1"),
    (r"campaign .*--faults (pixel|accumulator)\b(?!.*--(sample|margin) )", " --sample 24"),
    (r"quantise .*--minimal (?!.*--images )", " --images 8"),
    (r"sizes search ", " --images 24"),
)
"""What is added to commands that match from their start."""


def smaller(command: str) -> str:
    """A command with small settings."""
    for pattern, replacement in SMALLER:
        command = re.sub(pattern, replacement, command)
    if arguments_of(command):
        line = " ".join(arguments_of(command) or [])
        command += "".join(addition for pattern, addition in ADDED if re.match(pattern, line))
    return command


@dataclass
class Shell:
    """The folder in which the commands of one page are executed, and what has been found.

    Attributes:
        here: the working folder.
        store: where what pages take as given is kept.
        provided: names of what was given, not made by the page.
        troubles: a text for each command that failed.
    """

    here: Path
    store: Path
    provided: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)

    def run(self, command: str, where: str) -> None:
        """Execute one command in its small form."""
        text = smaller(command)
        for name in needed(text):
            if not (self.here / name).exists():
                before = set(self.here.iterdir())
                provide(name, self.here, self.store)
                self.provided |= {path.name for path in set(self.here.iterdir()) - before}
        output = re.search(r"(?:-o|--output) (\S+)", text)
        if output and output[1] in self.provided:  # the page makes itself what was given to it before
            self.provided.remove(output[1])
            path = self.here / output[1]
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        trouble = self._execute(text)
        if trouble:
            self.troubles.append(f"{where}: {command}\n  as {text}\n  {trouble}")

    def _execute(self, text: str) -> str:
        arguments = arguments_of(text)
        if arguments is not None:
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    code = main(arguments)
                except SystemExit as left:
                    code = left.code if isinstance(left.code, int) else 1
            file = re.search(r"> (\S+)$", text)
            if file:
                (self.here / file[1]).write_text(out.getvalue())
            template = re.search(r"--template (\S+)", text)
            if template:
                fill_in(self.here / template[1])
            return f"exit code {code}: {out.getvalue()[-800:]}{err.getvalue()[-800:]}" if code else ""
        words = shlex.split(text)
        if words[0] == "sqlite3":
            with contextlib.closing(sqlite3.connect(self.here / words[1])) as base:
                return "" if base.execute(words[2]).fetchall() else "no rows"
        if words[0] == "make":
            targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            return "" if words[1] in targets else f"there is no target {words[1]}"
        if words[:2] == ["pip", "install"]:
            extras = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
            asked = re.findall(r"[\w]+", words[2].partition("[")[2])
            return "" if set(asked) <= set(extras) else f"there are no extras {asked}"
        if words[0].startswith("python") and words[1] == "-m":
            done = subprocess.run([sys.executable, "-m", words[2], "--help"], cwd=ROOT, capture_output=True, text=True)
            known = set(re.findall(r"--[\w-]+", done.stdout))
            lacking = {word for word in words[3:] if word.startswith("--")} - known
            return f"{done.stderr[-500:]}{sorted(lacking)}" if done.returncode or lacking else ""
        return "this is no command that the tests know; mark the block with a comment <!-- not run: reason -->"


def needed(command: str) -> list[str]:
    """The given files that a command names as its input."""
    without_outputs = re.sub(r"(-o|--output|--csv|--json|--html|--figures|--template|--onnx) \S+", "", command)
    words = re.findall(r"[\w./-]+", without_outputs)
    found = [name for name in GIVEN if name in words]
    found += ["mynet.py"] * ("module:mynet" in command) + ["my_nets.py"] * ("module:my_nets" in command)
    return found
