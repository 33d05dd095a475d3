"""The table of covered lines, from what coverage.py and gcovr say of two small programs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = """
def sign(x):
    if x < 0:
        return -1
    return 1
assert sign(5) == 1
"""
NATIVE = """
int sign(int x) {
    if (x < 0)
        return -1;
    return 1;
}
int main() { return sign(5) - 1; }
"""
TABLE = """\
| Python | lines | executed | % |
|---|---:|---:|---:|
| engines | 5 | 4 | 80.0 |
| the package itself | 0 | 0 | 100.0 |
| all | 5 | 4 | 80.0 |

| C++ | lines | executed | % |
|---|---:|---:|---:|
| sign.cpp | 5 | 4 | 80.0 |
| all | 5 | 4 | 80.0 |
"""


def run(folder: Path, *command: str) -> str:
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin"}  # nothing that has this run itself measured
    result = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_lines_of_python_and_of_cpp(tmp_path: Path) -> None:
    package = tmp_path / "fat_fpga" / "engines"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("")
    (package / "sign.py").write_text(PYTHON)
    (package / "sign.cpp").write_text(NATIVE)
    python = (sys.executable, "-m")
    run(tmp_path, *python, "coverage", "run", "--source", ".", "fat_fpga/engines/sign.py")
    run(tmp_path, *python, "coverage", "json", "-o", "python.json")
    run(tmp_path, "g++", "-O0", "--coverage", "-o", "sign", "fat_fpga/engines/sign.cpp")
    run(tmp_path, "./sign")
    run(tmp_path, *python, "gcovr", "--root", ".", "--json-summary", "native.json")
    script = Path(__file__).with_name("coverage_table.py")
    assert run(tmp_path, sys.executable, str(script), "python.json", "native.json") == TABLE
