"""Every fault of the campaign as one point, layer beside layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fat_fpga.campaign import most_critical
from fat_fpga.faults import DEFAULT_KIND
from fat_fpga.reports.part import Part
from fat_fpga.reports.style import INK, MANY_POINTS, RULE, colours, markers, title
from fat_fpga.reports.words import words
from fat_fpga.text import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def every_fault(part: Part) -> Figure:
    """Accuracy under each fault, the worst one named; equal widths for all layers, places in order inside a layer."""
    from matplotlib.figure import Figure

    run, names, effects = part.run, part.layers, part.effects
    layer = [part.layer_of(result) for result in part.results]
    places: dict[str, dict[str, int]] = {name: {} for name in names}
    for name, result in zip(layer, part.results, strict=True):
        places[name].setdefault(result.address, len(places[name]))
    x = np.array([
        names.index(name) + 0.04 + 0.92 * (places[name][result.address] + 0.5) / len(places[name])
        for name, result in zip(layer, part.results, strict=True)
    ])  # fmt: skip
    shade_of = np.array(part.shades)

    figure = Figure(figsize=(7.2, 4.0), layout="constrained")
    axes = figure.subplots()
    for i in range(0, len(names), 2):
        axes.axvspan(i, i + 1, color="#f4f4f4", linewidth=0)
    axes.axhline(
        run.error_free_accuracy, color=INK, linewidth=1.2, linestyle="--",
        label=f"error-free {percent(run.error_free_accuracy)} %",
    )  # fmt: skip
    count = len(effects)
    for i, (effect, shade, shape) in enumerate(zip(effects, colours(count), markers(count), strict=True)):
        own = shade_of == i
        axes.plot(
            x[own], part.accuracy[own], shape, color=shade, markersize=2.8, markeredgewidth=0, linestyle="none",
            alpha=0.75, label=effect, rasterized=len(x) > MANY_POINTS,
        )  # fmt: skip
    lowest = part.results.index(most_critical(part.results, 1)[0])
    right = x[lowest] > 0.7 * len(names)
    axes.annotate(
        part.results[lowest].fault, (x[lowest], part.accuracy[lowest]), xytext=(-6 if right else 6, 0),
        textcoords="offset points", va="center", ha="right" if right else "left", fontsize=7.5,
    )  # fmt: skip
    axes.set_xlim(0, len(names))
    axes.set_xticks([i + 0.5 for i in range(len(names))], names)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.set_xlabel("faulty layer; inside a layer, index from first to last")
    axes.set_ylabel("accuracy under one fault [%]")
    which = run.origin.counted(len(part.results)) if run.complete else f"{len(part.results):,} finished faults"
    kind = "" if part.kind == DEFAULT_KIND else f", each one {words(part.kind).one}"
    axes.set_title(title(run, f"{which[0].upper()}{which[1:]}{kind}"))
    figure.legend(loc="outside lower center", ncols=min(5, count + 1), fontsize=8, markerscale=1.8)
    return figure
