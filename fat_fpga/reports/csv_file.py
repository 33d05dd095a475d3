"""One row for each finished fault, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import os

from fat_fpga.campaign import Run
from fat_fpga.files import replacing

COLUMNS = ("fault", "layer", "kind", "index", "effect", "images", "correct", "changed")


def write_csv(run: Run, path: str | os.PathLike[str]) -> None:
    """Write the results, layers in network order; the file appears whole or not at all. OSError if it cannot."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for r in run.results:
            writer.writerow((r.fault, r.layer, r.kind, r.index, r.effect, run.images, r.correct, r.changed))
