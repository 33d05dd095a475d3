"""One input in a process of its own, with limits, and the verdict on what came of it."""

from __future__ import annotations

import os
import re
import resource
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

MEMORY = 2 * 2**30
"""Bytes that a command may take beside what the loaded packages have."""
SECONDS = 20
"""Of the processor that a command may take."""
WAIT = 120.0
"""Seconds until one that does nothing, or has no processor, counts as hung."""
LINE = 1200
"""Longest line that is still clear."""
SHORT_OF_MEMORY = re.compile(
    r"MemoryError|more memory than|Unable to allocate|bad_alloc|can't allocate|out of memory", re.IGNORECASE
)


@dataclass(eq=False)
class Trial:
    """A command that runs.

    Attributes:
        arguments: of the command line.
        folder: in which it runs; ``out`` and ``err`` beside it take what it prints.
    """

    arguments: list[str]
    folder: Path
    pid: int = 0
    started: float = 0.0
    seconds: float = 0.0

    def start(self) -> None:
        """Fork, and run the command in the child."""
        self.started = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            self._child()

    def _child(self) -> None:
        code = 70
        try:
            os.setsid()
            for number, name in ((0, os.devnull), (1, f"{self.folder}.out"), (2, f"{self.folder}.err")):
                flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
                os.dup2(os.open(name, flags, 0o600), number)
            os.chdir(self.folder)
            mapped = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
            from fat_fpga.cli import main

            try:
                code = main(self.arguments)
            except SystemExit as left:
                code = left.code if isinstance(left.code, int) else 1
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)

    def verdict(self) -> str | None:
        """None while it runs, ``""`` when it ended well, else what was wrong."""
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        self.seconds = time.monotonic() - self.started
        if pid == 0:
            if self.seconds < WAIT:
                return None
            os.killpg(self.pid, signal.SIGKILL)
            os.wait4(self.pid, 0)
            return f"hang: still there after {WAIT:.0f} s"
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            return f"hang: still running after {SECONDS} s"
        if os.WIFSIGNALED(status):
            return f"crash: {signal.Signals(os.WTERMSIG(status)).name}"
        errors = Path(f"{self.folder}.err").read_bytes().decode("utf-8", "backslashreplace")
        return judge(os.WEXITSTATUS(status), errors, usage.ru_maxrss * 1024)


def judge(code: int, errors: str, memory: int) -> str:
    """What is wrong with a command's end: its exit code, what it printed on standard error, and its largest memory."""
    lines = errors.split("\n")[:-1]
    if "Traceback (most recent call last)" in errors:
        return f"traceback: {lines[-1][:200] if lines else ''}"
    if memory > MEMORY:
        return f"memory: {memory / 2**30:.1f} GiB"
    if SHORT_OF_MEMORY.search(errors):
        return f"memory: {errors[:200].strip()}"
    if code not in (0, 2):
        return f"exit code {code}: {errors[-200:].strip()}"
    said = [line for line in lines if not line.startswith("fat-fpga: note: ")]
    if any(not line.isprintable() for line in lines):
        return f"control characters: {errors[:200]!r}"
    if any(len(line) > LINE for line in lines):
        return f"a line of {max(map(len, lines))} characters: {errors[:100]!r}"
    if code == 0:
        return f"words on standard error: {said[0][:200]}" if said else ""
    if len(said) != 1 or not said[0].startswith("fat-fpga: "):
        return f"{len(said)} lines instead of one: {errors[:300]!r}"
    if len(said[0]) < 25 or said[0].rstrip().endswith((":", ": ()")):
        return f"an empty message: {said[0]!r}"
    return ""
