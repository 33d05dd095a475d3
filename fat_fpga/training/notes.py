"""What made a network, for its model card: the commit of the code, the versions under it, the date."""

from __future__ import annotations

import datetime
import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path


@cache
def source_commit() -> str:
    """The commit of the source tree, with ``+changes`` if the package differs from it; ``""`` outside a git tree."""
    package = Path(__file__).resolve().parents[1]

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "--no-optional-locks", "-C", str(package), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "models", "training", "datasets")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def run_notes() -> dict[str, str]:
    """Commit, versions and date (UTC), as plain text."""
    return {
        "commit": source_commit(),
        "torch": version("torch"),
        "brevitas": version("brevitas"),
        "python": platform.python_version(),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }
