"""What is compiled once for many boards: Verilator's own C++ files, for a small board half of the time to build, and
the library of boards that differ in the contents of their memories only, as those of one network with other weights.

The variable ``FAT_FPGA_VERILATED`` names a folder in which they are kept. Without it every board compiles them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path

from fat_fpga.files import make_folder

VARIABLE = "FAT_FPGA_VERILATED"
AHEAD = 3600.0
"""Seconds by which a copied object is newer than the makefile that it depends on."""


def kept_objects(*key: object) -> Path | None:
    """The folder of objects that were compiled in this way, or None where no objects are kept.

    Args:
        key: all that an object depends on: Verilator, and flags.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        return None
    return make_folder(Path(folder) / hashlib.sha256(repr(key).encode()).hexdigest()[:16])


def copy_objects(source: Path, target: Path) -> None:
    """Copy the objects of ``source`` that ``target`` does not have. Each appears whole, so that boards can be built at
    the same time."""
    for found in source.glob("verilated*.o"):
        if not (target / found.name).exists():
            keep(found, target / found.name, AHEAD)


def keep(file: Path, target: Path, ahead: float = 0.0) -> None:
    """Copy a file, which appears whole.

    Args:
        ahead: seconds by which the copy is newer than now.
    """
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copyfile(file, partial)
    os.utime(partial, (time.time() + ahead,) * 2)
    partial.replace(target)


def written_code(build: Path, *more: Path) -> str:
    """A hash of all that is compiled: the C++ and the makefiles that Verilator wrote, and further files."""
    found = hashlib.sha256()
    for path in (*sorted(build.glob("Vfat_board*")), *more):
        if path.suffix in {".cpp", ".h", ".mk"}:
            text = path.read_bytes()
            found.update(f"{path.name} {len(text)}\n".encode() + text)
    return found.hexdigest()[:32]
