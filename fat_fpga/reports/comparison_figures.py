"""Every figure of a comparison, in every format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.arguments import checked
from fat_fpga.faults import Family
from fat_fpga.files import make_folder
from fat_fpga.reports.comparison import Comparison, Section
from fat_fpga.reports.comparison_criticality import comparison_criticality
from fat_fpga.reports.comparison_ranges import comparison_ranges
from fat_fpga.reports.figures import FORMATS, save
from fat_fpga.reports.moved import refuse_values
from fat_fpga.reports.style import style
from fat_fpga.reports.words import words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMPARISON_FIGURES: dict[str, Callable[[Section], Figure]] = {
    "ranges": comparison_ranges,
    "criticality": comparison_criticality,
}
"""Start of the file name, and what draws it; the kind of fault follows, as in ``ranges_channel.png``."""


@checked
def write_comparison_figures(
    comparison: Comparison, folder: str | os.PathLike[str], formats: Iterable[str] = tuple(FORMATS)
) -> list[Path]:
    """Draw every figure of every kind of fault into ``folder``, made if it is new.

    Args:
        formats: ``png``, ``svg``, ``pdf``, or some of them.

    Returns:
        The files, one for each figure and format.

    Raises:
        OSError: the folder cannot be written to.
    """
    for run in comparison.runs:
        refuse_values(run, "a figure")
    folder = make_folder(folder)
    written = []
    with style():
        for section in comparison.sections:
            for name, draw in COMPARISON_FIGURES.items():
                if name == "criticality" and words(section.kind).family is Family.TRANSIENT:
                    continue  # a transient costs one image at most
                written += save(draw(section), folder, f"{name}_{section.kind.replace(' ', '_')}", formats)
    return written
