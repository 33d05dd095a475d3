"""Which output channels of one unit stand three times, and on which PEs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fat_fpga.errors import PlanError


@dataclass(frozen=True)
class UnitPlan:
    """Of one matrix-vector unit.

    A row is a physical output channel. Row i is computed by PE ``i mod pe``, in fold ``i div pe`` (FINN's MVAU). Rows
    are counted in the hardened network, channels in the network that was planned for.

    Attributes:
        unit: its name, ``conv1``.
        channels: number of output channels C of the network that was planned for.
        pe, simd: folding of the hardened unit.
        rows: the channel that each row computes; each channel stands there once or three times.
        order: the channel at each position behind the voter, or behind the unit where nothing is replicated: a
            permutation of 0..C-1.
    """

    unit: str
    channels: int
    pe: int
    simd: int
    rows: tuple[int, ...]
    order: tuple[int, ...]

    def __repr__(self) -> str:
        return (
            f"<UnitPlan {self.unit}: {self.channels} channels in {len(self.rows)} rows, PE {self.pe}, SIMD {self.simd}>"
        )

    def __post_init__(self) -> None:
        if self.channels < 1 or self.pe < 1 or self.simd < 1:
            raise PlanError(
                f"{self.unit}: channels, pe and simd must be at least 1, got {self.channels}, {self.pe}, {self.simd}"
            )
        if len(self.order) != self.channels or sorted(self.order) != list(range(self.channels)):
            raise PlanError(f"{self.unit}: order must hold each of the channels 0 to {self.channels - 1} once")
        count = Counter(self.rows)
        if sorted(count) != list(range(self.channels)):
            raise PlanError(f"{self.unit}: rows must hold every channel from 0 to {self.channels - 1}, and no other")
        for channel, times in sorted(count.items()):
            if times not in (1, 3):
                raise PlanError(f"{self.unit}: channel {channel} stands {times} times in rows, expected 1 or 3")
        if len(self.rows) % self.pe:
            raise PlanError(f"{self.unit}: {len(self.rows)} rows cannot be shared evenly by {self.pe} PEs")
        for channel in self.replicated:
            if len({row % self.pe for row in self.copies[channel]}) < 3:
                raise PlanError(
                    f"{self.unit}: the copies of channel {channel}, rows {', '.join(map(str, self.copies[channel]))}, "
                    f"must be on three different PEs of {self.pe}"
                )

    @cached_property
    def copies(self) -> tuple[tuple[int, ...], ...]:
        """For each channel the rows that compute it, ascending: one or three."""
        return copies_of(self.rows, self.channels)

    @property
    def replicated(self) -> tuple[int, ...]:
        """The channels that stand three times, ascending."""
        return tuple(channel for channel, rows in enumerate(self.copies) if len(rows) == 3)

    @property
    def sources(self) -> tuple[tuple[int, int, int], ...]:
        """For each position behind the voter the three rows it is decided by; a single row stands three times."""
        return sources_of(self.copies, self.order)

    @property
    def folds(self) -> int:
        """Rows that one PE computes after each other."""
        return len(self.rows) // self.pe

    @property
    def changed(self) -> bool:
        """Whether the hardened unit differs from the one planned for in more than its folding."""
        return self.rows != tuple(range(self.channels)) or self.order != tuple(range(self.channels))


def copies_of(rows: Sequence[int], channels: int) -> tuple[tuple[int, ...], ...]:
    """For each channel the rows that compute it, ascending."""
    found: list[list[int]] = [[] for _ in range(channels)]
    for row, channel in enumerate(rows):
        found[channel].append(row)
    return tuple(map(tuple, found))


def sources_of(copies: Sequence[Sequence[int]], order: Sequence[int]) -> tuple[tuple[int, int, int], ...]:
    """For each position behind a voter the three rows it is decided by; a single row stands three times."""
    return tuple((rows[0], rows[len(rows) // 2], rows[-1]) for rows in (copies[channel] for channel in order))


def identity_plan(unit: str, channels: int, pe: int, simd: int) -> UnitPlan:
    """A unit that stays as it is."""
    rows = tuple(range(channels))
    return UnitPlan(unit, channels, pe, simd, rows, rows)


def spread_rows(order: Sequence[int], replicated: frozenset[int]) -> tuple[int, ...]:
    """Rows with the copies of each channel side by side: on different PEs wherever there are three or more."""
    return tuple(row for channel in order for row in [channel] * (3 if channel in replicated else 1))
