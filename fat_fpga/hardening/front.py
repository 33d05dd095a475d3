"""Pareto fronts of worst-case error against cost, of one campaign or of several (Zahid et al. 2020, Figure 9)."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fat_fpga import __version__
from fat_fpga.errors import PlanError
from fat_fpga.faults import MODELS
from fat_fpga.files import replacing
from fat_fpga.hardening.planner import Planner, Point
from fat_fpga.hardening.target import Target
from fat_fpga.text import align, percent, shown

FORMAT = 1
"""Raised when a field of the JSON changes its name or meaning."""
SHOWN = 12
"""So many points of a front are printed."""


@dataclass(frozen=True, eq=False)
class Front:
    """The front of one campaign.

    Attributes:
        name: what to call it.
        planner: what made it.
        points: from the cheapest network to the best worst case.
    """

    name: str
    planner: Planner
    points: tuple[Point, ...]

    @property
    def sources(self) -> list[str]:
        """Where the figures of units come from; empty where they are counted by definition."""
        found = [source for point in self.points for source in self.planner.model.sources(point.built)]
        return list(dict.fromkeys(found))

    @property
    def images(self) -> int:
        return self.planner.criticality.images

    @property
    def about(self) -> Target:
        """What the worst cases are of."""
        return self.planner.criticality.target

    def error(self, value: int) -> float:
        """Worst-case error in percent, for so many correct images, or another measure; of costs the mean cost."""
        return self.about.error(value)

    def at(self, target: int) -> Point | None:
        """The cheapest point that keeps ``target`` images correct, None if there is none."""
        return next((point for point in self.points if point.worst_correct >= target), None)


def fronts_of(planners: Sequence[Planner], names: Sequence[str]) -> list[Front]:
    """The front of each planner.

    Raises:
        PlanError: the campaigns are on different images, or about different kinds of faults.
    """
    runs = [planner.criticality.run for planner in planners]
    if len({run.identity.dataset_fingerprint for run in runs}) > 1:
        each = ", ".join(f"{run.title} on {run.identity.dataset}, {run.images:,} images" for run in runs)
        raise PlanError(f"fronts can be laid over each other on the same images only: {each}")
    if len({planner.criticality.kind for planner in planners}) > 1:
        raise PlanError("fronts can be laid over each other for one kind of fault only: all channels, or all PEs")
    targets = [planner.criticality.target for planner in planners]
    if len(set(targets)) > 1:
        raise PlanError("fronts can be laid over each other for one target and one cost matrix only")
    return [Front(name, planner, tuple(planner.front())) for name, planner in zip(names, planners, strict=True)]


def front_text(fronts: Sequence[Front]) -> str:
    """A front as a table; of several the channels that each needs for the same worst-case error."""
    first = fronts[0].planner
    what = MODELS[first.criticality.kind].traits.places
    about = fronts[0].about
    head = [f"{about.title} under one stuck {what[:-1]}, {fronts[0].images:,} images; cost: {first.model.title}"]
    column = "worst mean cost" if about.costs else "worst error [%]"
    tell = (lambda error: f"{error:.4g}") if about.costs else percent
    if len(fronts) == 1:
        (front,) = fronts
        rows = [[column, f"{what} triplicated", "cost", "of unprotected"]]
        for point in _some(front.points):
            rows.append(
                [tell(front.error(point.worst_correct)), f"{point.triplicated:,}", f"{point.price:,.0f}",
                 f"{point.ratio:.4f}"]
            )  # fmt: skip
        printed = len(rows) - 1
        foot = [f"{printed} of {len(front.points):,} points; all of them: --csv, --json"]
        return "\n".join([*head, "", align(rows, left=()), "", *foot, *_sources(fronts)])
    columns = [cell for front in fronts for cell in (f"{shown(front.name)} {what}", "cost")]
    rows = [[column, *columns]]
    for target in _targets(fronts):
        cells = []
        for front in fronts:
            found = front.at(target)
            cells += ["-", "-"] if found is None else [f"{found.triplicated:,}", f"{found.ratio:.4f}x"]
        rows.append([tell(fronts[0].error(target)), *cells])
    foot = ["-: below the error-free error of the network"]
    return "\n".join([*head, "", align(rows, left=()), "", *foot, *_sources(fronts)])


def _sources(fronts: Sequence[Front]) -> list[str]:
    found = dict.fromkeys(source for front in fronts for source in front.sources)
    return [f"LUTs: {'; '.join(found)}"] if found else []


def _some(points: Sequence[Point]) -> list[Point]:
    """The first and the last, and others evenly between them."""
    count = len(points)
    if count <= SHOWN:
        return list(points)
    return [points[round(i * (count - 1) / (SHOWN - 1))] for i in range(SHOWN)]


def _targets(fronts: Sequence[Front]) -> list[int]:
    """Images correct: what each front has without copies, with a few, and at its end; and steps between."""
    own = {point.worst_correct for front in fronts for point in (*front.points[:3], front.points[-1])}
    low, high = min(own), max(own)
    own |= {low + round(i * (high - low) / (SHOWN - 1)) for i in range(SHOWN)}
    return sorted(own)


COLUMNS = (
    "run", "network", "data", "images", "kind", "cost_model", "worst_correct", "worst_error", "triplicated", "cost",
    "ratio",
)  # fmt: skip


def write_front_csv(fronts: Sequence[Front], path: str | os.PathLike[str]) -> None:
    """One row for each point; the file appears whole or not at all. OSError if it cannot."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for front in fronts:
            what, run = front.planner.criticality, front.planner.criticality.run.identity
            for p in front.points:
                writer.writerow((
                    front.name, run.network, run.dataset, front.images, what.kind, front.planner.model.name,
                    p.worst_correct, front.error(p.worst_correct), p.triplicated, p.price, p.ratio,
                ))  # fmt: skip


def front_json(fronts: Sequence[Front]) -> dict[str, Any]:
    """The fronts as plain dictionaries, lists, numbers and strings; errors in percent."""
    found = []
    for front in fronts:
        what, run = front.planner.criticality, front.planner.criticality.run
        found.append({
            "name": front.name,
            "file": run.title,
            "network": {"name": run.identity.network, "fingerprint": run.identity.network_fingerprint},
            "data": {"name": run.identity.dataset, "fingerprint": run.identity.dataset_fingerprint,
                     "images": front.images},
            "kind": what.kind,
            "target": front.about.name,
            "cost": {"model": front.planner.model.name, "title": front.planner.model.title,
                     "unprotected": front.planner.unprotected, "sources": front.sources},
            "error_free": front.error(what.golden),
            "points": [
                {"worst_correct": p.worst_correct, "worst_error": front.error(p.worst_correct),
                 "triplicated": p.triplicated, "cost": p.price, "ratio": p.ratio}
                for p in front.points
            ],
        })  # fmt: skip
    return {"format": FORMAT, "version": __version__, "fronts": found}


def write_front_json(fronts: Sequence[Front], path: str | os.PathLike[str]) -> None:
    """Write `front_json`; the file appears whole or not at all. OSError if it cannot."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(front_json(fronts), indent=1) + "\n", encoding="utf-8")
