"""Reading a checksum hook: what passed through a stream, as `fat_fpga.checksums` computes it.

The block is ``hw/rtl/fat_checksum.sv``. It keeps the checksum of the last whole frame, and a digest over those of all
frames, so that a whole batch is compared by one word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fat_fpga.board.access import Block, Bus
from fat_fpga.board.registers import CHECKSUM, SUM_BITS
from fat_fpga.board.stream import StreamLayout
from fat_fpga.errors import BoardError

WORD = (1 << 32) - 1


def digest(checksums: Sequence[int]) -> int:
    """What the register DIGEST holds after frames with these checksums, in their order; 0 after none.

    Rotated left by one bit and the next checksum added, modulo 2^32.
    """
    found = 0
    for value in checksums:
        found = (found << 1 | found >> 31) + int(value) & WORD
    return found


class Reading(NamedTuple):
    """What a checksum hook saw since it was cleared.

    Attributes:
        frames: whole frames that passed; stops at 2^32 - 1.
        checksum: of the last of them, 24 bits; 0 before the first.
        digest: over the checksums of all of them.
    """

    frames: int
    checksum: int
    digest: int


class ChecksumHook:
    """A checksum hook on a bus.

    Raises:
        BoardError: the block is no checksum hook, or one of another stream.
    """

    def __init__(self, place: str, bus: Bus, layout: StreamLayout) -> None:
        self.place = place
        expected = {"LANES": layout.lanes, "BEATS": layout.beats, "BITS": layout.register.bits}
        self._block = Block(f"checksum of {place}", bus, CHECKSUM, expected)

    def clear(self) -> None:
        """Forget every frame that has passed; BoardError if the hook then still counts some."""
        self._block.command("CLEAR")
        if frames := self._block.read("FRAMES"):
            raise BoardError(f"checksum of {self.place}: it cannot be cleared, it still counts {frames} frames")

    def read(self) -> Reading:
        """What passed since the last ``clear``, all three figures of the same frames.

        Raises:
            BoardError: a frame is stuck half-way through, or frames pass while it is read.
        """
        if not self._block.idle("IN_FRAME"):
            raise BoardError(f"checksum of {self.place}: a frame is stuck half-way through")
        frames, word, found, again = (self._block.read(name) for name in ("FRAMES", "CHECKSUM", "DIGEST", "FRAMES"))
        index = (frames - 1) % 256 if frames else 0
        if word >> SUM_BITS != index or again != frames:
            raise BoardError(
                f"checksum of {self.place}: it counts {frames} frames, then {again}, and its checksum is of frame "
                f"{word >> SUM_BITS} (modulo 256): frames pass while it is read, or a register reads wrong"
            )
        last = word & (1 << SUM_BITS) - 1
        if frames < 2 and found != last:  # the digest of one frame is its checksum
            raise BoardError(f"checksum of {self.place}: a frame has checksum {last:06x} and digest {found:08x}")
        return Reading(frames, last, found)
