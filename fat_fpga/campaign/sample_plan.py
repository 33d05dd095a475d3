"""How many faults each part of a fault space gets, so that every share is known to a margin of error.

Three ways to cut a space are in the literature, and all are here: the whole network (Leveugle et al., DATE 2009), each
layer, and each bit of each layer, *data-unaware* with a share of 0.5, or *data-aware* with a share that follows from
the mean change that a flip of the bit makes (Ruospo et al., DATE 2023). Whatever was expected, a campaign goes on
until the margin is reached in each stratum.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fat_fpga.campaign.bit_changes import expected_shares
from fat_fpga.campaign.run import Run
from fat_fpga.campaign.sample_size import GROWTH, margin_of, needed, sample_size
from fat_fpga.campaign.sampling import key_of
from fat_fpga.campaign.selection import LEAST, Selection
from fat_fpga.campaign.shares import is_changing, is_harmful
from fat_fpga.errors import CampaignError
from fat_fpga.faults import AnySubject, FaultSpace
from fat_fpga.faults.strata import Key, check_axes, strata

EXHAUSTIVE = 0.9
"""Where a plan takes more than this share of the faults, all of them cost hardly more and leave no margin."""


@dataclass(frozen=True)
class PlannedStratum:
    """A part of a fault space and what a plan makes of it.

    Attributes:
        key: one word for each axis.
        population: faults in it.
        share: the share of faults expected to be hit, for which the number is.
        count: draws.
    """

    key: Key
    population: int
    share: float
    count: int

    @property
    def exhaustive(self) -> bool:
        """Whether all faults cost hardly more."""
        return self.count > EXHAUSTIVE * self.population


@dataclass(frozen=True)
class MarginReached:
    """What the draws of a stratum have reached.

    Attributes:
        population, drawn: faults in the stratum, and drawn from it.
        changing, harmful: draws that change any prediction, and that cost more than a point of accuracy.
        margin: of the less exact of the two shares, in percentage points.
        needed: draws that both shares take for the plan's margin.
    """

    key: Key
    population: int
    drawn: int
    changing: int
    harmful: int
    margin: float
    needed: int


@dataclass(frozen=True)
class SamplePlan:
    """A margin of error for each stratum.

    >>> plan = SamplePlan(margin=1, confidence=99, by=("layer", "bit"))
    >>> faults = plan.selection(fault_space(network, "weight"), network)   # doctest: +SKIP

    Attributes:
        margin: in percentage points.
        confidence: in percent.
        by: what the space is cut by, of ``fat_fpga.faults.strata.AXES``; kinds are always apart. ``("kind",)`` is
            the whole network.
        aware: the first draws follow from what flips of bits change (data-aware).
        pilot: first draws of each stratum, or None; with ``aware`` at least so many.
        seed: of the draws.
    """

    margin: float
    confidence: float = 95.0
    by: tuple[str, ...] = ("kind",)
    aware: bool = False
    pilot: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_axes(self.by)
        if not 0 < self.margin <= 50 or not 0 < self.confidence < 100:
            raise CampaignError(
                f"a margin lies above 0 %, at most at 50 %, and a confidence between 0 and 100 %, got {self.margin:g} "
                f"and {self.confidence:g}"
            )
        if self.pilot is not None and self.pilot < 1:
            raise CampaignError(f"a pilot takes at least one fault of each stratum, got {self.pilot}")

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(("kind", *self.by)))

    @property
    def text(self) -> str:
        """``1 % at 99 %, by kind, layer, data-unaware, seed 0``."""
        how = "data-aware" if self.aware else "data-unaware"
        pilot = "" if self.pilot is None else f", pilot of {self.pilot:,} from each stratum"
        return f"{self.margin:g} % at {self.confidence:g} %, by {', '.join(self.axes)}, {how}{pilot}, seed {self.seed}"

    @property
    def entry(self) -> str:
        """As `Origin` keeps it."""
        return json.dumps(
            {"margin": self.margin, "confidence": self.confidence, "by": list(self.by), "aware": self.aware,
             "pilot": self.pilot, "seed": self.seed}
        )  # fmt: skip

    @classmethod
    def read(cls, entry: str) -> SamplePlan:
        """From ``entry``; CampaignError if it is none."""
        try:
            content: dict[str, Any] = json.loads(entry)
            return cls(**{**content, "by": tuple(content["by"])})
        except (TypeError, ValueError, KeyError, RecursionError) as error:
            raise CampaignError(f"a plan of a sample must have margin and confidence, got {entry[:60]}") from error

    def strata(self, space: FaultSpace, network: AnySubject) -> list[PlannedStratum]:
        """Every stratum with the number of its first draws, in the order of the space.

        Raises:
            CampaignError: the space has no faults.
        """
        if not len(space):
            raise CampaignError("no faults to plan a sample of: the strata of this choice are empty")
        parts = strata(space, self.axes)
        shares = expected_shares(network, parts) if self.aware else dict.fromkeys(parts, 0.5)
        return [self._planned(key, len(part), shares[key]) for key, part in parts.items()]

    def _planned(self, key: Key, population: int, share: float) -> PlannedStratum:
        count = sample_size(population, self.margin, self.confidence, share)
        if self.pilot is not None:
            count = max(count, self.pilot) if self.aware else self.pilot
        return PlannedStratum(key, population, share, min(population, max(count, LEAST)))

    def selection(self, space: FaultSpace, network: AnySubject) -> Selection:
        """The first draws."""
        return self._selection(space, {row.key: row.count for row in self.strata(space, network)})

    def _selection(self, space: FaultSpace, numbers: Mapping[Key, int]) -> Selection:
        return Selection.numbered(space, self.axes, numbers, self.seed, self.entry)

    def selection_of(self, run: Run, space: FaultSpace) -> Selection:
        """The draws that a run file of this plan holds, again.

        Raises:
            CampaignError: the file has another plan.
        """
        found = run.origin.strata
        if run.origin.plan != self.entry or found is None:
            was = SamplePlan.read(run.origin.plan).text if run.origin.plan else "none"
            raise CampaignError(
                f"{run.title} holds another campaign: its plan of a sample is {was}, now it is {self.text}. Continue "
                "with what it was started with, or name another output file"
            )
        return self._selection(space, {part.key: part.drawn for part in found.parts})

    def reached(self, run: Run) -> list[MarginReached]:
        """What each stratum of a finished run has reached, in the order of the space."""
        assert run.origin.strata is not None
        axes = run.origin.strata.axes
        changing, harmful = Counter[Key](), Counter[Key]()
        for result in run.results:
            key = key_of(result, axes)
            changing[key] += is_changing(result)
            harmful[key] += is_harmful(run, result)
        rows = []
        for part in run.origin.strata.parts:
            counts = changing[part.key], harmful[part.key]
            margin = max(margin_of(count, part.drawn, part.population, self.confidence) for count in counts)
            wanted = max(needed(c, part.drawn, part.population, self.margin, self.confidence) for c in counts)
            rows.append(MarginReached(part.key, part.population, part.drawn, *counts, margin, wanted))
        return rows

    def more(self, run: Run, space: FaultSpace) -> Selection | None:
        """A larger sample, which begins with the finished one; None where each stratum has reached the margin."""
        rows = self.reached(run)
        if all(row.drawn >= row.needed for row in rows):
            return None
        return self._selection(space, {row.key: self._enlarged(row) for row in rows})

    def _enlarged(self, row: MarginReached) -> int:
        if row.drawn >= row.needed:
            return row.drawn
        return min(row.population, max(row.needed, int(GROWTH * row.drawn) + 1))


def methods(plan: SamplePlan, space: FaultSpace, network: AnySubject) -> dict[str, list[PlannedStratum]]:
    """The strata by each of the published methods, for the plan's margin and confidence."""
    cuts: dict[str, tuple[tuple[str, ...], bool]] = {
        "network-wise": (("kind",), False),
        "layer-wise": (("layer",), False),
        "data-unaware (layer, bit)": (("layer", "bit"), False),
        "data-aware (layer, bit)": (("layer", "bit"), True),
    }
    return {
        name: replace(plan, by=by, aware=aware, pilot=None).strata(space, network) for name, (by, aware) in cuts.items()
    }
