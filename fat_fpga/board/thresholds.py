"""Stuck channels without any extra hardware: FINN's runtime-writable thresholds.

With all thresholds of a channel at the least value up to a level, and at the largest from there on, the channel holds
that level whatever its accumulator is.
"""

from __future__ import annotations

from itertools import pairwise

from fat_fpga.board.access import Bus
from fat_fpga.board.description import StreamPlace
from fat_fpga.errors import BoardError
from fat_fpga.network.operators.threshold_logic import SEARCH


class WritableThresholds:
    """A unit's threshold memory on the bus.

    Raises:
        BoardError: the memory does not hold what the network was built with, or the hardware searches among words that
            do not ascend.
    """

    def __init__(self, stream: StreamPlace, bus: Bus) -> None:
        assert stream.thresholds is not None
        assert stream.levels is not None
        self.place = stream.place
        self._memory = stream.thresholds
        self._levels = stream.levels
        self._bus = bus
        self._held: dict[int, int] = {}
        self._searching = stream.threshold_logic == SEARCH
        for channel, values in enumerate(self._memory.values):
            self._check_ascending(channel, values)
            self._check(channel, values)

    def hold(self, wanted: dict[int, int]) -> bool:
        """Hold each channel of ``wanted`` at its level, and no other; True if anything was written.

        Raises:
            BoardError: a threshold reads back wrong.
        """
        changed = {channel for channel, _ in wanted.items() ^ self._held.items()}
        for channel in sorted(changed):
            values = self._holding(wanted[channel]) if channel in wanted else self._memory.values[channel]
            self._check_ascending(channel, values)
            self._held.pop(channel, None)
            for index, value in enumerate(values):
                self._bus.write(self._memory.word_address(channel, index), value & self._mask)
            self._check(channel, values)
            if channel in wanted:
                self._held[channel] = wanted[channel]
        return bool(changed)

    def verify(self) -> None:
        """BoardError unless the channels that are held still are, and all others are as built."""
        for channel, values in enumerate(self._memory.values):
            self._check(channel, self._holding(self._held[channel]) if channel in self._held else values)

    def _holding(self, level: int) -> list[int]:
        """A channel's thresholds that hold it at a level."""
        low, high = self._memory.span
        met = self._levels.index(level)
        return [low] * met + [high] * (self._memory.count - met)

    @property
    def _mask(self) -> int:
        return (1 << self._memory.bits) - 1

    def _check_ascending(self, channel: int, values: list[int]) -> None:
        """BoardError for words that a binary search would not find its way in."""
        if self._searching and any(after < before for before, after in pairwise(values)):
            raise BoardError(
                f"{self.place}: the thresholds {values} of channel {channel} do not ascend, and this hardware searches "
                "among them: nothing was written"
            )

    def _check(self, channel: int, values: list[int]) -> None:
        for index, value in enumerate(values):
            address = self._memory.word_address(channel, index)
            found = int(self._bus.read(address)) & self._mask
            if found != value & self._mask:
                raise BoardError(
                    f"{self.place}: threshold [{channel},{index}] (offset {address:#x}) reads back {found:#x} where "
                    f"{value & self._mask:#x} was expected"
                )
