"""Figures of a sweep: accuracy against rate, and the tolerated rates of all curves (Ares, Figures 3 to 6)."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log10
from typing import TYPE_CHECKING

from fat_fpga.campaign import Run
from fat_fpga.reports.curves import LOSSES, Curve
from fat_fpga.reports.style import INK, OKABE_ITO, RULE, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3


def rates_figure(run: Run, found: Sequence[Curve]) -> Figure:
    """A panel for each curve: mean, one standard deviation to either side, and a box of each rate's samples.

    Boxes reach from the lower to the upper quartile, whiskers to the least and the largest sample.
    """
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(found))
    lines = ceil(len(found) / columns)
    size = (7.2, 1.2 + 2.0 * lines) if columns > 1 else (7.2, 4.2)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, curve in zip(panels, found, strict=False):
        points = [point for point in curve.points if point.rate > 0]
        rates = [point.rate for point in points]
        means = [point.mean for point in points]
        low = [max(0.0, point.mean - point.deviation) for point in points]
        high = [min(100.0, point.mean + point.deviation) for point in points]
        axes.fill_between(rates, low, high, color=OKABE_ITO[5], alpha=0.4, linewidth=0)
        width = [0.18 * rate for rate in rates]
        boxes = [dict(zip(("whislo", "q1", "med", "q3", "whishi"), point.quartiles, strict=True)) for point in points]
        axes.bxp(
            boxes, positions=rates, widths=width, showfliers=False, manage_ticks=False,
            boxprops={"linewidth": 0.7, "color": INK}, medianprops={"linewidth": 0.9, "color": INK},
            whiskerprops={"linewidth": 0.6, "color": INK}, capprops={"linewidth": 0.6, "color": INK},
        )  # fmt: skip
        axes.plot(rates, means, color=OKABE_ITO[1], marker="o", markersize=3, linewidth=1.4)
        axes.axhline(curve.error_free, color=INK, linewidth=0.8, linestyle="--")
        without_loss = curve.tolerated(0)
        if without_loss:
            axes.axvline(without_loss, color=OKABE_ITO[0], linewidth=0.9, linestyle=":")
        log_axis(axes)
        axes.set_ylim(0, 102)
        axes.grid(color=RULE, linewidth=0.6)
        axes.set_title(curve.name, fontsize=8.5)
        axes.tick_params(labelsize=7.5)
    for axes in panels[len(found) :]:
        axes.set_visible(False)
    for axes in panels[max(0, len(found) - columns) : len(found)]:
        axes.tick_params(labelbottom=True)
    figure.supxlabel("rate: probability that a cell is hit (logarithmic)", fontsize=9)
    figure.supylabel("accuracy [%]", fontsize=9)
    words = (
        "orange: mean; band: one deviation; boxes: quartiles and extremes;\n"
        "dashed: error-free; dotted: highest rate without loss"
    )
    figure.suptitle(title(run, f"Accuracy against rate. {words}"), x=0.01, ha="left", fontsize=9)
    return figure


def tolerance_figure(run: Run, found: Sequence[Curve]) -> Figure:
    """A bar for each curve up to the highest rate without loss, with marks at 1, 5 and 10 points of loss.

    An arrow at the end of a bar says that no higher rate was tried.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 1.7 + 0.32 * len(found)), layout="constrained")
    axes = figure.subplots()
    rates = [point.rate for curve in found for point in curve.points if point.rate > 0]
    low, high = 10 ** (log10(min(rates)) - 0.3), 10 ** (log10(max(rates)) + 0.3)
    for place, curve in enumerate(found):
        none = curve.tolerated(LOSSES[0])
        if none:
            axes.barh(place, none - low, left=low, color="#bdbdbd", height=0.6)
            if curve.beyond(LOSSES[0]):
                axes.plot([none], [place], marker=">", color=INK, markersize=5)
        for loss, marker, colour in zip(LOSSES, ("|", "o", "s", "D"), OKABE_ITO, strict=False):
            rate = curve.tolerated(loss)
            if rate and not curve.beyond(loss):
                axes.plot([rate], [place], marker=marker, color=colour, markersize=6, linestyle="none")
    for loss, marker, colour in zip(LOSSES, ("|", "o", "s", "D"), OKABE_ITO, strict=False):
        axes.plot([], [], marker=marker, color=colour, linestyle="none", label=f"{loss:g} points")
    log_axis(axes)
    axes.set_xlim(low, high)
    axes.set_yticks(range(len(found)), [curve.name for curve in found], fontsize=7.5)
    axes.invert_yaxis()
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.set_xlabel("rate (logarithmic)")
    figure.legend(title="loss of accuracy", title_fontsize=8, fontsize=8, ncols=4, loc="outside lower center")
    axes.set_title(title(run, "Highest rate that costs at most so much accuracy; bars: no loss"), fontsize=9)
    return figure


def log_axis(axes: Axes) -> None:
    """A logarithmic axis of rates, with plain numbers."""
    from matplotlib.ticker import NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:.0e}")
    axes.xaxis.set_minor_formatter(NullFormatter())
