"""Our SystemVerilog sources: where they are, and what each module is compiled from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from fat_fpga.errors import FinnError

BLOCKS = ("fat_saboteur", "fat_voter", "fat_checksum")
"""The modules that are put into an accelerator's streams."""

_MANIFEST = "modules.json"


@cache
def folder() -> Path:
    """The folder ``hw``: beside the package in a checkout of the repository, inside it in an installed package.

    Raises:
        FinnError: it is in neither place.
    """
    package = Path(__file__).parent
    for place in (package / "hw", package.parent / "hw"):
        if (place / _MANIFEST).is_file():
            return place
    raise FinnError(f"no {_MANIFEST} in {package / 'hw'}: the package's SystemVerilog is missing; install it again")


def modules() -> dict[str, tuple[str, ...]]:
    """For each module its source files, relative to `folder`, in the order in which they are compiled."""
    listed = json.loads((folder() / _MANIFEST).read_text(encoding="utf-8"))
    return {name: tuple(files) for name, files in listed.items()}


def sources(names: Iterable[str] = BLOCKS) -> list[Path]:
    """The files that these modules are compiled from, each once, in the order in which they are compiled.

    Raises:
        FinnError: the package holds no such module or file.
    """
    known = modules()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise FinnError(f"no module '{unknown[0]}': there are {', '.join(known)}")
    files = [folder() / file for file in dict.fromkeys(file for name in names for file in known[name])]
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise FinnError(f"{missing[0]} is missing: install the package again")
    return files
