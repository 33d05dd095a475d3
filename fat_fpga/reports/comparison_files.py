"""A comparison for spreadsheets and other programs."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fat_fpga import __version__
from fat_fpga.arguments import checked
from fat_fpga.campaign import Run
from fat_fpga.files import replacing
from fat_fpga.reports.comparison import Comparison, Entry
from fat_fpga.reports.criteria import criteria_rows
from fat_fpga.reports.json_file import origin_json, spread_json
from fat_fpga.reports.moved import Moved

COMPARISON_FORMAT = 1
"""Raised when a field of the JSON changes its name or meaning; new fields do not raise it."""

COMPARISON_COLUMNS = (
    "kind", "run", "network", "data", "images", "error_free", "min", "drop", "max", "mean", "variance", "faults",
    "worst", "best", "complete", "sample", "file", "given", "min_outside_voters", "min_voters",
)  # fmt: skip


@checked
def write_comparison_csv(comparison: Comparison, path: str | os.PathLike[str]) -> None:
    """One row for each kind of fault and run; the file appears whole or not at all. OSError if it cannot."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(comparison_columns(comparison.runs))
        for section in comparison.sections:
            writer.writerows(_row(entry) for entry in section.entries)


def _row(entry: Entry) -> tuple[Any, ...]:
    run, spread = entry.run, entry.spread
    return (
        entry.kind, entry.name, run.identity.network, run.identity.dataset, run.images, run.error_free_accuracy,
        spread.min, entry.drop, spread.max, spread.mean, spread.variance, spread.faults, spread.worst.fault,
        spread.best.fault, "yes" if run.complete else "no", "yes" if run.origin.drawn else "no", run.title,
        "yes" if run.origin.word == "given" else "no", *(own and own.min for own in (entry.outside, entry.voters)),
        *_moved(entry),
    )  # fmt: skip


def comparison_columns(runs: Sequence[Run]) -> tuple[str, ...]:
    """The columns of a comparison of these runs: with deviations where the outputs are no classes."""
    more = ("mean_deviation", "worst_mean_deviation", "largest_deviation")
    return (*COMPARISON_COLUMNS, *(more if runs[0].outputs is not None else ()))


def _moved(entry: Entry) -> tuple[float, ...]:
    if entry.run.outputs is None:
        return ()
    found = Moved.of(entry.run, entry.results)
    return found.mean, found.worst, found.largest


@checked
def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain dictionaries, lists, numbers and strings; accuracies in percent."""
    runs = []
    for name, run in zip(comparison.names, comparison.runs, strict=True):
        what = run.identity
        runs.append({
            "name": name,
            "file": run.title,
            "network": {"name": what.network, "fingerprint": what.network_fingerprint},
            "data": {"name": what.dataset, "fingerprint": what.dataset_fingerprint, "images": run.images},
            "campaign": {
                "asked": run.asked, "done": run.done, "complete": run.complete, "fault_list": what.fault_list,
                "thresholds": run.thresholds or None, "origin": origin_json(run),
            },
            "error_free": {"correct": run.error_free, "accuracy": run.error_free_accuracy},
            "criteria": criteria_rows(run),
        })  # fmt: skip
    sections = [
        {
            "kind": section.kind,
            "leaders": [entry.position for entry in section.leaders],
            "runs": [
                {
                    "run": entry.position,
                    "name": entry.name,
                    "drop": entry.drop,
                    **spread_json(entry.spread),
                    **({} if entry.run.outputs is None else {"deviation": asdict(Moved.of(entry.run, entry.results))}),
                    "outside_voters": entry.outside and spread_json(entry.outside),
                    "voters": entry.voters and spread_json(entry.voters),
                    "layers": [{"layer": name, **spread_json(spread)} for name, spread in entry.layers.items()],
                }
                for entry in section.entries
            ],
        }
        for section in comparison.sections
    ]
    return {
        "format": COMPARISON_FORMAT,
        "version": __version__,
        "same_data": comparison.same_data,
        "runs": runs,
        "sections": sections,
    }


@checked
def write_comparison_json(comparison: Comparison, path: str | os.PathLike[str]) -> None:
    """Write ``comparison_json``; the file appears whole or not at all. OSError if it cannot."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(comparison_json(comparison), indent=1) + "\n", encoding="utf-8")
