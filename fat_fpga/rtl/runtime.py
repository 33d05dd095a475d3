"""Verilator's own C++ files, compiled once for many boards: for a small board they take half of the time to build.

The variable ``FAT_FPGA_VERILATED`` names a folder in which their objects are kept. Without it every board compiles
them.
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
            partial = target / f"{found.name}.{os.getpid()}"
            shutil.copyfile(found, partial)
            os.utime(partial, (time.time() + AHEAD,) * 2)
            partial.replace(target / found.name)
