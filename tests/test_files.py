"""Writing files whole or not at all, and not over what is read."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from fat_fpga.files import check_writable, replacing


def write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text)


def test_a_link_is_followed_and_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    (tmp_path / "ahead").symlink_to(tmp_path / "not yet")
    write(tmp_path / "ahead", "first")
    assert (tmp_path / "not yet").read_text() == "first"


def test_the_mode_of_a_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o640)
    write(path, "new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_pipe_takes_what_is_written(tmp_path: Path) -> None:
    path, read = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: read.append(path.read_text()))
    reader.start()
    write(path, "through")
    reader.join(10)
    assert read == ["through"]
    assert path.is_fifo()
    assert [entry.name for entry in tmp_path.iterdir()] == ["pipe"]


def test_a_device_stays_a_device() -> None:
    write(Path(os.devnull), "gone")
    assert Path(os.devnull).is_char_device()


def test_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_an_input_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    (tmp_path / "c").symlink_to(tmp_path / "a")
    for name in "abc":
        with pytest.raises(FileExistsError, match="it is read here and would be lost"):
            check_writable(tmp_path / name, tmp_path / "x", tmp_path / "a")
    check_writable(tmp_path / "d", tmp_path / "a", "cnv_w1a1")
