"""A Zynq board with PYNQ as a device for the runner.

The bitstream is one that FINN's builder made for a Zynq: its DMA blocks are ``idma0`` and ``odma0``, each with an
AXI-Lite port: 0x00 start and status, 0x10 and 0x14 the buffer's address, 0x1C the number of frames. Its clocking wizard
makes the accelerator's clock from one of 100 MHz. Our blocks, and FINN's writable thresholds, are found in the
overlay's memory map by the name of their partition.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from fat_fpga.board.access import Bus
from fat_fpga.board.description import Address, Description
from fat_fpga.board.stream import Bytes
from fat_fpga.errors import BoardError, HungTransferError

CONTROL, ADDRESS_LOW, ADDRESS_HIGH, FRAMES = 0x00, 0x10, 0x14, 0x1C
START, DONE, IDLE = 0x1, 0x2, 0x4
CLOCK_MHZ = 100.0
"""What the processor feeds into the clocking wizard of FINN's shell."""
PAGE = 1 << 16
"""Bytes of registers that are reached at a block that is named by its address."""
SECONDS = 10.0
"""Longest time that a transfer may take before it counts as hung."""


class PynqDevice:
    """A board that this program runs on.

    Args:
        bitfile: of FINN's build, with its ``.hwh`` beside it.
        description: what was built.
        seconds: limit of one transfer.

    Raises:
        BoardError: PYNQ is not installed, or the bitstream cannot be loaded or has other DMA blocks.
    """

    def __init__(self, bitfile: str | os.PathLike[str], description: Description, seconds: float = SECONDS) -> None:
        try:
            import pynq
            from pynq.ps import Clocks
        except ModuleNotFoundError as error:
            raise BoardError("this needs PYNQ, which is installed on PYNQ's own images: run it on the board") from error
        self._pynq: Any = pynq
        self._clocks: Any = Clocks
        self._bitfile = os.fspath(bitfile)
        self.description = description
        self._seconds = seconds
        self.restart()

    def restart(self) -> None:
        """Load the bitstream again: memories and registers as built."""
        try:
            self._overlay = self._pynq.Overlay(self._bitfile, download=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise BoardError(f"cannot load the bitstream {self._bitfile}: {error}") from error
        missing = [name for name in ("idma0", "odma0") if not hasattr(self._overlay, name)]
        if missing:
            raise BoardError(f"{self._bitfile} has no {' and no '.join(missing)}: is it one of FINN's for a Zynq?")
        self._clocks.fclk0_mhz = CLOCK_MHZ
        self._buffers: dict[tuple[str, int], Any] = {}

    def bus(self, address: Address) -> Bus:
        """The registers of a block, by its name in the memory map or by its physical address.

        Raises:
            BoardError: no block, or more than one, has this name.
        """
        start, size = address, PAGE
        if isinstance(address, str):
            known = self._overlay.ip_dict
            found = [name for name in known if name == address or name.startswith(f"{address}/")]
            if len(found) != 1:
                raise BoardError(
                    f"{self._bitfile} has {len(found) or 'no'} blocks {address} in its memory map, expected one: it "
                    f"and board.json are of two builds (known: {', '.join(sorted(known))})"
                )
            start, size = known[found[0]]["phys_addr"], known[found[0]]["addr_range"]
        return _Registers(self, self._pynq.MMIO(start, size))

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        """See `fat_fpga.board.device.Device.transfer`."""
        self.check_loaded()
        frames = len(data) // self.description.input.beats
        source = self._buffer("in", data.size)
        target = self._buffer("out", beats * beat_bytes)
        np.copyto(np.asarray(source), data.ravel())
        source.flush()
        if not self._overlay.odma0.read(CONTROL) & IDLE:
            raise HungTransferError("the output DMA is still busy with an earlier transfer")
        self._start(self._overlay.odma0, target, frames)
        self._start(self._overlay.idma0, source, frames)
        end = time.monotonic() + self._seconds
        while not self._overlay.odma0.read(CONTROL) & DONE:
            if time.monotonic() > end:
                raise HungTransferError(f"{frames} frames did not come back within {self._seconds:g} s")
            time.sleep(1e-5)
        target.invalidate()
        return np.array(target, np.uint8).reshape(beats, beat_bytes)

    def check_loaded(self) -> None:
        """BoardError if another bitstream has been loaded since: nothing of ours may be touched then."""
        if not self._overlay.is_loaded():
            raise BoardError(f"{self._bitfile} is not on the board any more: another bitstream has been loaded")

    @staticmethod
    def _start(dma: Any, buffer: Any, frames: int) -> None:
        dma.write(ADDRESS_LOW, buffer.device_address & 0xFFFFFFFF)
        dma.write(ADDRESS_HIGH, buffer.device_address >> 32)
        dma.write(FRAMES, frames)
        dma.write(CONTROL, START)

    def _buffer(self, way: str, size: int) -> Any:
        """Memory that DMA reaches; kept, as allocating it is slow."""
        if (way, size) not in self._buffers:
            self._buffers[way, size] = self._pynq.allocate(shape=(size,), dtype=np.uint8, cacheable=True)
        return self._buffers[way, size]


@dataclass(frozen=True)
class _Registers:
    """A block's registers, as long as its bitstream is loaded."""

    device: PynqDevice
    mmio: Any

    def read(self, offset: int = 0) -> int:
        self.device.check_loaded()
        return int(self.mmio.read(offset))

    def write(self, offset: int, data: int) -> None:
        self.device.check_loaded()
        self.mmio.write(offset, data)
