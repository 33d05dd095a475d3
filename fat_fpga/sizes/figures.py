"""Figures 1 to 6 of Vialatte and Leduc-Primeau (2017): error by rate for each depth, parameters needed by rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.reports.figures import save
from fat_fpga.reports.style import OKABE_ITO, RULE, log_scale, style
from fat_fpga.sizes.front import best_of, fewest
from fat_fpga.sizes.measured import Measured

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BEST = 5
NAMES = {"uniform": "conditionally uniform", "erase": "erasure"}


def error_figure(measured: Sequence[Measured], deviation: str, rates: Sequence[float]) -> Figure:
    """Error against rate, a colour for each number of layers, a line for each of its best networks (Figures 1, 2)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.subplots()
    for number, layers in enumerate(sorted({one.candidate.layers for one in measured})):
        colour = OKABE_ITO[number % len(OKABE_ITO)]
        for index, one in enumerate(best_of(measured, layers, BEST)):
            errors = [one.error(deviation, rate) for rate in rates]
            label = f"{layers} layer{'' if layers == 1 else 's'}" if index == 0 else None
            axes.plot(rates, errors, color=colour, marker="o", markersize=3, linewidth=1.1, label=label)
    axes.set_title(f"{NAMES[deviation]} deviations, the {BEST} best networks of each depth")
    axes.set_xlabel("probability of a deviation")
    axes.set_ylabel("classification error [%]")
    axes.grid(color=RULE, linewidth=0.6)
    figure.legend(loc="outside right upper")
    return figure


def needs_figure(
    measured: Sequence[Measured], deviation: str, rates: Sequence[float], targets: Sequence[float]
) -> Figure:
    """The fewest parameters by rate, a line for each target (Figures 3 to 6)."""
    import matplotlib
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.subplots()
    shades = matplotlib.colormaps["cividis"]
    for number, target in enumerate(targets):
        found = [fewest(measured, deviation, rate, target) for rate in rates]
        reached = [(rate, one.parameters) for rate, one in zip(rates, found, strict=True) if one is not None]
        if reached:
            colour = shades(number / max(1, len(targets) - 1))
            axes.plot(*zip(*reached, strict=True), color=colour, marker="o", markersize=3, label=f"{target:g} %")
    axes.set_title(f"{NAMES[deviation]} deviations: parameters that an error needs")
    axes.set_xlabel("probability of a deviation")
    axes.set_ylabel("parameters")
    log_scale(axes, "y")
    axes.grid(color=RULE, linewidth=0.6)
    figure.legend(title="error at most", loc="outside right upper")
    return figure


def write_figures(
    measured: Sequence[Measured],
    rates: Mapping[str, Sequence[float]],
    targets: Sequence[float],
    folder: Path,
    formats: Sequence[str],
) -> list[Path]:
    """Both figures of each deviation into a folder; returns the files."""
    written = []
    with style():
        for deviation, own in rates.items():
            written += save(error_figure(measured, deviation, own), folder, f"error_{deviation}", formats)
            written += save(needs_figure(measured, deviation, own, targets), folder, f"needs_{deviation}", formats)
    return written
