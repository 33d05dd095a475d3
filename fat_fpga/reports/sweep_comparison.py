"""Sweeps side by side: the rates that each tolerates, curve by curve."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fat_fpga import __version__
from fat_fpga.arguments import checked
from fat_fpga.campaign import Run
from fat_fpga.campaign.counted import WORD_NAMES
from fat_fpga.errors import CampaignError
from fat_fpga.files import make_folder, replacing
from fat_fpga.reports.curves import LOSSES, Curve, curves, is_sweep
from fat_fpga.reports.figures import FORMATS, save
from fat_fpga.reports.style import OKABE_ITO, RULE, markers, style
from fat_fpga.reports.sweep_figures import log_axis
from fat_fpga.reports.sweep_json import curves_json
from fat_fpga.reports.sweep_text import rate_text
from fat_fpga.text import align, percent, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure

FORMAT = 1
"""Raised when a field changes its name or meaning; new fields do not raise it."""
SWEEP_COMPARISON_COLUMNS = ("run", "cells", "loss", "rate", "at_least", "area", "error_free")
SWEEP_COMPARISON_FIGURES = ("curves",)


@dataclass(frozen=True, eq=False)
class SweepComparison:
    """Sweeps side by side.

    Attributes:
        runs, names: in the order given.
        curves: of each run.
        same_data: whether all are on the same images and labels.
    """

    runs: tuple[Run, ...]
    names: tuple[str, ...]
    curves: tuple[tuple[Curve, ...], ...]
    same_data: bool

    @property
    def cells(self) -> list[str]:
        """What is hit, for each curve that any run has, in order of first appearance. Protected memories are beside
        the same ones without protection."""
        return list(dict.fromkeys(curve.errors for own in self.curves for curve in own))

    def rows(self, cells: str) -> list[tuple[str, Run, Curve]]:
        """The runs with such a curve."""
        return [
            (name, run, curve)
            for name, run, own in zip(self.names, self.runs, self.curves, strict=True)
            for curve in own
            if curve.errors == cells
        ]


@checked
def are_sweeps(runs: Sequence[Run]) -> bool:
    """Whether all runs are sweeps; CampaignError where only some are."""
    found = [is_sweep(run) for run in runs]
    if any(found) and not all(found):
        raise CampaignError(
            f"{runs[found.index(True)].title} is a sweep and {runs[found.index(False)].title} is none: compare sweeps "
            "with sweeps"
        )
    return any(found)


@checked
def compare_sweeps(
    runs: Sequence[Run], names: Sequence[str] | None = None, *, allow_different_data: bool = False
) -> SweepComparison:
    """Set sweeps side by side.

    Args:
        runs: at least two; their networks may differ. Unfinished ones take part with the samples that are done.
        names: one for each run, all different; by default the networks' names, or the files' where these are equal.
        allow_different_data: admit runs on different images.

    Raises:
        CampaignError: fewer than two runs, one without a finished sample, different data, or names that do not fit.
    """
    if len(runs) < 2:
        raise CampaignError(f"a comparison takes at least two runs, got {len(runs)}")
    for run in runs:
        if not run.done:
            raise CampaignError(f"{run.title} has no finished sample to compare: let the sweep run for a while")
    same_data = len({run.identity.dataset_fingerprint for run in runs}) == 1
    if not same_data and not allow_different_data:
        raise CampaignError("the sweeps are on different data: allow it with --allow-different-data")
    networks = [run.identity.network for run in runs]
    if names is None:
        files = [f"{run.identity.network} ({Path(run.title).name})" for run in runs]
        names = networks if len(set(networks)) == len(runs) else files
        if len(set(names)) < len(runs):
            names = [f"{name} {number}" for number, name in enumerate(names, 1)]
    if len(names) != len(runs) or len(set(names)) < len(names):
        raise CampaignError(f"expected {len(runs)} different names, one for each run, got {', '.join(names)}")
    return SweepComparison(tuple(runs), tuple(names), tuple(tuple(curves(run)) for run in runs), same_data)


@checked
def sweep_comparison_text(found: SweepComparison) -> str:
    """A table for each curve: a row for each run, with the rates that it tolerates."""
    tables = []
    for cells in found.cells:
        rows = found.rows(cells)
        codes = any(curve.protection for _, _, curve in rows)
        words = [name for name in WORD_NAMES if any(name in curve.points[0].words for _, _, curve in rows)]
        head = ["run", *["protection"] * codes, "error-free", *(f"{loss:g} points" for loss in LOSSES), "area [%]"]
        table = [[*head, *words]]
        for name, run, curve in rows:
            area = "" if curve.area is None else percent(curve.area)
            mark = "" if run.complete else " UNFINISHED"
            rates = (rate_text(curve, loss) for loss in LOSSES)
            code = [curve.protection or "none"] * codes
            most = [f"{curve.points[-1].words[w].mean():,.2f}" if curve.protection else "" for w in words]
            table.append([shown(name) + mark, *code, percent(run.error_free_accuracy), *rates, area, *most])
        at = "; words with wrong bits, mean of the samples at each run's highest rate" if words else ""
        tables.append(f"{cells}: highest rate that costs at most so much accuracy{at}\n{align(table)}")
        first, last = rows[0][2], rows[-1][2]
        one, other = first.tolerated(LOSSES[1]), last.tolerated(LOSSES[1])
        if len(rows) > 1 and one and other and not first.beyond(LOSSES[1]) and not last.beyond(LOSSES[1]):
            ratio = f"{rows[-1][0]} tolerates {other / one:,.3g} times the rate of {rows[0][0]}"
            tables[-1] += f"\nat 1 point of loss {ratio}"
    head = [] if found.same_data else ["DIFFERENT DATA: the runs are on different images"]
    return "\n\n".join([*head, *tables])


@checked
def write_sweep_comparison_csv(found: SweepComparison, path: str | os.PathLike[str]) -> None:
    """One row for each curve of each run and loss; the file appears whole or not at all."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SWEEP_COMPARISON_COLUMNS)
        for cells in found.cells:
            for name, run, curve in found.rows(cells):
                for loss in LOSSES:
                    rate, bound = curve.tolerated(loss), int(curve.beyond(loss))
                    writer.writerow((name, curve.cells, loss, rate, bound, curve.area, run.error_free_accuracy))


