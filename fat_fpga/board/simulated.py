"""The simulated board: an accelerator's RTL, compiled by Verilator, as a device for the runner.

`fat_fpga.rtl.build_board` makes the library of our own RTL, `fat_fpga.finn.simulated.build_simulated_board` that of
FINN's.
"""

from __future__ import annotations

import ctypes
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fat_fpga.board.access import Bus
from fat_fpga.board.description import Address, Description
from fat_fpga.board.stream import Bytes
from fat_fpga.errors import BoardError, HungTransferError

PAGE = 1 << 16
"""Bytes of addresses that each block has."""
CYCLES_A_BEAT = 4096
"""Cycles that a beat, in or out, may take before a transfer counts as hung."""


FUNCTIONS = tuple(
    f"board_{name}" for name in ("open", "close", "reset", "cycles", "write", "read", "transfer", "upset", "stall")
)
"""What the library has."""


def check_owner(library: Path) -> None:
    """Refuse a library that somebody else could have written: loading it runs its code.

    Raises:
        BoardError: there is none, or it or its folder belongs to neither this user nor root, or all users can write it.
    """
    if not library.is_file():
        raise BoardError(f"no simulated board in {library.parent}: there is no libboard.so")
    for place in (library, library.parent):
        status = place.stat()
        if hasattr(os, "getuid") and status.st_uid not in (0, os.getuid()):
            why = f"belongs to another user (number {status.st_uid})"
        elif status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
            why = "can be written by every user"
        else:
            continue
        raise BoardError(
            f"{library} is not loaded, as that runs its code, and {place} {why}: "
            "copy the board's folder to one of yours, with chmod -R o-w"
        )


class SimulatedBoard:
    """A device that computes every clock cycle of the accelerator.

    Args:
        folder: with ``libboard.so`` and ``board.json``.

    Raises:
        BoardError: there is no such board.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        folder = Path(folder).resolve()
        self.description = Description.read(folder / "board.json")
        check_owner(folder / "libboard.so")
        try:
            library = ctypes.CDLL(str(folder / "libboard.so"))
        except OSError as error:
            raise BoardError(f"no simulated board in {folder}: {error}") from error
        missing = [name for name in FUNCTIONS if not hasattr(library, name)]
        if missing:
            raise BoardError(
                f"{folder / 'libboard.so'} is no simulated board, or an older one: it has no function "
                f"{', '.join(missing)}; build it again"
            )
        pointer, size = ctypes.c_void_p, ctypes.c_int64
        library.board_open.restype = pointer
        library.board_close.argtypes = library.board_reset.argtypes = library.board_cycles.argtypes = [pointer]
        library.board_cycles.restype = ctypes.c_uint64
        library.board_write.argtypes = [pointer, ctypes.c_uint32, ctypes.c_uint32]
        library.board_read.argtypes = [pointer, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32)]
        library.board_transfer.argtypes = [pointer, pointer, size, pointer, size, size]
        library.board_transfer.restype = size
        library.board_upset.argtypes = [pointer, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint32, size]
        library.board_stall.argtypes = [pointer, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint64]
        self._library = library
        self._folder = folder
        self._board: int | None = None
        self.restart()

    def restart(self) -> None:
        """As after loading a bitstream: memories as built."""
        self.close()
        before = Path.cwd()
        os.chdir(self._folder)  # FINN's memories read their files from where the simulation starts
        try:
            self._board = self._library.board_open()
        finally:
            os.chdir(before)

    @property
    def cycles(self) -> int:
        """Clock cycles simulated since the last restart."""
        return int(self._library.board_cycles(self._board))

    def bus(self, address: Address) -> Bus:
        """The registers of the block at ``address``."""
        if isinstance(address, str):
            raise BoardError(f"{self._folder}: block {address} is of a bitstream: there is none in this folder")
        return _Registers(self, address)

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        """See `Device.transfer`."""
        data = np.ascontiguousarray(data)
        out = np.zeros((beats, beat_bytes), np.uint8)
        limit = CYCLES_A_BEAT * (len(data) + beats)
        got = self._library.board_transfer(self._board, data.ctypes.data, len(data), out.ctypes.data, beats, limit)
        if got < beats:
            raise HungTransferError(f"{got} of {beats} beats came out within {limit} cycles")
        return out

    def upset(self, block: Address, register: str, mask: int, cycles: int = 0) -> None:
        """Flip bits of a register in the RTL, as a particle does. ``hw/sim/upsets.vlt`` has what can be given upsets.

        Args:
            block: address of a saboteur, or the path of an instance in ``fat_board.sv``.
            register: its name in that module: ``active_value_reg``, ``armed_mode_reg``, ``hits_reg``, ...
            mask: the bits; of wide registers among the lowest 32, of memories in the first word.
            cycles: that pass before, from now on.

        Raises:
            BoardError: there is no such register.
        """
        scope = f"TOP.fat_board.{block if isinstance(block, str) else saboteur_instance(block)}"
        if not self._library.board_upset(self._board, scope.encode(), register.encode(), mask, cycles):
            raise BoardError(f"{self._folder}: no register {register} in {scope}")

    def stall(self, offered: float = 0.0, taken: float = 0.0, seed: int = 0) -> None:
        """Pause at random in transfers from now on, until the board is restarted.

        Args:
            offered, taken: probability, below 1, that in a cycle the next beat is not offered, or that none is taken.
            seed: of the pauses.
        """
        self._library.board_stall(self._board, int(256 * offered), int(256 * taken), seed)

    def close(self) -> None:
        """Give the simulation's memory back."""
        if self._board is not None:
            self._library.board_close(self._board)
            self._board = None

    def _access(self, address: int, data: int | None) -> int:
        word = ctypes.c_uint32(data or 0)
        if data is None:
            done = self._library.board_read(self._board, address, ctypes.byref(word))
        else:
            done = self._library.board_write(self._board, address, data & 0xFFFFFFFF)
        if not done:
            raise BoardError(f"no answer from address {address:#x}")
        return int(word.value)


def saboteur_instance(address: int) -> str:
    """What a saboteur is called in ``fat_board.sv``."""
    return f"fat_saboteur_{address // PAGE}"


@dataclass(frozen=True)
class _Registers:
    board: SimulatedBoard
    address: int

    def read(self, offset: int = 0) -> int:
        return self.board._access(self.address + offset, None)

    def write(self, offset: int, data: int) -> None:
        self.board._access(self.address + offset, data)
