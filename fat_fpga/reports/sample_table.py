"""Plans of samples, and which margins a sample has reached (text)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fat_fpga.campaign import Run
from fat_fpga.campaign.intervals import exact_share
from fat_fpga.campaign.sample_plan import EXHAUSTIVE, PlannedStratum, SamplePlan, methods
from fat_fpga.faults import AnySubject, FaultSpace
from fat_fpga.text import align, percent

MOST = 60
"""So many strata are listed; of more, only those with the most faults."""


def plan_text(plan: SamplePlan, space: FaultSpace, network: AnySubject) -> str:
    """The strata with their numbers of faults, of first draws, and where trying all faults is as cheap."""
    rows = plan.strata(space, network)
    total = sum(row.count for row in rows)
    lines = [
        f"plan of a sample: margin {plan.text}",
        _strata_table(plan.axes, rows),
        f"{total:,} of {len(space):,} faults" + (" in the first round" if plan.aware or plan.pilot else ""),
    ]
    return "\n".join([*lines, *_exhaustive_lines(rows, total, len(space))])


def _strata_table(axes: Sequence[str], rows: Sequence[PlannedStratum]) -> str:
    table = [[*axes, "faults", "expected share", "draws", ""]]
    for row in _shown(rows):
        words = [word or "-" for word in row.key]
        note = "exhaustive is as cheap" if row.exhaustive else ""
        table.append([*words, f"{row.population:,}", f"{row.share:.3f}", f"{row.count:,}", note])
    text = align(table, left=(*range(len(axes)), len(axes) + 3))
    left_out = len(rows) - min(len(rows), MOST)
    return text + (f"\n... and {left_out:,} smaller strata" if left_out else "")


def _shown(rows: Sequence[PlannedStratum]) -> Sequence[PlannedStratum]:
    if len(rows) <= MOST:
        return rows
    largest = {row.key for row in sorted(rows, key=lambda row: -row.population)[:MOST]}
    return [row for row in rows if row.key in largest]


def _exhaustive_lines(rows: Sequence[PlannedStratum], total: int, faults: int) -> list[str]:
    if total > EXHAUSTIVE * faults:
        return [f"all {faults:,} faults cost {faults - total:,} more and leave no margin: leave --margin out"]
    own = [row for row in rows if row.exhaustive]
    if not own:
        return []
    more = sum(row.population - row.count for row in own)
    return [f"in {len(own):,} of {len(rows):,} strata all faults cost {more:,} more together and leave no margin"]


def methods_table(plan: SamplePlan, space: FaultSpace, network: AnySubject) -> str:
    """How many faults each of the published methods takes for the plan's margin."""
    table = [["method", "strata", "draws", "of all faults [%]"]]
    for name, rows in methods(plan, space, network).items():
        total = sum(row.count for row in rows)
        table.append([name, f"{len(rows):,}", f"{total:,}", f"{100 * total / len(space):.1f}"])
    table.append(["exhaustive", "", f"{len(space):,}", "100.0"])
    return f"margin {plan.margin:g} % at {plan.confidence:g} %, by method\n{align(table)}"


def margin_rows(run: Run) -> list[dict[str, Any]]:
    """What `margins_table` shows, for other programs; shares and margins in percent."""
    if run.origin.plan is None or not run.complete or run.origin.strata is None:
        return []
    plan = SamplePlan.read(run.origin.plan)
    return [
        asdict(row) | {"key": list(row.key), "asked": plan.margin, "confidence": plan.confidence}
        for row in plan.reached(run)
    ]


def margins_table(run: Run) -> str:
    """What each stratum of a finished run with a plan has reached; empty for any other run."""
    if run.origin.plan is None or not run.complete or run.origin.strata is None:
        return ""
    plan = SamplePlan.read(run.origin.plan)
    table = [
        [
            *run.origin.strata.axes,
            "drawn",
            "of",
            "changing [%]",
            "exact interval",
            "harmful [%]",
            "exact interval",
            "margin",
        ]
    ]
    rows = plan.reached(run)
    for row in rows:
        table.append([*(word or "-" for word in row.key), f"{row.drawn:,}", f"{row.population:,}"])
        for count in (row.changing, row.harmful):
            share = exact_share(count, row.drawn, row.population, plan.confidence)
            table[-1] += [percent(share.value), f"{percent(share.low)} to {percent(share.high)}"]
        table[-1].append(f"+-{percent(row.margin)}")
    short = sum(row.drawn < row.needed for row in rows)
    verdict = f"NOT reached in {short:,} of {len(rows):,} strata" if short else "reached in each stratum"
    text = align(table, left=range(len(run.origin.strata.axes)))
    return f"margins of error at {plan.confidence:g} % (asked: {plan.margin:g} points, {verdict})\n{text}"
