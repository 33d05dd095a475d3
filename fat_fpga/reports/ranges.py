"""Error-free against worst and best case, layer by layer (Zahid et al. 2020, Figure 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fat_fpga.faults import DEFAULT_KIND
from fat_fpga.reports.part import Part
from fat_fpga.reports.style import INK, RULE, colours, markers, title
from fat_fpga.reports.words import words
from fat_fpga.text import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def ranges(part: Part) -> Figure:
    """A bar from the lowest to the highest accuracy for each layer and effect, and the error-free line.

    As in the paper the leftmost point is the worst case; the nearer it is to the error-free line, the more
    tolerant the layer.
    """
    from matplotlib.figure import Figure

    run, names, effects = part.run, part.layers, part.effects
    step = 0.8 / len(effects)
    height = max(0.42, 0.1 * len(effects) + 0.2) * len(names) + 1.5 + 0.17 * (len(effects) // 3)
    size = 4.5 if len(effects) <= 4 else 3
    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.subplots()
    for i in range(1, len(names)):
        axes.axhline(i - 0.5, color=RULE, linewidth=0.6)
    shades, shapes = colours(len(effects)), markers(len(effects))
    named = set()
    for row in sorted(part.lanes, key=lambda row: effects.index(row.effect)):
        i = effects.index(row.effect)
        y = names.index(row.layer) + (i - (len(effects) - 1) / 2) * step
        spread = row.spread
        axes.plot([spread.min, spread.max], [y, y], color=shades[i], linewidth=2, alpha=0.45, solid_capstyle="butt")
        axes.plot(
            [spread.min, spread.max], [y, y], shapes[i], color=shades[i], markersize=size,
            label=None if i in named else f"{row.effect}: worst and best",
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
    what = "" if part.kind == DEFAULT_KIND else f", one {words(part.kind).one}"
    axes.set_title(title(run, f"Worst and best case of each layer{what}"))
    figure.legend(loc="outside lower center", ncols=min(3, len(effects) + 2), fontsize=8)
    return figure
