"""The manifest of our SystemVerilog, and where an installed package keeps the files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fat_fpga import hardware
from fat_fpga.board.description import StreamPlace
from fat_fpga.board.stream import StreamLayout
from fat_fpga.errors import FinnError
from fat_fpga.faults.register import Register
from fat_fpga.finn.board_top import Stage, top_module
from fat_fpga.finn.operators.wrapper import wrapper


def test_the_manifest_names_every_file_and_nothing_else() -> None:
    listed = {file for files in hardware.modules().values() for file in files}
    there = {str(file.relative_to(hardware.folder())) for file in hardware.folder().rglob("*.sv")}
    # Nothing is built of proofs, and of parts that are synthesised alone.
    assert listed == {file for file in there if not file.startswith(("formal/", "syn/"))}


@pytest.mark.parametrize("module", hardware.modules())
def test_a_module_has_all_that_it_instantiates_in_front_of_it(module: str) -> None:
    names = [Path(file).stem for file in hardware.modules()[module]]
    for file in hardware.sources([module]):
        used = set(re.findall(r"\bfat_[a-z_]+(?=\s*#\(|\s+[a-z_]+\s*\(|::)", file.read_text(encoding="utf-8")))
        earlier = names[: names.index(file.stem)]
        assert (used - {file.stem}) & set(hardware_files()) <= set(earlier), f"{file.name} in {module}"


def hardware_files() -> list[str]:
    return [file.stem for file in hardware.folder().rglob("*.sv")]


def test_blocks_are_compiled_once_each_in_order() -> None:
    files = [file.name for file in hardware.sources()]
    assert len(files) == len(set(files))
    assert files[0] == "fat_registers_pkg.sv"


def test_an_unknown_module_is_named() -> None:
    with pytest.raises(FinnError, match=r"no module 'fat_toaster': there are fat_saboteur, "):
        hardware.sources(["fat_toaster"])


def test_generated_modules_have_a_time_scale() -> None:
    """Front ends refuse designs in which some modules have one and others do not."""
    layout = StreamLayout(4, 1, 1, 2, Register(2, True))
    scores = StreamPlace("fc0", layout, None, checksum=0)
    texts = [
        wrapper("top", "fat_saboteur", {"LANES": 2}, 4, 4),
        top_module([Stage("mvau", 8, 4, None, (scores,))], layout, layout),
        *(file.read_text(encoding="utf-8") for file in hardware.sources([*hardware.BLOCKS, "fat_board"])),
    ]
    for text in texts:
        assert re.search(r"^`timescale 1ns / 1ps$.*^(module|package) ", text, re.MULTILINE | re.DOTALL), text[:200]
