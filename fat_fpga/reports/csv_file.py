"""One row for each finished fault, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import os
from itertools import repeat

from fat_fpga.arguments import checked
from fat_fpga.campaign import Run
from fat_fpga.campaign.sampling import stands_for
from fat_fpga.files import replacing
from fat_fpga.reports.moved import deviations

COLUMNS = ("fault", "layer", "kind", "index", "effect", "images", "correct", "changed", "stands_for")


def csv_columns(run: Run) -> tuple[str, ...]:
    """The columns of a run's table."""
    return COLUMNS if run.outputs is None else (*COLUMNS, "mean_deviation", "largest_deviation")


@checked
def write_csv(run: Run, path: str | os.PathLike[str]) -> None:
    """Write the results, layers in network order; the file appears whole or not at all. OSError if it cannot.

    ``stands_for`` is how many faults of its space a fault stands for: 1 in a whole campaign, more in a finished sample,
    and empty where the run does not say. What else was counted (`Run.counts`) follows, a column each. Where the outputs
    are no classes, ``correct`` counts unchanged outputs, and ``mean_deviation`` and ``largest_deviation`` follow.
    """
    counts = stands_for(run)
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*csv_columns(run), *(name.replace(" ", "_") for name in run.counts)))
        more = zip(*(count.tolist() for count in run.counts.values()), strict=True) if run.counts else repeat(())
        for r, count, own in zip(run.results, counts, more, strict=False):
            index, effect = r.texts
            moved = () if run.outputs is None else deviations(run, r)
            writer.writerow(
                (r.fault, r.layer, r.kind, index, effect, run.images, r.correct, r.changed, count, *moved, *own)
            )
