"""Every figure of a run, in every format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.arguments import checked
from fat_fpga.campaign import Run
from fat_fpga.errors import CampaignError
from fat_fpga.faults import Family
from fat_fpga.files import make_folder, replacing
from fat_fpga.reports.change_shares import change_shares
from fat_fpga.reports.criticality import criticality
from fat_fpga.reports.curves import Curve, curves, is_sweep
from fat_fpga.reports.drop_histogram import drop_histogram
from fat_fpga.reports.every_fault import every_fault
from fat_fpga.reports.moved import refuse_values
from fat_fpga.reports.part import Part, parts
from fat_fpga.reports.pe_bars import pe_bars
from fat_fpga.reports.pixel_map import has_maps, pixel_map
from fat_fpga.reports.ranges import ranges
from fat_fpga.reports.style import style
from fat_fpga.reports.sweep_figures import rates_figure, tolerance_figure
from fat_fpga.reports.words import words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES: dict[str, Callable[[Part], Figure]] = {
    "ranges": ranges,
    "criticality": criticality,
    "faults": every_fault,
    "pixels": pixel_map,
    "pes": pe_bars,
    "drops": drop_histogram,
    "changes": change_shares,
}
"""File name, and what draws it; see `figures_of` for which kinds of fault."""
SWEEP_FIGURES: dict[str, Callable[[Run, Sequence[Curve]], Figure]] = {
    "rates": rates_figure,
    "tolerance": tolerance_figure,
}
"""The same for sweeps."""

FORMATS = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""Format, and the metadata to leave out so that the same run gives the same file."""


def figures_of(part: Part) -> list[str]:
    """The names of the figures that say something about a kind of fault.

    A transient falls on one image, so its accuracies are all but the same: only how often it matters is drawn.
    """
    family = words(part.kind).family
    if family is Family.TRANSIENT:
        return ["changes"]
    own = {
        "pixels": has_maps(part),
        "pes": family is Family.BLOCK,
        "drops": family is Family.MEMORY_BIT,
        "changes": family is Family.MEMORY_BIT,
    }
    return ["ranges", "criticality", "faults", *(name for name, fitting in own.items() if fitting)]


@checked
def write_figures(run: Run, folder: str | os.PathLike[str], formats: Iterable[str] = tuple(FORMATS)) -> list[Path]:
    """Draw every figure into ``folder``, made if it is new; their names end in the kind where there are several.

    Args:
        formats: ``png``, ``svg``, ``pdf``, or some of them.

    Returns:
        The files, one for each figure and format.

    Raises:
        CampaignError: no fault is finished yet, or the outputs are no classes.
        OSError: the folder cannot be written to.
    """
    if not run.done:
        raise CampaignError(f"{run.title} has no finished fault to draw: let the campaign run for a while")
    refuse_values(run, "a figure")
    folder = make_folder(folder)
    written = []
    with style():
        if is_sweep(run):
            if not any(point.rate > 0 for curve in curves(run) for point in curve.points):
                raise CampaignError(f"{run.title} has no rate above 0 to draw")
            for name, draw in SWEEP_FIGURES.items():
                written += save(draw(run, curves(run)), folder, name, formats)
            return written
        found = parts(run)
        for part in found:
            end = f"_{part.kind.replace(' ', '_')}" if len(found) > 1 else ""
            for name in figures_of(part):
                written += save(FIGURES[name](part), folder, f"{name}{end}", formats)
    return written


def save(figure: Figure, folder: Path, name: str, formats: Iterable[str] = tuple(FORMATS)) -> list[Path]:
    """Write ``folder/name`` in these formats, each file whole or not at all; returns the files."""
    written = []
    for form in formats:
        path = folder / f"{name}.{form}"
        with replacing(path) as temporary:
            figure.savefig(temporary, format=form, metadata=FORMATS[form])
        written.append(path)
    return written
