"""The whole report for other programs."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Any

from fat_fpga import __version__
from fat_fpga.arguments import checked
from fat_fpga.campaign import (
    Estimate,
    Result,
    Run,
    Share,
    Spread,
    changing,
    harmful,
    mean_estimate,
    most_critical,
    overall,
    statistics,
)
from fat_fpga.campaign.origin import SWEEP
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.faults import Family
from fat_fpga.files import replacing
from fat_fpga.reports.bits import drops
from fat_fpga.reports.criteria import criteria_rows
from fat_fpga.reports.curves import curves, is_sweep
from fat_fpga.reports.moved import Moved, deviations, worth_of
from fat_fpga.reports.outcomes import outcome_rows
from fat_fpga.reports.part import Part, parts
from fat_fpga.reports.pes import pes
from fat_fpga.reports.pixel_map import pixel_maps
from fat_fpga.reports.sample_table import margin_rows
from fat_fpga.reports.sweep_json import curves_json
from fat_fpga.reports.words import causes, words

FORMAT = 2
"""Raised when a field changes its name or meaning; new fields do not raise it."""


@checked
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
            "thresholds": run.thresholds or None,
            "origin": origin_json(run),
            "created": run.created,
            "finished": run.finished,
            "sessions": [session._asdict() for session in run.sessions],
        },
        "error_free": {"correct": run.error_free, "accuracy": run.error_free_accuracy},
        "overall": spread_json(overall(run)) if run.done else None,
        **(_sweep_json(run) if is_sweep(run) else _single_json(run)),
        "outcomes": outcome_rows(run),
        "criteria": criteria_rows(run),
        "critical": [result.fault for result in most_critical(run.results, top)],
        "faults": [
            _result_json(run, result) | {name: int(images[number]) for name, images in run.counts.items()}
            for number, result in enumerate(run.results)
        ],
        **({} if run.outputs is None else {"outputs": _outputs_json(run)}),
    }


def _sweep_json(run: Run) -> dict[str, Any]:
    """What is in the report of a sweep alone."""
    sweep = asdict(Sweep.read(run.origin.plan)) if run.origin.source == SWEEP else None
    return {"sweep": sweep, "curves": curves_json(curves(run))}


def _single_json(run: Run) -> dict[str, Any]:
    """What is in the report of single faults and sets alone."""
    return {
        "layers": [
            {
                "layer": group.layer,
                "kind": group.kind,
                "effect": group.effect,
                **spread_json(group.spread),
                "changing": _share_json(changing(run, group.results)),
                "harmful": _share_json(harmful(run, group.results)),
                "drops": drops(run, group.results),
            }
            for group in statistics(run)
        ],
        "kinds": [_kind_json(part) for part in parts(run)],
        "margins": margin_rows(run),
    }


def _outputs_json(run: Run) -> dict[str, Any]:
    """What the outputs are, where they are no classes: ``correct`` and accuracies are then of unchanged outputs."""
    return asdict(worth_of(run)) | {"deviation": asdict(Moved.of(run, run.results)) if run.done else None}


def _result_json(run: Run, result: Result) -> dict[str, Any]:
    index, effect = result.texts
    moved = {}
    if run.outputs is not None:
        moved = dict(zip(("mean_deviation", "largest_deviation"), deviations(run, result), strict=True))
    return {
        "fault": result.fault, "layer": result.layer, "kind": result.kind, "index": index, "effect": effect,
        "correct": result.correct, "changed": result.changed, **moved,
    }  # fmt: skip


def origin_json(run: Run) -> dict[str, Any]:
    """How the fault list came about; ``drawn`` says that it is a sample, ``whole`` that it is all of its space."""
    origin = run.origin
    found = asdict(origin)
    if origin.strata is not None:
        parts = [{**asdict(part), "key": list(part.key)} for part in origin.strata.parts]
        found["strata"] = {"axes": list(origin.strata.axes), "parts": parts, "least": origin.strata.least}
    return found | {"drawn": origin.drawn, "stratified": origin.stratified, "whole": origin.whole}


def _kind_json(part: Part) -> dict[str, Any]:
    """Over all faults of a kind: how many matter, the cause in the hardware, and what only this kind has."""
    found: dict[str, Any] = {
        "kind": part.kind,
        "cause": causes(part.kind),
        **spread_json(Spread.within(part.run, part.results)),
        "mean_estimate": _estimate_json(mean_estimate(part.run, part.results)),
        "changing": _share_json(changing(part.run, part.results)),
        "harmful": _share_json(harmful(part.run, part.results)),
        "drops": drops(part.run, part.results),
    }
    if words(part.kind).family is Family.BLOCK:
        found["pes"] = [
            {
                "layer": pe.layer,
                "pe": pe.number,
                "of": pe.of,
                "channels": None if pe.channels is None else list(pe.channels),
                "accuracy": {result.effect: 100 * result.correct / part.run.images for result in pe.results},
            }
            for pe in pes(part)
        ]
    if words(part.kind).map_axes is not None:
        found["pixels"] = [
            {"layer": name, "accuracy": [[None if a != a else a for a in row] for row in values.tolist()]}
            for name, values in pixel_maps(part).items()
        ]
    return found


def _share_json(share: Share) -> dict[str, Any]:
    interval = None if share.interval is None else list(share.interval)
    return {
        "count": share.count,
        "faults": share.faults,
        "percent": share.percent,
        "interval": interval,
        "population": share.population,
    }


def _estimate_json(estimate: Estimate | None) -> dict[str, Any] | None:
    return None if estimate is None else {"mean": estimate.value, "interval": [estimate.low, estimate.high]}


def spread_json(spread: Spread) -> dict[str, Any]:
    """The figures of a group of faults; worst and best as text forms."""
    return asdict(spread) | {"worst": spread.worst.fault, "best": spread.best.fault}


@checked
def write_json(run: Run, path: str | os.PathLike[str], top: int = 10) -> None:
    """Write ``report_json``; the file appears whole or not at all. OSError if it cannot."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(report_json(run, top), indent=1) + "\n", encoding="utf-8")
