"""The package on the page docs/extending.md, written to a folder as pip would install it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.designs.package import install

from .commands import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = ROOT / "docs" / "extending.md"
_FILE = re.compile(r"^\*\*`(\S+)`\*\*\n\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE)


def page_files() -> dict[str, str]:
    """The files on the page, by path: blocks below a line that names one."""
    return dict(_FILE.findall(PAGE.read_text(encoding="utf-8")))


def install_examples(folder: Path) -> None:
    """Write the package of the page into a folder."""
    files = page_files()
    project = tomllib.loads(files.pop("pyproject.toml"))["project"]
    install(folder, project["name"], files, project["entry-points"], project["version"])
