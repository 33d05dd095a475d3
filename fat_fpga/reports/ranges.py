"""Error-free against worst and best case, layer by layer (Zahid et al. 2020, Figure 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fat_fpga.campaign import Run, statistics
from fat_fpga.reports.style import INK, RULE, colours, layers, markers, title, values
from fat_fpga.reports.text import level, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def ranges(run: Run) -> Figure:
    """A bar from the lowest to the highest accuracy for each layer and stuck value, and the error-free line.

    As in the paper the leftmost point is the worst case; the nearer it is to the error-free line, the more
    tolerant the layer.
    """
    from matplotlib.figure import Figure

    names, stuck = layers(run), values(run)
    step = 0.8 / len(stuck)
    height = max(0.42, 0.1 * len(stuck) + 0.2) * len(names) + 1.5
    size = 4.5 if len(stuck) <= 4 else 3
    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.subplots()
    for i in range(1, len(names)):
        axes.axhline(i - 0.5, color=RULE, linewidth=0.6)
    shades, shapes = colours(len(stuck)), markers(len(stuck))
    named = set()
    for group in statistics(run):
        i = stuck.index(group.value)
        y = names.index(group.layer) + (i - (len(stuck) - 1) / 2) * step
        spread = group.spread
        axes.plot([spread.min, spread.max], [y, y], color=shades[i], linewidth=2, alpha=0.45, solid_capstyle="butt")
        axes.plot(
            [spread.min, spread.max], [y, y], shapes[i], color=shades[i], markersize=size,
            label=None if i in named else f"stuck at {level(group.value)}: worst and best",
        )  # fmt: skip
        axes.plot([spread.mean], [y], "|", color=shades[i], markersize=1.8 * size, markeredgewidth=1.5)
        named.add(i)
    axes.axvline(
        run.error_free_accuracy, color=INK, linewidth=1.2, linestyle="--",
        label=f"error-free {percent(run.error_free_accuracy)} %",
    )  # fmt: skip
    axes.plot([], [], "|", color=INK, markersize=8, markeredgewidth=1.5, label="mean")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.set_xlabel("accuracy under one fault [%]")
    axes.set_ylabel("faulty layer")
    axes.set_title(title(run, "Worst and best case of each layer"))
    figure.legend(loc="outside lower center", ncols=min(3, len(stuck) + 2), fontsize=8)
    return figure
