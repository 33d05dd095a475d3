"""The wheel, and environments outside the repository that it is installed into: ``make test-wheel``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


LOWEST = "lowest"
VERSIONS = ("known to work", *([LOWEST] if os.environ.get("FAT_FPGA_LOWEST") else []))
"""Of the requirements."""

CLEAN = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
"""The environment variables of the programs: none that points to the repository."""


def given(variable: str) -> Path:
    """The path in an environment variable that ``make test-wheel`` sets; skips the test where it is not set."""
    if variable not in os.environ:
        pytest.skip("needs a wheel and environments: make test-wheel")
    return ROOT / os.environ[variable]


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and an empty folder to work in."""

    environment: Path
    folder: Path

    def __call__(self, *command: str) -> str:
        """What a program of the environment prints, run in the folder with nothing of this process's environment."""
        return execute(self._path(command[0]), *command[1:], folder=self.folder, environment=CLEAN).stdout

    def refusal(self, *command: str) -> str:
        """What a program says on stderr that exits with 2."""
        program = self._path(command[0])
        return execute(program, *command[1:], folder=self.folder, environment=CLEAN, code=2).stderr

    def _path(self, program: str) -> str:
        return str(self.environment / "bin" / program)


def execute(
    *command: str, folder: Path, environment: Mapping[str, str], code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the command in the folder; fails the test, with all that it printed, where it exits with another code."""
    result = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True)
    assert result.returncode == code, f"{' '.join(command)}\n{result.stdout}\n{result.stderr}"
    return result


def install(python: Path, *arguments: str, folder: Path) -> None:
    """``pip install``, with this machine's settings for pip."""
    pip = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    execute(str(python), *pip, *arguments, folder=folder, environment=settings)


@pytest.fixture(scope="session")
def wheel() -> Path:
    (path,) = given("FAT_FPGA_WHEEL").glob("*.whl")
    return path


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return BytesParser().parsebytes(archive.read(name))


def requirements(metadata: Message) -> list[str]:
    """What the wheel requires without any extra."""
    return [text for text in metadata.get_all("Requires-Dist") or [] if "extra ==" not in text]


@pytest.fixture(scope="session", params=VERSIONS)
def installed(
    wheel: Path, metadata: Message, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Installed:
    """An environment that was empty, with the wheel and what it requires: versions known to work, or the oldest."""
    environment, folder = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("elsewhere")
    execute(sys.executable, "-m", "venv", str(environment), folder=folder, environment=os.environ)
    constraints = ROOT / "constraints.txt"
    if request.param == LOWEST:
        constraints = tmp_path_factory.mktemp("constraints") / "lowest.txt"
        constraints.write_text(
            "\n".join(re.sub(r"^(\w+).*?>=([\d.]+)[^;]*", r"\1==\2", r) for r in requirements(metadata))
        )
    install(environment / "bin" / "python", "--constraint", str(constraints), str(wheel), folder=folder)
    return Installed(environment, folder)


@pytest.fixture(scope="session")
def installed_with_finn(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A copy of FINN's environment, with the wheel where the repository was."""
    original = given("FAT_FPGA_FINN")
    environment, folder = ROOT / "build" / "finn-with-wheel", tmp_path_factory.mktemp("elsewhere")
    execute("rm", "-rf", str(environment), folder=folder, environment=CLEAN)
    execute("cp", "--archive", "--link", str(original), str(environment), folder=folder, environment=CLEAN)
    install(environment / "bin" / "python", "--no-deps", "--force-reinstall", str(wheel), folder=folder)
    return Installed(environment, folder)
