"""The library of a simulated board runs code: it is loaded only where nobody else can have written it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fat_fpga.board import open_board
from fat_fpga.board.simulated import check_owner
from fat_fpga.errors import BoardError
from fat_fpga.network.network_file import write_network
from tests.board.fake import describe, small_network

SOMEBODY = 54_321


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A board's folder, whose library is another one, of Python's own."""
    import _decimal

    folder = tmp_path / "board"
    folder.mkdir(mode=0o755)
    describe(small_network()).write(folder / "board.json")
    write_network(small_network(), folder / "network.npz")
    shutil.copy(_decimal.__file__, folder / "libboard.so")
    (folder / "libboard.so").chmod(0o644)
    return folder


def test_one_of_ones_own_is_looked_into(folder: Path) -> None:
    check_owner(folder / "libboard.so")
    with pytest.raises(
        BoardError, match=r"libboard\.so is no simulated board, or an older one: it has no function board_open"
    ):
        open_board(folder)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "libboard.so").chmod(0o666), r"libboard\.so can be written by every user"),
        (lambda folder: folder.chmod(0o777), "board can be written by every user"),
        (lambda folder: (folder / "libboard.so").unlink(), r"there is no libboard\.so"),
    ],
)
def test_one_that_others_can_write(folder: Path, spoil: Callable[[Path], None], message: str) -> None:
    spoil(folder)
    with pytest.raises(BoardError, match=message):
        open_board(folder)


@pytest.mark.parametrize("what", ["libboard.so", "."])
def test_one_of_another_user(folder: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.getuid() == 0:
        os.chown(folder / what, SOMEBODY, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: SOMEBODY)
    with pytest.raises(
        BoardError, match=r"is not loaded, as that runs its code, and .* belongs to another user"
    ) as raised:
        open_board(folder)
    assert "copy the board's folder to one of yours" in str(raised.value)
