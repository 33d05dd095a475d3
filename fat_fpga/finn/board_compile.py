"""Compiling a simulated board with Verilator: FINN's files from where FINN is installed, ours, and the top module."""

from __future__ import annotations

import shutil
from pathlib import Path

from fat_fpga import hardware
from fat_fpga.board.description import Description
from fat_fpga.rtl.verilated import compile_library

MVU = ("mvu_pkg.sv", "mvu_vvu_axi.sv", "replay_buffer.sv", "mvu.sv", "mvu_vvu_8sx9_dsp58.sv")
LIBRARY = ("thresholding/hdl/thresholding.sv", "thresholding/hdl/thresholding_axi.sv", "axi/hdl/axilite.sv",
           "memstream/hdl/memstream.sv", "memstream/hdl/memstream_axi.sv")  # fmt: skip


def compile_board(folder: Path, description: Description) -> None:
    """``libboard.so`` in ``folder``, where ``fat_board.sv`` and the files that FINN generated lie.

    Raises:
        BoardError: Verilator is missing, or refuses.
        FinnError: our own RTL is not there.
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
    sources.append(hardware.folder() / "sim" / "upsets.vlt")
    compile_library(folder, description, sources, ("--vpi", "-DFINN_SIMULATION"), "-O1")


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
