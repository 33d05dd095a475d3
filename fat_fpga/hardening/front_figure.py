"""Worst-case error against cost, several networks over each other (Zahid et al. 2020, Figure 9)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.errors import PlanError
from fat_fpga.faults import MODELS
from fat_fpga.files import make_folder, replacing
from fat_fpga.hardening.front import Front
from fat_fpga.reports.figures import FORMATS, save
from fat_fpga.reports.style import RULE, colours, markers, style
from fat_fpga.text import percent, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure


FRONT = "front"
"""Name of the figure's files."""


def check_figure(path: str | os.PathLike[str]) -> None:
    """PlanError unless the file's ending is that of a format of figures."""
    if Path(path).suffix[1:] not in FORMATS:
        raise PlanError(f"{path}: figures are .{', .'.join(FORMATS)}")


def write_front_figures(
    fronts: Sequence[Front], folder: str | os.PathLike[str], formats: Iterable[str] = tuple(FORMATS)
) -> list[Path]:
    """Draw the fronts over each other into ``folder``, made if it is new; returns the files, one for each format."""
    folder = make_folder(folder)
    with style():
        return save(front_figure(fronts), folder, FRONT, formats)


def write_front_figure(fronts: Sequence[Front], path: str | os.PathLike[str]) -> None:
    """Draw the fronts over each other, in the format that the file's ending says: .png, .svg or .pdf."""
    check_figure(path)
    with replacing(path) as temporary, style():
        front_figure(fronts).savefig(temporary, format=Path(path).suffix[1:], dpi=150)


def front_figure(fronts: Sequence[Front]) -> Figure:
    """Steps: between two points the worse of them is what the money buys. Dashed: error-free."""
    from matplotlib.figure import Figure

    count = len(fronts)
    figure = Figure(figsize=(7.2, 4.2 + 0.17 * count), layout="constrained")
    axes = figure.subplots()
    what, cost = fronts[0].planner, fronts[0].about.costs

    def tell(error: float) -> str:
        return f"{error:.4g}" if cost else f"{percent(error)} %"

    for front, shade, shape in zip(fronts, colours(count), markers(count), strict=True):
        errors = [front.error(point.worst_correct) for point in front.points]
        ratios = [point.ratio for point in front.points]
        free = front.error(front.planner.criticality.golden)
        plain = front.error(front.planner.promise(front.planner.builder.unprotected()))
        axes.axhline(free, color=shade, linewidth=1.0, linestyle="--")
        axes.step(ratios, errors, where="post", color=shade, linewidth=1.2)
        axes.plot(
            ratios, errors, shape, color=shade, markersize=3.5, linestyle="none",
            label=f"{shown(front.name)}: error-free {tell(free)}, unprotected {tell(plain)}",
        )  # fmt: skip
    axes.grid(color=RULE, linewidth=0.6)
    axes.set_xlabel(f"cost over that of the unprotected network ({what.model.title})")
    part = MODELS[what.criticality.kind].traits.axes[0]
    axes.set_ylabel(f"{fronts[0].about.title} under one stuck {part}{'' if cost else ' [%]'}")
    identity = what.criticality.run.identity
    axes.set_title(f"Selective replication; dashed: error-free\n{shown(identity.dataset)}, {identity.images:,} images")
    figure.legend(loc="outside lower left", fontsize=8)
    return figure
