"""What was counted beyond accuracy, by layer: top-5, the class that suffers most, and the user's costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fat_fpga.campaign import Run
from fat_fpga.campaign.measures import ACCURACY, CLASS, Measure, class_accuracies, measures
from fat_fpga.text import align, percent, shown


def beyond(run: Run) -> list[Measure]:
    """The measures of a run but its accuracy."""
    return [measure for measure in measures(run) if measure.name != ACCURACY]


def criteria_rows(run: Run) -> list[dict[str, Any]]:
    """By measure, and in each by what is hit, and for all: figures without a fault, under the worst, and their mean.

    What is hit is a kind and a layer; in a sweep cells and a rate. Means are those of the finished faults, each once.
    """
    own_measures = beyond(run)
    groups, found = _groups(run) if own_measures else {}, []
    for measure in own_measures:
        for key, own in groups.items():
            worst = own[int(measure.values[own].argmin())]
            found.append({
                "measure": measure.name, "title": measure.title, "kind": key[0], "where": key[1], "faults": len(own),
                "fault_free": measure.figure(measure.fault_free), "worst": measure.figure(int(measure.values[worst])),
                "worst_fault": run.results[worst].fault, "mean": measure.figure(float(measure.values[own].mean())),
            })  # fmt: skip
    return found


def shown_criteria(run: Run) -> list[dict[str, Any]]:
    """The rows that reports show. A sweep always counts errors by class, and has tables for them: alone they are left
    out there."""
    own = beyond(run)
    return [] if run.has_patterns and all(measure.name == CLASS for measure in own) else criteria_rows(run)


def _groups(run: Run) -> dict[tuple[str, str], list[int]]:
    groups: dict[tuple[str, str], list[int]] = {}
    for number, result in enumerate(run.results):
        if run.has_patterns:
            pattern = result.pattern
            key = pattern.what, f"{pattern.rate:.2e}"
        else:
            key = result.kind, result.layer
        groups.setdefault(key, []).append(number)
    if len(groups) > 1:
        groups["all", ""] = list(range(run.done))
    return groups


def criteria_table(run: Run) -> str:
    """The worst of each measure by what is hit, with the mean, and the worst faults; empty where none was counted."""
    own, rows = beyond(run), shown_criteria(run)
    if not rows:
        return ""
    hit = ("errors in", "rate") if run.has_patterns else ("kind", "layer")
    table = [[*hit, "faults", *(cell for measure in own for cell in (f"worst {measure.title}", "mean"))]]
    for first in rows[: len(rows) // len(own)]:
        alike = [row for row in rows if (row["kind"], row["where"]) == (first["kind"], first["where"])]
        cells = [_figure(measure, row[which]) for measure, row in zip(own, alike, strict=True)
                 for which in ("worst", "mean")]  # fmt: skip
        table.append([first["kind"], first["where"], f"{first['faults']:,}", *cells])
    lines = [_worst(run, measure) for measure in own]
    over = "" if run.origin.whole else f", over {run.origin.counted(run.done)}"
    return f"beyond accuracy{over}\n{align(table, left=(0, 1))}\n" + "\n".join(lines)


def compared_criteria(runs: Sequence[Run], names: Sequence[str]) -> str:
    """A table for the measures of several runs; empty where none has counted any."""
    table = [["run", "measure", "without a fault", "worst", "mean", "worst fault"]]
    for name, run in zip(names, runs, strict=True):
        for measure in beyond(run):
            figures = (measure.fault_free, int(measure.values.min()), float(measure.values.mean()))
            cells = (_figure(measure, measure.figure(value)) for value in figures)
            table.append([shown(name), measure.title, *cells, run.results[measure.worst].fault])
    return f"beyond accuracy\n{align(table, left=(0, 1, 5))}" if len(table) > 1 else ""


def _worst(run: Run, measure: Measure) -> str:
    free, worst = (_figure(measure, measure.figure(int(value)))
                   for value in (measure.fault_free, measure.values[measure.worst]))  # fmt: skip
    which = f", class {_lowest(run, measure.worst + 1)}" if measure.name == CLASS else ""
    before = f", class {_lowest(run, 0)}" if measure.name == CLASS else ""
    return (
        f"{measure.title}: {free} without a fault{before}; "
        f"worst {worst}{which}, under {run.results[measure.worst].fault}"
    )


def _lowest(run: Run, row: int) -> int:
    """The class of the lowest accuracy, without a fault for row 0, else under fault ``row - 1``."""
    return int(np.nanargmin(class_accuracies(run)[row]))


def _figure(measure: Measure, value: float) -> str:
    return f"{value:.4g}" if measure.costs else percent(value)
