"""A replication plan: which output channels of which unit stand three times, where, and what that promises.

The method is selective channel replication (Gambardella et al., cited as [19] in Zahid et al. 2020, section V-C).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf

from fat_fpga.campaign.counted import COST, TOP5
from fat_fpga.campaign.measures import ACCURACY, CLASS
from fat_fpga.errors import PlanError
from fat_fpga.faults.channel import ChannelStuckAt
from fat_fpga.faults.pe import PeStuckAt
from fat_fpga.text import percent

CHANNEL, PE = ChannelStuckAt.kind, PeStuckAt.kind
ERRORS = {
    ACCURACY: "worst-case error",
    TOP5: "worst-case top-5 error",
    CLASS: "worst-case error of a class",
    COST: "worst-case mean cost of an image",
}
"""What plans can promise to be low, by the measure that it is about."""
KINDS = (CHANNEL, PE)
"""What a promise can be about: faults of single channels, or of whole PEs."""


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


@dataclass(frozen=True)
class Target:
    """What a promise is about: a measure of a campaign (`fat_fpga.campaign.measures`), of which more is better.

    Attributes:
        name: ``accuracy``, ``top5``, ``class`` (lowest accuracy of a class) or ``cost``.
        most: the measure where nothing is wrong; of accuracies the number of images.
        full: the error where everything is: 100 percent, or the highest cost of an image.
        matrix: the cost matrix, as campaigns count it; empty for other measures.
    """

    name: str
    most: int
    full: Fraction = Fraction(100)
    matrix: str = ""

    def __post_init__(self) -> None:
        if self.name not in ERRORS:
            raise PlanError(f"target must be one of {', '.join(ERRORS)}, got '{self.name}'")
        if self.most < 1 or self.full <= 0 or bool(self.matrix) != (self.name == COST):
            raise PlanError(f"target '{self.name}' needs what it is at most, and a cost matrix where it is {COST}")

    @property
    def title(self) -> str:
        """What is promised to be low: ``worst-case error``."""
        return ERRORS[self.name]

    @property
    def costs(self) -> bool:
        """Whether its error is a cost, and no share."""
        return self.name == COST

    @property
    def about_images(self) -> bool:
        """Whether the measure is a number of images, so that intervals for other images are known."""
        return self.name not in (CLASS, COST)

    def error(self, value: float) -> float:
        """The error in percent that a value of the measure is; of costs the mean cost of an image."""
        return float(self.full) * (self.most - value) / self.most

    def text(self, value: float) -> str:
        """The error for people, with its unit."""
        return f"{self.error(value):.4g}" if self.costs else f"{percent(self.error(value))} %"


@dataclass(frozen=True)
class Expected:
    """What the campaign counted for one fault of the network planned for.

    For a plan about PEs, the PEs are those of the reordered network without copies: PE p computes the channels at the
    positions p, p + PE, ... of ``UnitPlan.order``.

    Attributes:
        fault: its text form.
        correct: images classified correctly under the fault.
        changed: images whose predicted class differs from the fault-free one.
        value: the measure that the promise is about, where that is not ``correct``.
    """

    fault: str
    correct: int
    changed: int
    value: int | None = None

    @property
    def measured(self) -> int:
        """What the promise is about."""
        return self.correct if self.value is None else self.value


@dataclass(frozen=True)
class Cost:
    """One figure of merit of the network without protection, as planned, and with every channel triplicated.

    Attributes:
        name: what it is, ``MACs, fully unrolled``.
        full_tmr: None where full triplication cannot be built.
    """

    name: str
    unprotected: float
    planned: float
    full_tmr: float | None

    @property
    def ratio(self) -> float:
        """Planned over unprotected; 1 where both are nothing."""
        if not self.unprotected:
            return inf if self.planned else 1.0
        return self.planned / self.unprotected


@dataclass(frozen=True)
class Plan:
    """Which channels to triplicate, and what that promises.

    Attributes:
        model: name of the network planned for.
        fingerprint: `Network.fingerprint` of it.
        dataset, dataset_fingerprint: the images that the promise is about.
        images: number of images.
        golden_correct: images that the fault-free network classifies correctly; for another target its measure.
        kind: ``channel`` or ``pe``: which faults the promise is about.
        asked: what the plan was asked for, in words.
        worst_correct: promised: no fault of the kind in a unit leaves fewer images correct; for another target, no
            lower measure.
        units: every unit, in network order. The last one is never replicated.
        expected: every fault of the kind in the network planned for, with its counts.
        costs: figures of the cost models.
        part: the device that the plan fits, if one was named.
        notes: what was rounded up, and why.
        others: faults of the kind in layers that are no units, with their counts. No copies protect these layers, and
            the promise leaves them out.
        target: what the promise is about; None for accuracy.
    """

    model: str
    fingerprint: str
    dataset: str
    dataset_fingerprint: str
    images: int
    golden_correct: int
    kind: str
    asked: str
    worst_correct: int
    units: tuple[UnitPlan, ...]
    expected: tuple[Expected, ...]
    costs: tuple[Cost, ...] = ()
    part: str | None = None
    notes: tuple[str, ...] = ()
    others: tuple[Expected, ...] = ()
    target: Target | None = None

    def __repr__(self) -> str:
        return f"<Plan for {self.model}: {self.asked}; {self.replicated} channels three times>"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise PlanError(f"kind must be {' or '.join(KINDS)}, got '{self.kind}'")
        most = self.about.most
        if not 0 <= self.worst_correct <= most or not 0 <= self.golden_correct <= most:
            raise PlanError(
                f"worst_correct {self.worst_correct} and golden_correct {self.golden_correct} must lie in "
                f"0..{most}, {'the number of images' if self.target is None else 'the most of the target'}"
            )
        names = [unit.unit for unit in self.units]
        if not names or len(set(names)) < len(names):
            raise PlanError(f"a plan needs each unit once, got {', '.join(names) or 'none'}")
        last = self.units[-1]
        if last.rows != tuple(range(last.channels)) or last.order != last.rows:
            raise PlanError(f"{last.unit}: the last unit gives the class scores and is never replicated or reordered")

    @property
    def replicated(self) -> int:
        """Number of channels that stand three times."""
        return sum(len(unit.replicated) for unit in self.units)

    @property
    def about(self) -> Target:
        """What the promise is about."""
        return self.target or Target(ACCURACY, self.images)

    @property
    def worst_error(self) -> float:
        """Promised worst-case error in percent, 100 less the accuracy under the worst fault; of costs the mean cost of
        an image."""
        return self.about.error(self.worst_correct)

    def unit(self, name: str) -> UnitPlan:
        """The plan of the unit called ``name``; PlanError lists the known ones."""
        for unit in self.units:
            if unit.unit == name:
                return unit
        raise PlanError(f"the plan has no unit '{name}': it has {', '.join(unit.unit for unit in self.units)}")


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
