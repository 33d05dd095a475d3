"""Verilator's own objects are kept where a variable says so, for each way to compile them, and taken from there."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from fat_fpga.rtl.runtime import VARIABLE, copy_objects, kept_objects, written_code


def test_nothing_is_kept_without_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert kept_objects("-O1") is None


def test_a_folder_for_each_way_to_compile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "kept"))
    folders = [kept_objects("-O1", flags) for flags in ((), ("--vpi",), ())]
    assert folders[0] == folders[2] != folders[1]
    assert all(folder is not None and folder.is_dir() for folder in folders)


def test_objects_go_there_and_back(tmp_path: Path) -> None:
    first, kept, second = (tmp_path / name for name in ("first", "kept", "second"))
    for folder in (first, kept, second):
        folder.mkdir()
    for name in ("verilated.o", "verilated_vpi.o", "board.o", "Vfat_board__ALL.o"):
        (first / name).write_text(name)
    copy_objects(first, kept)
    copy_objects(kept, second)
    assert sorted(path.name for path in second.iterdir()) == ["verilated.o", "verilated_vpi.o"]  # not the board's own
    assert (second / "verilated.o").read_text() == "verilated.o"
    assert (second / "verilated.o").stat().st_mtime > time.time() + 60  # than the makefile that is written next
    os.utime(second / "verilated.o", (0, 0))
    copy_objects(kept, second)
    assert (second / "verilated.o").stat().st_mtime == 0  # what is there stays


def test_the_code_of_a_board_is_known_by_all_that_is_compiled(tmp_path: Path) -> None:
    host = tmp_path / "board.cpp"
    host.write_text("host")
    for name in ("Vfat_board.cpp", "Vfat_board.h", "Vfat_board.mk", "Vfat_board__ver.d", "verilated.o"):
        (tmp_path / name).write_text(name)
    before = written_code(tmp_path, host)
    for name in ("Vfat_board__ver.d", "verilated.o"):  # where sources are, and what is made from them
        (tmp_path / name).write_text("other")
    assert written_code(tmp_path, host) == before
    for name in ("Vfat_board.cpp", "Vfat_board.h", "Vfat_board.mk", "board.cpp"):
        (tmp_path / name).write_text("other")
        assert written_code(tmp_path, host) != before
        (tmp_path / name).write_text("host" if name == "board.cpp" else name)
    assert written_code(tmp_path, host) == before
