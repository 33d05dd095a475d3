"""How many bit faults cost how much accuracy, layer by layer."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from fat_fpga.reports.part import Part
from fat_fpga.reports.style import INK, OKABE_ITO, RULE, title
from fat_fpga.reports.words import words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 3
BINS = 40


def drop_histogram(part: Part) -> Figure:
    """A panel for each layer: number of faults, logarithmic, over the drop of accuracy in percentage points.

    All panels have the same bins and axes; a bin is never narrower than one image. To the left of the dashed line
    are the faults that cost nothing, or raise accuracy.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter

    names, images = part.layers, part.run.images
    columns = min(COLUMNS, len(names))
    lines = ceil(len(names) / columns)
    figure = Figure(figsize=(7.2, 1.0 + 1.7 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True).ravel()
    layer = np.array([part.layer_of(result) for result in part.results])
    lost = part.run.error_free - np.array([result.correct for result in part.results])  # images
    wide = max(1, ceil((lost.max() - lost.min() + 1) / BINS))
    first, last = (min(lost.min(), 0) - 1) // wide, -(-max(lost.max(), 1) // wide)
    edges = wide * np.arange(first, last + 1) + 0.5  # one of them lies between costing nothing and costing an image
    counts = {name: np.histogram(lost[layer == name], edges)[0] for name in names}
    for axes, name in zip(panels, names, strict=False):
        axes.stairs(counts[name], 100 * edges / images, color=OKABE_ITO[0], baseline=0.5, fill=True)
        axes.axvline(50 / images, color=INK, linewidth=0.8, linestyle="--")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.grid(axis="y", color=RULE, linewidth=0.6)
        axes.tick_params(labelsize=7.5)
        axes.set_title(f"{name}: {counts[name].sum():,} faults", fontsize=8.5)
    panels[0].set_ylim(0.5, 2 * max(count.max() for count in counts.values()))
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    for axes in panels[max(0, len(names) - columns) : len(names)]:
        axes.tick_params(labelbottom=True)
    figure.supxlabel("drop of accuracy [points]", fontsize=9)
    figure.supylabel("faults (logarithmic)", fontsize=9)
    figure.suptitle(
        title(part.run, f"Drop of accuracy under one {words(part.kind).one}"), x=0.01, ha="left", fontsize=10
    )
    return figure
