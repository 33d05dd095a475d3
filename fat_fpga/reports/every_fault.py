"""Every fault of the campaign as one point, layer beside layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fat_fpga.campaign import Run, most_critical
from fat_fpga.reports.style import INK, RULE, colours, layers, markers, title, values
from fat_fpga.reports.text import level, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def every_fault(run: Run) -> Figure:
    """Accuracy under each fault, the worst one named; equal widths for all layers, places in order inside a layer."""
    from matplotlib.figure import Figure

    names, stuck = layers(run), values(run)
    places: dict[str, dict[str, int]] = {name: {} for name in names}
    for r in run.results:
        places[r.layer].setdefault(r.index, len(places[r.layer]))
    x = np.array([
        names.index(r.layer) + 0.04 + 0.92 * (places[r.layer][r.index] + 0.5) / len(places[r.layer])
        for r in run.results
    ])  # fmt: skip
    value = np.array([r.value for r in run.results])

    figure = Figure(figsize=(7.2, 4.0), layout="constrained")
    axes = figure.subplots()
    for i in range(0, len(names), 2):
        axes.axvspan(i, i + 1, color="#f4f4f4", linewidth=0)
    axes.axhline(
        run.error_free_accuracy, color=INK, linewidth=1.2, linestyle="--",
        label=f"error-free {percent(run.error_free_accuracy)} %",
    )  # fmt: skip
    for v, shade, shape in zip(stuck, colours(len(stuck)), markers(len(stuck)), strict=True):
        own = value == v
        axes.plot(
            x[own], run.accuracy[own], shape, color=shade, markersize=2.8, markeredgewidth=0, linestyle="none",
            alpha=0.75, label=f"stuck at {level(v)}", rasterized=len(x) > 20_000,
        )  # fmt: skip
    lowest = run.results.index(most_critical(run.results, 1)[0])
    right = x[lowest] > 0.7 * len(names)
    axes.annotate(
        run.results[lowest].fault, (x[lowest], run.accuracy[lowest]), xytext=(-6 if right else 6, 0),
        textcoords="offset points", va="center", ha="right" if right else "left", fontsize=7.5,
    )  # fmt: skip
    axes.set_xlim(0, len(names))
    axes.set_xticks([i + 0.5 for i in range(len(names))], names)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.set_xlabel("faulty layer; inside a layer, index from first to last")
    axes.set_ylabel("accuracy under one fault [%]")
    axes.set_title(title(run, f"All {run.done:,} faults"))
    figure.legend(loc="outside lower center", ncols=min(5, len(stuck) + 1), fontsize=8, markerscale=1.8)
    return figure
