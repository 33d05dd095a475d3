"""The sorted criticality curves of several runs over each other (Zahid et al. 2020, section V-C)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fat_fpga.reports.comparison import Section
from fat_fpga.reports.criticality import ranked_places
from fat_fpga.reports.style import RULE, colours, labels, legend_columns, log_scale, markers, section_title
from fat_fpga.reports.words import words

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def comparison_criticality(section: Section) -> Figure:
    """For each run the accuracy of every place under its worst effect, sorted; rank on a logarithmic axis.

    The higher a curve starts, the more tolerant the run; beyond where it meets its dashed error-free line, places
    do no harm.
    """
    from matplotlib.figure import Figure

    entries, names = section.entries, words(section.kind)
    count, texts = len(entries), labels(section)
    columns = legend_columns(texts)
    figure = Figure(figsize=(7.2, 4.2 + 0.17 * count / columns), layout="constrained")
    axes = figure.subplots()
    longest = 1
    for i, (entry, shade, shape, text) in enumerate(zip(entries, colours(count), markers(count), texts, strict=True)):
        places = ranked_places(entry.results)
        accuracy = np.array([100 * place.correct / entry.run.images for place in places])
        rank = np.arange(1, len(places) + 1)
        longest = max(longest, len(places))
        marked = np.unique(np.geomspace(1, len(places), 12).round().astype(int)) - 1
        behind = (count - 1 - i) / max(1, count - 1)  # equal curves stay visible: the first is the widest
        dashes = (2.0 * i, (2.0, 2.0 * min(max(1, count - 1), 3)))  # equal lines interleave
        axes.axhline(entry.run.error_free_accuracy, color=shade, linewidth=1.2, linestyle=dashes)
        axes.step(rank, accuracy, where="post", color=shade, linewidth=1.4 + 1.4 * behind)
        axes.plot(
            rank[marked], accuracy[marked], shape, color=shade, markersize=5 + 2.5 * behind, markeredgecolor="white",
            markeredgewidth=0.5, linestyle="none", label=text,
        )  # fmt: skip
    log_scale(axes, "x")
    axes.set_xlim(0.9, max(2, longest) * 1.15)
    axes.grid(color=RULE, linewidth=0.6)
    axes.set_xlabel(f"{names.places}, most critical first (rank, logarithmic)")
    axes.set_ylabel(f"accuracy under the\n{names.worst} [%]")
    axes.set_title(section_title(section, f"Criticality of {names.places}; dashed: error-free"))
    figure.legend(loc="outside lower left", fontsize=8, ncols=columns)
    return figure
