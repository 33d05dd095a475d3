"""Streams in front of majority votes, from the streams behind them: the rows of a unit, copies included.

A network without its votes (`fat_fpga.engines.votes`) has one row for each channel. What the other rows hold follows
from these, as long as a fault does not act between a unit and its vote and elsewhere at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fat_fpga.engines.block import Streams
from fat_fpga.engines.votes import Voteless
from fat_fpga.faults import Change
from fat_fpga.faults.changes import FlippedActivation, HeldActivations, changed_stream


class VotedRows:
    """The rows in front of each vote of a network.

    Attributes:
        channels: of each unit in front of a vote, for each of its rows a channel of the vote that is computed from
            equal weights and thresholds, int64 [M]. A unit is missing where a row has none.
    """

    def __init__(self, voteless: Voteless) -> None:
        self._votes = {unit: vote.name for unit, vote in voteless.votes.items()}
        found = {unit: voteless.channels_of(unit) for unit in voteless.votes}
        self.channels = {unit: channels for unit, channels in found.items() if channels is not None}

    def follow(self, changes: Sequence[Change]) -> bool:
        """Whether `add` takes these changes."""
        for unit in self.channels:
            if not self._touched(unit, changes):
                continue
            if not {change.place for change in changes} <= {unit, self._votes[unit]}:
                return False
            if not all(isinstance(c, HeldActivations | FlippedActivation) for c in changes if c.place == unit):
                return False
        return True

    def add(
        self, streams: Streams, changes: Sequence[Change], first_frame: int, fault_free: Callable[[], Streams]
    ) -> Streams:
        """The streams with those in front of votes, int32 [N, M, H, W].

        Args:
            streams: those behind votes among them, under these changes.
            changes: as `follow` takes them.
            first_frame: number of the first image in the data set.
            fault_free: gives the same streams without changes.
        """
        found = dict(streams)
        for unit, channels in self.channels.items():
            behind = fault_free() if self._touched(unit, changes) else streams
            rows = behind[self._votes[unit]][:, channels]
            found[unit] = changed_stream(rows, changes, unit, first_frame)
        return found

    def _touched(self, unit: str, changes: Sequence[Change]) -> bool:
        return any(change.place in (unit, self._votes[unit]) for change in changes)
