"""A replication plan: which output channels stand three times, what that promises, and what it costs.

The method is selective channel replication (Gambardella et al., cited as [19] in Zahid et al. 2020, section V-C).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from fat_fpga.campaign.measures import ACCURACY
from fat_fpga.errors import PlanError
from fat_fpga.faults.channel import ChannelStuckAt
from fat_fpga.faults.pe import PeStuckAt
from fat_fpga.hardening.target import Target
from fat_fpga.hardening.unit_plan import UnitPlan

CHANNEL, PE = ChannelStuckAt.kind, PeStuckAt.kind
KINDS = (CHANNEL, PE)
"""What a promise can be about: faults of single channels, or of whole PEs."""


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
