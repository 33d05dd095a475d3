"""Faults sorted from most to least critical: how few places carry the risk (Zahid et al. 2020, section V-C)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fat_fpga.campaign import Result, Run, most_critical
from fat_fpga.reports.style import INK, RULE, colours, layers, markers, title
from fat_fpga.reports.text import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def ranked_places(results: Sequence[Result]) -> list[Result]:
    """Each place under its worst stuck value, the most critical place first."""
    worst: dict[tuple[str, str, str], Result] = {}
    for result in most_critical(results):
        worst.setdefault((result.layer, result.kind, result.index), result)
    return list(worst.values())


def criticality(run: Run) -> Figure:
    """Accuracy of every place under its worst stuck value, sorted; the rank is on a logarithmic axis.

    A place is a channel in a channel campaign: triplicating the first n places lifts the worst case to point n + 1.
    """
    from matplotlib.figure import Figure

    ranked = ranked_places(run.results)
    accuracy = np.array([100 * r.correct / run.images for r in ranked])
    rank = np.arange(1, len(ranked) + 1)
    kinds = list(dict.fromkeys(r.kind for r in ranked))
    what = f"{kinds[0]}s" if len(kinds) == 1 else "places"

    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.axhline(
        run.error_free_accuracy, color=INK, linewidth=1.2, linestyle="--",
        label=f"error-free {percent(run.error_free_accuracy)} %",
    )  # fmt: skip
    axes.step(rank, accuracy, where="post", color="#bbbbbb", linewidth=0.8, zorder=1)
    names = layers(run)
    layer = np.array([r.layer for r in ranked])
    for name, shade, shape in zip(names, colours(len(names)), markers(len(names)), strict=True):
        own = layer == name
        axes.plot(rank[own], accuracy[own], shape, color=shade, markersize=3.5, linestyle="none", label=name)
    axes.set_xscale("log")
    axes.set_xlim(0.9, len(ranked) * 1.15)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(color=RULE, linewidth=0.6)
    axes.set_xlabel(f"{what}, most critical first (rank, logarithmic)")
    axes.set_ylabel("accuracy under the worst\nstuck value [%]")
    axes.set_title(title(run, f"Criticality of {len(ranked):,} {what}"))
    figure.legend(loc="outside right center", fontsize=8, markerscale=1.3)
    return figure
