"""What was found, for the screen and as CSV."""

from __future__ import annotations

import csv
from pathlib import Path

from fat_fpga.files import replacing
from fat_fpga.hardening.ranges.resilience import Correct
from fat_fpga.hardening.ranges.tune import Tuned
from fat_fpga.text import align, percent

CLIP_COLUMNS = ("activation", "threshold", "area", "best")


def tuned_text(tuned: Tuned) -> str:
    """A line for each activation."""
    table = [["activation", "ACT_max", "threshold", "AUC", "trials", "iterations"]]
    for layer in tuned.layers:
        best = layer.found.best
        table.append(
            [
                layer.name, f"{layer.largest:.4g}", f"{best.threshold:.4g}", f"{best.area:.4f}",
                str(len(layer.found.trials)), str(layer.found.iterations),
            ]
        )  # fmt: skip
    return f"threshold of each activation, and the area under the curve with those before it\n{align(table)}"


def areas_text(rows: dict[str, Correct], rates: tuple[float, ...], axis: str) -> str:
    """Accuracy and area of several forms of a network."""
    head = ["network", "without errors [%]", *(f"{rate:.0e} [%]" for rate in rates), "worst [%]", "AUC", "times"]
    table = [head]
    first = next(iter(rows.values())).area(rates, axis)
    for name, correct in rows.items():
        area = correct.area(rates, axis)
        worst = min(min(own) for own in correct.samples) / correct.images
        means = [percent(100 * mean) for mean in correct.means()]
        free = percent(100 * correct.error_free / correct.images)
        table.append([name, free, *means, percent(100 * worst), f"{area:.4f}", f"{area / first:.2f}" if first else ""])
    return f"mean accuracy at each rate, and area under the curve over the {axis} rate\n{align(table)}"


def write_trials(tuned: Tuned, path: Path) -> None:
    """CSV with a row for each threshold that was tried."""
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CLIP_COLUMNS)
        for layer in tuned.layers:
            for trial in layer.found.trials:
                best = trial.threshold == layer.found.best.threshold
                writer.writerow((layer.name, repr(trial.threshold), f"{trial.area:.6f}", int(best)))
