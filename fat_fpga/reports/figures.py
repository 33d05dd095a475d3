"""Every figure of a run, in every format."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.campaign import Run
from fat_fpga.errors import CampaignError
from fat_fpga.files import make_folder, replacing
from fat_fpga.reports.criticality import criticality
from fat_fpga.reports.every_fault import every_fault
from fat_fpga.reports.ranges import ranges
from fat_fpga.reports.style import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES: dict[str, Callable[[Run], Figure]] = {
    "ranges": ranges,
    "criticality": criticality,
    "faults": every_fault,
}
"""File name, and what draws it."""

FORMATS = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""Format, and the metadata to leave out so that the same run gives the same file."""


def write_figures(run: Run, folder: str | os.PathLike[str]) -> list[Path]:
    """Draw every figure into ``folder``, made if it is new.

    Returns:
        The files, three formats for each figure.

    Raises:
        CampaignError: no fault is finished yet.
        OSError: the folder cannot be written to.
    """
    if not run.done:
        raise CampaignError(f"{run.path} has no finished fault to draw: let the campaign run for a while")
    folder = make_folder(folder)
    written = []
    with style():
        for name, draw in FIGURES.items():
            written += save(draw(run), folder, name)
    return written


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write ``folder/name`` in every format, each file whole or not at all; returns the files."""
    written = []
    for form, metadata in FORMATS.items():
        path = folder / f"{name}.{form}"
        with replacing(path) as temporary:
            figure.savefig(temporary, format=form, metadata=metadata)
        written.append(path)
    return written
