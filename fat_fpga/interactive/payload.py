"""What a page knows of a run: plain JSON with arrays in base64."""

from __future__ import annotations

from typing import Any

import numpy as np

from fat_fpga import __version__
from fat_fpga.campaign import Result, Run, most_critical, overall
from fat_fpga.campaign.counted import MODULE_OUTCOME_NAMES
from fat_fpga.campaign.origin import PATTERNS
from fat_fpga.interactive.arrays import packed, packed_optional
from fat_fpga.interactive.command import campaign_command
from fat_fpga.reports.criteria import shown_criteria
from fat_fpga.reports.curves import curves, is_sweep
from fat_fpga.reports.outcomes import TITLES, outcome_rows
from fat_fpga.reports.sweep_json import curves_json
from fat_fpga.reports.table import headline
from fat_fpga.reports.words import causes, effect_words, words

MOST_FAULTS = 200_000
"""So many faults are listed in a page, the most critical ones; figures of layers are over all."""
AXES = ("channel", "row", "column", "input_channel", "threshold", "pe", "of", "bit", "value", "frame")


def run_payload(run: Run) -> tuple[dict[str, Any], list[int]]:
    """A run as JSON, and the numbers of the results that are listed in it, in the order of `Run.results`."""
    shown = listed(run)
    results = [run.results[number] for number in shown]
    return {
        "head": _head(run),
        "outputs": run.outputs is not None,
        "layers": [layer._asdict() for layer in run.layers],
        "faults": _faults(run, shown, results),
        "kinds": {} if run.has_patterns else {kind: _kind(kind) for kind in dict.fromkeys(r.kind for r in results)},
        "outcomes": {"rows": outcome_rows(run), "titles": TITLES},
        "criteria": shown_criteria(run),
        "curves": curves_json(curves(run)) if is_sweep(run) else [],
        "labels": packed(run.labels),
        "golden": packed(run.golden),
    }, shown


def listed(run: Run) -> list[int]:
    """The numbers of the results that a page lists, ascending: all, or the most critical `MOST_FAULTS`."""
    if run.done <= MOST_FAULTS:
        return list(range(run.done))
    order = np.lexsort((np.arange(run.done), -run.changed, run.correct))
    found: list[int] = np.sort(order[:MOST_FAULTS]).tolist()
    return found


def _head(run: Run) -> dict[str, Any]:
    what, spread = run.identity, overall(run) if run.done else None
    return {
        "version": __version__,
        "network": what.network,
        "network_fingerprint": what.network_fingerprint,
        "dataset": what.dataset,
        "dataset_fingerprint": what.dataset_fingerprint,
        "fault_list": what.fault_list,
        "file": "" if run.path is None else run.path.name,
        "images": run.images,
        "error_free": run.error_free,
        "asked": run.asked,
        "done": run.done,
        "complete": run.complete,
        "sample": run.origin.drawn,
        "whole": run.origin.whole,
        "origin": run.origin.describe(run.asked),
        "lines": headline(run).splitlines(),
        "created": run.created,
        "finished": run.finished,
        "made_by": run.version,
        "engines": list(dict.fromkeys(session.engine for session in run.sessions)),
        "seconds": sum(session.seconds for session in run.sessions),
        "command": campaign_command(run),
        "mean": None if spread is None else spread.mean,
    }


def _kind(kind: str) -> dict[str, Any]:
    what = words(kind)
    return {
        "cause": causes(kind),
        "family": what.family.name,
        "one": what.one,
        "places": what.places,
        "worst": what.worst,
        "map": list(what.map_axes or ()),
    }


def _faults(run: Run, shown: list[int], results: list[Result]) -> dict[str, Any]:
    layers, kinds, effects = (_Names() for _ in range(3))
    counted = [name for name in MODULE_OUTCOME_NAMES if name in run.counts]
    return {
        "total": run.done,
        "text": "\n".join(result.fault for result in results),
        "layer": packed([layers.number(result.layer) for result in results]),
        "kind": packed([kinds.number(result.kind) for result in results]),
        "effect": packed([effects.number(_effect(result)) for result in results]),
        "layers": layers.names,
        "kinds": kinds.names,
        "effects": effects.names,
        "correct": packed(run.correct[shown]),
        "changed": packed(run.changed[shown]),
        "axes": {axis: column for axis in AXES if (column := packed_optional([getattr(r, axis) for r in results]))},
        "counts": {name: packed(run.counts[name][shown]) for name in counted},
    }


def _effect(result: Result) -> str:
    """In words; of patterns what is done, without the sample, which each has of its own."""
    if result.kind.startswith(PATTERNS):
        return f"rate {result.pattern.rate:g}"
    return effect_words(result)


class _Names:
    """Numbers for texts that occur many times."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]


def worst_numbers(run: Run, count: int) -> list[int]:
    """The numbers of the most critical results, the worst first."""
    place = {id(result): number for number, result in enumerate(run.results)}
    return [place[id(result)] for result in most_critical(run.results, count)]