@checked
def sweep_comparison_json(found: SweepComparison) -> dict[str, Any]:
    """The comparison as plain dictionaries and lists."""
    return {
        "format": FORMAT,
        "version": __version__,
        "same_data": found.same_data,
        "runs": [
            {
                "name": name,
                "network": run.identity.network,
                "error_free": run.error_free_accuracy,
                "complete": run.complete,
                "curves": curves_json(own),
            }
            for name, run, own in zip(found.names, found.runs, found.curves, strict=True)
        ],
    }


@checked
def write_sweep_comparison_json(found: SweepComparison, path: str | os.PathLike[str]) -> None:
    """Write `sweep_comparison_json`; the file appears whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(sweep_comparison_json(found), indent=1) + "\n", encoding="utf-8")


@checked
def write_sweep_comparison_figures(
    found: SweepComparison, folder: str | os.PathLike[str], formats: Iterable[str] = tuple(FORMATS)
) -> list[Path]:
    """Draw the mean accuracy of each run against the rate, a figure for each curve."""
    folder = make_folder(folder)
    written = []
    with style():
        for number, cells in enumerate(found.cells):
            end = f"_{number}" if len(found.cells) > 1 else ""
            written += save(_figure(found, cells), folder, f"{SWEEP_COMPARISON_FIGURES[0]}{end}", formats)
    return written


def _figure(found: SweepComparison, cells: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.subplots()
    rows = found.rows(cells)
    for number, ((name, _, curve), marker) in enumerate(zip(rows, markers(len(rows)), strict=True)):
        colour = OKABE_ITO[number % len(OKABE_ITO)]
        points = [point for point in curve.points if point.rate > 0]
        rates, means = [point.rate for point in points], [point.mean for point in points]
        low, high = ([m + sign * p.deviation for m, p in zip(means, points, strict=True)] for sign in (-1, 1))
        axes.fill_between(rates, low, high, color=colour, alpha=0.15, linewidth=0)
        code = f", {curve.protection}" if curve.protection else ""
        label = f"{shown(name)}{code}: error-free {percent(curve.error_free)} %"
        axes.plot(rates, means, color=colour, marker=marker, markersize=4, label=label)
    log_axis(axes)
    axes.set_ylim(0, 100)
    axes.grid(color=RULE, linewidth=0.6)
    axes.set_xlabel("rate: probability that a cell is hit (logarithmic)")
    axes.set_ylabel("accuracy [%]: mean and one deviation")
    axes.set_title(f"Accuracy against rate\n{cells}", fontsize=9.5)
    axes.legend(fontsize=8)
    return figure
