"""The package of an earlier commit, built into an environment of its own that borrows all else from the running one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = "import sysconfig; print(sysconfig.get_paths()['purelib'])"


class BuildError(Exception):
    """The revision is not there, or cannot be built."""


def commit_of(revision: str) -> str:
    """The commit that a revision names; BuildError where there is none."""
    asked = ["git", "-C", str(ROOT), "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"expected a commit, a branch or a tag of the repository {ROOT}, got '{revision}'")
    return done.stdout.strip()


@contextmanager
def built(commit: str, folder: Path) -> Iterator[Path]:
    """The Python of an environment in ``folder`` that has the package of ``commit``, and behind it the packages of the
    running environment; the worktree is removed afterwards. To build it takes minutes of CPU time.

    Raises:
        BuildError: git or pip failed; what they said is in it.
    """
    tree, environment = folder / "tree", folder / "environment"
    _told(["git", "-C", str(ROOT), "worktree", "add", "--quiet", "--detach", str(tree), commit])
    try:
        _told([sys.executable, "-m", "venv", str(environment)])
        python = environment / "bin" / "python"
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", str(tree)]
        _told(pip)  # before the other packages are in sight, or pip would find the package installed
        own = Path(_told([str(python), "-c", SITE]).strip())
        (own / "borrowed.pth").write_text("".join(f"{path}\n" for path in packages(sys.path)))
        yield python
    finally:
        subprocess.run(["git", "-C", str(ROOT), "worktree", "remove", "--force", str(tree)], check=False)


def packages(paths: list[str]) -> list[str]:
    """The folders of installed packages among the entries of `sys.path`, in their order."""
    return [path for path in paths if Path(path).name in ("site-packages", "dist-packages")]


def _told(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
    return done.stdout
