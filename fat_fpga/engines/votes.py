"""Networks with majority votes, in the terms of a network without them.

Two of three equal copies decide a vote, whatever the third does: ``a & b | a & c | b & c`` is ``a`` where ``a == b``.
So for the network behind the votes a unit with copies is the unit without them, as long as two copies of each channel
compute the same under the same faults; which do is decided here, row by row and fault by fault. Where all three
differ (faults of several copies at once) nothing is decided, and the bits have to be computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import EngineError
from fat_fpga.faults import Change
from fat_fpga.faults.changes import (
    ChangedAccumulators,
    FlippedActivation,
    HeldActivations,
)
from fat_fpga.network import MajorityVote, MatrixVectorUnit, Network
from fat_fpga.network.program import removed

_T = TypeVar("_T")
Numbers = npt.NDArray[np.int64]


class UndecidedVoteError(EngineError):
    """A vote on three rows that all differ: its bits have to be computed."""


@dataclass(frozen=True, eq=False)
class Voteless:
    """A network without its votes, which computes the same.

    Attributes:
        network: each unit in front of a vote has one row for each channel behind it, and the vote is gone. What was the
            stream behind the vote is the stream behind the unit.
        votes: the votes that are gone, by their unit's name.
        rows: for each such unit, int64 [C']: equal numbers for channels with equal weights and thresholds.
    """

    network: Network
    votes: dict[str, MajorityVote]
    rows: dict[str, Numbers]

    @cached_property
    def three_alike(self) -> bool:
        """Whether all three copies in front of every vote are equal without a fault."""
        return all(
            (self.rows[unit][vote.sources] == self.rows[unit][vote.sources[:, :1]]).all()
            for unit, vote in self.votes.items()
        )

    def in_copies(self, changes: Sequence[Change]) -> bool:
        """Whether some of the changes, of the original network, are in front of a vote."""
        return any(change.place in self.votes for change in changes)

    def changes(self, changes: Sequence[Change]) -> tuple[Change, ...] | None:
        """The same changes in `network`; None where the votes' bits have to be computed."""
        if not self.votes:
            return tuple(changes)
        found: list[Change] = []
        for unit, vote in self.votes.items():
            decided = self._decided(unit, vote, [change for change in changes if change.place == unit])
            if decided is None:
                return None
            found += decided
        # what acts behind a vote comes after what acts in front of it
        unit_of = {vote.name: unit for unit, vote in self.votes.items()}
        for change in changes:
            if change.place not in self.votes:
                found.append(replace(change, place=unit_of.get(change.place, change.place)))
        return tuple(found)

    def shown_as(self, place: str) -> str:
        """What the original network calls a place of `network`."""
        return self.votes[place].name if place in self.votes else place

    def channels_of(self, unit: str) -> Numbers | None:
        """For each row of a unit in front of a vote, int64 [M], a channel behind it that is computed from equal weights
        and thresholds; None where a row has none, as a copy that is wrong in the file."""
        sources, numbers = self.votes[unit].sources, self.rows[unit]
        behind = {_majority(numbers[three].tolist()): channel for channel, three in enumerate(sources)}
        if not behind.keys() >= set(numbers.tolist()):
            return None
        return np.array([behind[number] for number in numbers.tolist()], np.int64)

    def _decided(self, unit: str, vote: MajorityVote, changes: Sequence[Change]) -> list[Change] | None:
        if not changes:
            return []
        faults: dict[int, list[Change]] = {}
        for change in changes:
            for row in rows_of(change):
                faults.setdefault(row, []).append(at_channel(change, 0))
        found: dict[int, list[Change]] = {}
        for channel in np.flatnonzero(np.isin(vote.sources, list(faults)).any(axis=1)):
            copies = [(self.rows[unit][row], faults.get(int(row), [])) for row in vote.sources[channel]]
            winner = _majority(copies)
            if winner is None:
                return None
            found[int(channel)] = winner[1]
        same = next(iter(found.values()), [])
        if len(same) == 1 and isinstance(same[0], HeldActivations) and all(each == same for each in found.values()):
            return [replace(same[0], channels=span) for span in _spans(sorted(found))]
        return [at_channel(change, channel) for channel, each in found.items() for change in each]


def without_votes(network: Network) -> Voteless:
    """The network without its votes.

    Raises:
        UndecidedVoteError: the three rows of a vote all differ, so that no two of them decide it.
    """
    layers, votes, rows = network.layers, {}, {}
    for unit in network.units:
        vote = network.vote_behind(unit.name)
        if vote is None:
            continue
        if not unit.plain:
            raise UndecidedVoteError(f"{vote.name}: it votes on a grouped or dilated convolution")
        numbers = _equal_rows(unit)
        chosen = [_majority([(numbers[row], row) for row in copies], lambda copy: copy[0]) for copies in vote.sources]
        if None in chosen:
            raise UndecidedVoteError(
                f"{vote.name}: the three rows of channel {chosen.index(None)} all differ, so that no two of "
                "them decide its vote"
            )
        votes[unit.name], rows[unit.name] = vote, numbers
        first = [copy[1] for copy in chosen if copy is not None]
        now = {layer.unit.name: layer.unit for layer in layers if layer.unit is not None}  # a vote in front is gone
        thresholds = None if unit.thresholds is None else unit.thresholds[first]
        single = replace(now[unit.name], weights=unit.weights[first], thresholds=thresholds)
        layers = removed([single if layer.name == unit.name else layer for layer in layers], vote.name)
    return Voteless(replace(network, layers=layers) if votes else network, votes, rows)


def _equal_rows(unit: MatrixVectorUnit) -> Numbers:
    """int64 [M]: a number for each channel, the same for channels with the same weights and thresholds."""
    flat = unit.weights.reshape(unit.channels, -1)
    if unit.thresholds is not None:
        flat = np.concatenate([flat, unit.thresholds], axis=1)
    numbers: Numbers = np.unique(flat, axis=0, return_inverse=True)[1].reshape(-1)
    return numbers


def _majority(three: Sequence[_T], key: Callable[[_T], object] = lambda copy: copy) -> _T | None:
    """One of two equal ones, None where all differ."""
    a, b, c = three
    if key(a) == key(b) or key(a) == key(c):
        return a
    return b if key(b) == key(c) else None


def rows_of(change: Change) -> Iterable[int]:
    """Channels of the unit that a change concerns."""
    if isinstance(change, HeldActivations):
        return change.channels
    return (change.channel,) if isinstance(change, ChangedAccumulators) else (change.index[0],)


def at_channel(change: Change, channel: int) -> Change:
    """The change in another channel, and in that one alone."""
    if isinstance(change, HeldActivations):
        return replace(change, channels=range(channel, channel + 1))
    if isinstance(change, ChangedAccumulators):
        return replace(change, channel=channel)
    if isinstance(change, FlippedActivation):
        return replace(change, index=(channel, *change.index[1:]))
    return replace(change, index=(channel, *change.index[1:]))


def _spans(channels: Sequence[int]) -> list[range]:
    """Ascending numbers as few evenly spaced ranges, greedily."""
    spans: list[range] = []
    at = 0
    while at < len(channels):
        end, step = at + 1, 1
        if end < len(channels):
            step = channels[end] - channels[at]
            while end < len(channels) and channels[end] - channels[end - 1] == step:
                end += 1
        spans.append(range(channels[at], channels[end - 1] + 1, step))
        at = end
    return spans
