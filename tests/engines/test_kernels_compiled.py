"""What CMakeLists.txt links into two modules is the same in both."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.commands import ROOT

NATIVE = ROOT / "fat_fpga" / "engines" / "native"


def read_by(file: Path) -> set[Path]:
    """The file and all of the folder that it includes."""
    found, left = set(), [file]
    while left:
        found.add(one := left.pop())
        included = {NATIVE / name for name in re.findall(r'^ *#include "(.+)"', one.read_text(), re.MULTILINE)}
        left += included - found
    return found


def test_all_sources_that_know_of_tiles_are_compiled_for_them() -> None:
    """The module for AMX takes all others as they were compiled for AVX-512."""
    text = (ROOT / "CMakeLists.txt").read_text()
    (own,) = re.findall(r"set\(own (.+)\)", text)
    tiles = re.compile(r"FAT_FPGA_AMX|FAT_TILES|__AMX|MODULE_NAME|simd_amx")
    knowing = {
        file.stem for file in NATIVE.glob("*.cpp") if any(tiles.search(part.read_text()) for part in read_by(file))
    }
    assert knowing == set(own.split("|"))


def test_all_sources_are_compiled() -> None:
    (listed,) = re.findall(r"set\(sources (.+?)\)", (ROOT / "CMakeLists.txt").read_text(), re.DOTALL)
    assert sorted(listed.split()) == sorted(file.stem for file in NATIVE.glob("*.cpp"))
