"""What the runner needs of a board, whether there is one or it is simulated."""

from __future__ import annotations

from typing import Protocol

from fat_fpga.board.access import Bus
from fat_fpga.board.description import Address
from fat_fpga.board.stream import Bytes


class Device(Protocol):
    """A programmed accelerator: registers, and frames through DMA."""

    def bus(self, address: Address) -> Bus:
        """The registers of the block at ``address`` of the description; BoardError where there is none."""

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        """Send the beats uint8 [B, bytes], and receive as many as ``beats`` of ``beat_bytes`` bytes.

        Raises:
            HungTransferError: not all of them came in time.
        """

    def restart(self) -> None:
        """Program the accelerator anew: afterwards it is as built, whatever happened before."""
