"""Faults sorted from most to least critical: how few places carry the risk (Zahid et al. 2020, section V-C)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fat_fpga.campaign import Result, most_critical
from fat_fpga.reports.part import Part
from fat_fpga.reports.style import INK, MANY_POINTS, RULE, colours, log_scale, markers, title
from fat_fpga.reports.words import words
from fat_fpga.text import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def ranked_places(results: Sequence[Result]) -> list[Result]:
    """Each place under its worst effect, the most critical place first."""
    worst: dict[str, Result] = {}
    for result in most_critical(results):
        worst.setdefault(result.address, result)
    return list(worst.values())


def criticality(part: Part) -> Figure:
    """Accuracy of every place under its worst effect, sorted; the rank is on a logarithmic axis.

    A place is a channel in a channel campaign: triplicating the first n places lifts the worst case to point n + 1.
    """
    from matplotlib.figure import Figure

    run, ranked = part.run, ranked_places(part.results)
    accuracy = np.array([100 * r.correct / run.images for r in ranked])
    rank = np.arange(1, len(ranked) + 1)
    what = words(part.kind)

    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.axhline(
        run.error_free_accuracy, color=INK, linewidth=1.2, linestyle="--",
        label=f"error-free {percent(run.error_free_accuracy)} %",
    )  # fmt: skip
    axes.step(rank, accuracy, where="post", color="#bbbbbb", linewidth=0.8, zorder=1)
    names = part.layers
    layer = np.array([part.layer_of(r) for r in ranked])
    for name, shade, shape in zip(names, colours(len(names)), markers(len(names)), strict=True):
        own = layer == name
        axes.plot(
            rank[own], accuracy[own], shape, color=shade, markersize=3.5, linestyle="none", label=name,
            rasterized=len(ranked) > MANY_POINTS,
        )  # fmt: skip
    log_scale(axes, "x")
    axes.set_xlim(0.9, len(ranked) * 1.15)
    axes.grid(color=RULE, linewidth=0.6)
    axes.set_xlabel(f"{what.places}, most critical first (rank, logarithmic)")
    axes.set_ylabel(f"accuracy under the\n{what.worst} [%]")
    which = f"{run.origin.word} " if run.origin.word else ""
    axes.set_title(title(run, f"Criticality of {len(ranked):,} {which}{what.places}"))
    figure.legend(loc="outside right center", fontsize=8, markerscale=1.3)
    return figure
