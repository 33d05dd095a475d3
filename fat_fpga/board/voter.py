"""Driving a channel voter: which copies disagreed, and how often."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fat_fpga.board.access import Block, Bus
from fat_fpga.board.registers import COPIES_SHIFT, VOTER
from fat_fpga.board.stream import StreamLayout
from fat_fpga.errors import BoardError

Sources = npt.NDArray[np.int32]
"""int32 [C, 3]: the physical channels that each output channel takes the majority of."""


def triplets(sources: Sources) -> list[int]:
    """The output channels with copies, in the order of a voter's counters."""
    return [c for c, (a, b, d) in enumerate(sources.tolist()) if not a == b == d]


def signature(sources: Sources) -> int:
    """What the voter's SIGNATURE register holds: CRC-32 of the map as 16-bit words, lowest byte first."""
    return zlib.crc32(sources.astype("<u2").tobytes())


def sources_literal(sources: Sources) -> str:
    """The map as the SystemVerilog literal that the parameter SOURCES takes."""
    data = sources.astype("<u2").tobytes()
    return f"{len(data) * 8}'h{int.from_bytes(data, 'little'):0{2 * len(data)}x}"


class Disagreement(NamedTuple):
    """What one triplet saw.

    Attributes:
        channel: output channel.
        pixels: in which copies disagreed; the counter stops at its largest value.
        rows: physical channels that were not as the majority, at least once.
    """

    channel: int
    pixels: int
    rows: tuple[int, ...]


class Voter:
    """A voter on a bus.

    Raises:
        BoardError: the block is no voter, or one with another map.
    """

    def __init__(self, place: str, bus: Bus, front: StreamLayout, behind: StreamLayout, sources: Sources) -> None:
        self.place = place
        self.sources = sources
        self.channels = triplets(sources)
        expected = {
            "CHANNELS": behind.channels,
            "ROWS": front.channels,
            "LANES_IN": front.lanes,
            "LANES_OUT": behind.lanes,
            "BITS": front.register.bits,
            "TRIPLETS": len(self.channels),
            "SIGNATURE": signature(sources),
        }
        self._block = Block(f"voter {place}", bus, VOTER, expected)
        bits = self._block.read("COUNT_BITS")
        if not 1 <= bits <= COPIES_SHIFT or self._block.read("COUNT_BITS") != bits:
            raise BoardError(f"voter {place}: register COUNT_BITS holds {bits:#x}, 1 to {COPIES_SHIFT} was expected")
        self._count_mask = (1 << bits) - 1
        self._block.write("MODE", 0)

    def clear(self) -> None:
        """Set every counter to 0; BoardError if one is not."""
        self._block.command("CLEAR")
        if self._block.read("DISAGREEMENTS"):
            raise BoardError(f"voter {self.place}: its counters cannot be cleared")

    def disagreements(self) -> list[Disagreement]:
        """The triplets that saw copies disagree since the last ``clear``.

        Raises:
            BoardError: its registers do not say the same when they are read again.
        """
        if (entries := self._entries()) != self._entries():
            raise BoardError(f"voter {self.place}: its counters are others when they are read again")
        found = []
        for channel, entry in zip(self.channels, entries, strict=True):
            if entry:
                rows = [int(self.sources[channel, k]) for k in range(3) if entry >> COPIES_SHIFT + k & 1]
                found.append(Disagreement(channel, entry & self._count_mask, tuple(rows)))
        return found

    def _entries(self) -> list[int]:
        """The word of each triplet."""
        assert VOTER.window is not None
        if not self._block.read("DISAGREEMENTS"):
            return [0] * len(self.channels)
        return [int(self._block.bus.read(VOTER.window + 4 * index)) for index in range(len(self.channels))]
