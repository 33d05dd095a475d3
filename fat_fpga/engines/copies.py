"""What detectors see of faults in the copies in front of votes, of many faults at once.

Kernels know a network without its votes, so they see no copy that is outvoted. Such a copy is one row of a unit: here
the rows that faults change are computed by one matrix product for all faults, from the fault-free stream in front of
the unit, and compared with the other copies. That is all of it as long as nothing in front of the unit is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.block import Streams
from fat_fpga.engines.detectors import RANGE, VOTER
from fat_fpga.engines.votes import Voteless, at_channel, rows_of
from fat_fpga.faults import Change, changed_stream
from fat_fpga.faults.changes import ChangedAccumulators, changed_weights, changes_at, stored_words
from fat_fpga.faults.place import INPUT
from fat_fpga.network import MajorityVote, MatrixVectorUnit, Network
from fat_fpga.network.layers import IntArray
from fat_fpga.network.operators.thresholds import activate

ROWS, IMAGES = 256, 16
"""So many rows and images are computed at a time, to bound memory."""
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Hit:
    """A unit in front of a vote with rows that a fault leaves unequal.

    Attributes:
        fault: its number.
        rows: changes of each such row, all at channel 0.
    """

    fault: int
    rows: dict[int, list[Change]]


class Copies:
    """What detectors see in front of votes.

    Args:
        voteless: ``network`` without its votes.
    """

    def __init__(self, network: Network, voteless: Voteless) -> None:
        self._network, self._voteless = network, voteless
        self._position = {layer.name: n for n, layer in enumerate(voteless.network.layers)}
        self._units = {unit.name: unit for unit in network.units}

    def fire(
        self, faults: Sequence[Sequence[Change]], fault_free: Streams, detectors: Sequence[str], first_frame: int
    ) -> list[Flags | None]:
        """Whether a detector fires on each image for what is in front of the votes, bool [N] for each fault; None where
        that takes a trace, because something in front of such a unit is changed, too, or a vote is undecided.

        Args:
            faults: the changes of each.
            fault_free: the streams of the images without a fault, `INPUT` and those behind votes among them.
            detectors: `VOTER` and `RANGE` are looked at. The first is for networks whose copies are `three_alike`.
            first_frame: number of the first image in the data set.
        """
        images = len(fault_free[INPUT])
        found: list[Flags | None] = []
        hits: dict[str, list[_Hit]] = {}
        for number, changes in enumerate(faults):
            loose = self._loose(changes)
            found.append(None if loose is None else np.zeros(images, np.bool_))
            for name, rows in (loose or {}).items():
                hits.setdefault(name, []).append(_Hit(number, rows))
        for name, every in hits.items():
            unit, vote = self._units[name], self._voteless.votes[name]
            into, behind = fault_free[self._network.inputs[name][0]], fault_free[vote.name]
            for some in _parts(every):
                for start in range(0, images, IMAGES):
                    part = slice(start, start + IMAGES)
                    streams = _rows(unit, some, into[part], first_frame + start)
                    for hit, computed in zip(some, streams, strict=True):
                        flags = found[hit.fault]
                        assert flags is not None
                        flags[part] |= _fire(unit, vote, computed, behind[part], detectors)
        return found

    def _loose(self, changes: Sequence[Change]) -> dict[str, dict[int, list[Change]]] | None:
        """By the name of each unit in front of a vote the changes of the rows that are left unequal to another copy."""
        found = {}
        for unit, vote in self._voteless.votes.items():
            own: dict[int, list[Change]] = {}
            for change in changes:
                if change.place == unit:
                    for row in rows_of(change):
                        own.setdefault(row, []).append(at_channel(change, 0))
            loose = _unequal(vote, own, self._voteless.rows[unit].tolist())
            if loose:
                found[unit] = {row: own[row] for row in loose}
        if not found:
            return found
        decided = self._voteless.changes(changes)
        if decided is None:
            return None
        first = min((self._where(change.place) for change in decided), default=len(self._position))
        return None if any(first < self._where(unit) for unit in found) else found

    def _where(self, place: str) -> int:
        return self._position.get(place, -1)


def _unequal(vote: MajorityVote, own: dict[int, list[Change]], numbers: Sequence[int]) -> list[int]:
    """Rows with changes that another copy of a channel does not have, or has in other words, and those of no channel.

    Args:
        numbers: of each row, equal for equal words.
    """
    if not own:
        return []
    loose = set(own) - set(vote.sources.ravel().tolist())
    for three in vote.sources[np.isin(vote.sources, list(own)).any(axis=1)].tolist():
        a, b, c = ((numbers[row], own.get(row)) for row in three)
        if not a == b == c:
            loose |= own.keys() & set(three)
    return sorted(loose)


def _parts(hits: Sequence[_Hit]) -> Iterator[list[_Hit]]:
    """Hits in lists of about `ROWS` rows."""
    some: list[_Hit] = []
    count = 0
    for hit in hits:
        some.append(hit)
        count += len(hit.rows)
        if count >= ROWS:
            yield some
            some, count = [], 0
    if some:
        yield some


def _rows(unit: MatrixVectorUnit, hits: Sequence[_Hit], into: IntArray, first_frame: int) -> list[dict[int, IntArray]]:
    """What the unit gives in the rows of each hit, int32 [N, H, W] by row, from the fault-free stream in front."""
    rows = [row for hit in hits for row in hit.rows]
    changes = [changes for hit in hits for changes in hit.rows.values()]
    moved = [at_channel(change, number) for number, own in enumerate(changes) for change in own]
    alone = unit.dense(rows)
    sums = changed_weights(alone, moved).accumulate(into)
    for number, own in enumerate(changes):
        for change in changes_at(own, unit.name, ChangedAccumulators):
            sums[:, number : number + 1] = change.apply(sums[:, number : number + 1])
    if unit.thresholds is not None and unit.levels is not None:
        sums = activate(sums, stored_words(alone, moved), unit.levels, unit.threshold_logic)
    streams = (
        changed_stream(sums[:, number : number + 1], own, unit.name, first_frame)[:, 0]
        for number, own in enumerate(changes)
    )
    return [{row: next(streams) for row in hit.rows} for hit in hits]


def _fire(
    unit: MatrixVectorUnit, vote: MajorityVote, rows: dict[int, IntArray], behind: IntArray, detectors: Sequence[str]
) -> Flags:
    """Whether a detector fires on each image; ``behind`` is the fault-free stream behind the vote."""
    fired = np.zeros(len(behind), np.bool_)
    if RANGE in detectors and unit.levels is not None:
        for stream in rows.values():
            fired |= ~unit.levels.hold(stream).all(axis=(1, 2))
    if VOTER in detectors:
        for channel in np.flatnonzero(np.isin(vote.sources, list(rows)).any(axis=1)):
            a, b, c = (rows.get(int(row), behind[:, channel]) for row in vote.sources[channel])
            fired |= ((a != b) | (a != c)).any(axis=(1, 2))
    return fired
