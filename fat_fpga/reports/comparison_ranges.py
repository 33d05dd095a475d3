"""Error-free against worst and best case of several runs (Zahid et al. 2020, Figures 6, 7, 8 and 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fat_fpga.reports.comparison import Section
from fat_fpga.reports.style import INK, RULE, colours, labels, legend_columns, markers, section_title
from fat_fpga.reports.words import words
from fat_fpga.text import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ALL = "all layers"


def comparison_ranges(section: Section) -> Figure:
    """For each run a bar from worst to best accuracy: over the whole network on top, then layer by layer.

    Every run has a lane of its own in each row, with a tick at its error-free accuracy, so nothing hides
    anything. The highest minimum over the whole network is in bold.
    As in the paper the leftmost point is the worst case; the nearer it is to the tick, the more tolerant the run.
    """
    from matplotlib.figure import Figure

    entries, names = section.entries, [ALL, *section.layers]
    count, texts = len(entries), labels(section)
    columns = legend_columns(texts)
    lane = 0.8 / count
    size = 5 if count <= 4 else 3.5
    height = max(0.36, 0.13 * count + 0.12) * len(names) + 1.5 + 0.17 * count / columns
    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.subplots()
    axes.axhspan(-0.5, 0.5, color="#f4f4f4", linewidth=0, zorder=0)
    for i in range(1, len(names)):
        axes.axhline(i - 0.5, color=RULE, linewidth=0.6)
    for i, (entry, shade, shape, text) in enumerate(zip(entries, colours(count), markers(count), texts, strict=True)):
        offset = (i - (count - 1) / 2) * lane
        spreads = {ALL: entry.spread, **entry.layers}
        y = np.array([row for row, name in enumerate(names) if name in spreads]) + offset
        low = [spreads[name].min for name in names if name in spreads]
        high = [spreads[name].max for name in names if name in spreads]
        axes.hlines(y, low, high, color=shade, linewidth=2, alpha=0.45)
        axes.vlines([entry.run.error_free_accuracy] * len(y), y - lane / 2, y + lane / 2, color=shade, linewidth=1.6)
        axes.plot(high, y, shape, color=shade, markersize=size, markerfacecolor="white", linestyle="none")
        axes.plot(low, y, shape, color=shade, markersize=size, linestyle="none", label=text)
        axes.annotate(
            percent(entry.spread.min), (entry.spread.min, offset), xytext=(-size - 1, 0), textcoords="offset points",
            va="center_baseline", ha="right", fontsize=7.5, fontweight="bold" if entry in section.leaders else "normal",
        )  # fmt: skip
    left, right = axes.get_xlim()
    axes.set_xlim(left - 0.05 * (right - left), right)  # room for the numbers
    axes.plot([], [], "o", color=INK, markersize=size, label="worst case")
    axes.plot([], [], "o", color=INK, markersize=size, markerfacecolor="white", label="best case")
    axes.plot([], [], "|", color=INK, markersize=9, markeredgewidth=1.6, label="error-free")
    axes.set_yticks(range(len(names)), names)
    axes.get_yticklabels()[0].set_fontweight("bold")
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.set_xlabel("accuracy under one fault [%]")
    axes.set_ylabel("faulty layer")
    axes.set_title(section_title(section, f"Worst and best case under one {words(section.kind).one}"))
    handles, all_texts = axes.get_legend_handles_labels()
    figure.legend(handles[:count], texts, loc="outside lower left", fontsize=8, ncols=columns)
    axes.legend(
        handles[count:], all_texts[count:], loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=8,
        handletextpad=0.3, columnspacing=1, borderpad=0,
    )  # fmt: skip
    return figure
