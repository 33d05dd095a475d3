"""The whole report for other programs."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Any

from fat_fpga import __version__
from fat_fpga.campaign import Run, Spread, most_critical, overall, statistics
from fat_fpga.files import replacing

FORMAT = 1
"""Raised when a field changes its name or meaning; new fields do not raise it."""


def report_json(run: Run, top: int = 10) -> dict[str, Any]:
    """The report as plain dictionaries, lists, numbers and strings; accuracies in percent."""
    what = run.identity
    return {
        "format": FORMAT,
        "version": __version__,
        "network": {
            "name": what.network,
            "fingerprint": what.network_fingerprint,
            "layers": [layer._asdict() for layer in run.layers],
        },
        "data": {"name": what.dataset, "fingerprint": what.dataset_fingerprint, "images": run.images},
        "campaign": {
            "asked": run.asked,
            "done": run.done,
            "complete": run.complete,
            "fault_list": what.fault_list,
            "created": run.created,
            "finished": run.finished,
            "sessions": [session._asdict() for session in run.sessions],
        },
        "error_free": {"correct": run.error_free, "accuracy": run.error_free_accuracy},
        "overall": spread_json(overall(run)) if run.done else None,
        "layers": [
            {"layer": group.layer, "kind": group.kind, "value": group.value, **spread_json(group.spread)}
            for group in statistics(run)
        ],
        "critical": [result.fault for result in most_critical(run.results, top)],
        "faults": [asdict(result) for result in run.results],
    }


def spread_json(spread: Spread) -> dict[str, Any]:
    """The figures of a group of faults; worst and best as text forms."""
    return asdict(spread) | {"worst": spread.worst.fault, "best": spread.best.fault}


def write_json(run: Run, path: str | os.PathLike[str], top: int = 10) -> None:
    """Write ``report_json``; the file appears whole or not at all. OSError if it cannot."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(report_json(run, top), indent=1) + "\n", encoding="utf-8")
