"""The command that makes a run again."""

from __future__ import annotations

import json
import re
import shlex

from fat_fpga.campaign import Run
from fat_fpga.campaign.counted import DETECTORS, ERRORS, OUTCOMES, TOP5, cost_matrix_of
from fat_fpga.campaign.origin import LIST, SWEEP
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.models import zoo
from fat_fpga.network.operators.threshold_logic import COUNT


def campaign_command(run: Run) -> str:
    """``fat-fpga campaign``, or ``sweep``, with the options that give the same faults.

    A run keeps the names of model and data, not where their files are: what it does not know is in capitals.
    """
    origin, what = run.origin, run.identity
    own = what.dataset.startswith("demo:")
    words = [what.network if what.network in zoo.bundled() else f"{what.network}.onnx"]
    words += ["--data", what.dataset if own else "DATA", "--images", str(run.images)]
    if origin.source == SWEEP:
        words += _sweep(Sweep.read(origin.plan))
    elif origin.source == LIST:
        words += ["--fault-list", "FAULTS"]
    else:
        words += _space(run)
    words += ["--thresholds", run.thresholds] * (run.thresholds not in ("", COUNT))
    counting = what.counting.split(",")
    detectors = [each for each in counting if each in DETECTORS]
    words += ["--outcomes"] * (OUTCOMES in counting)
    words += ["--detectors", ",".join(detectors)] * bool(detectors)
    words += ["--per-class"] * (ERRORS in counting and origin.source != SWEEP) + ["--top5"] * (TOP5 in counting)
    words += ["--cost-matrix", "COSTS.csv"] * (cost_matrix_of(counting) is not None)
    words += ["--keep-predictions"] * (run.predictions is not None)
    words += ["-o", "RUN" if run.path is None else run.path.name]
    return f"fat-fpga {'sweep' if origin.source == SWEEP else 'campaign'} {shlex.join(words)}"


def _space(run: Run) -> list[str]:
    """Options of a campaign on a space, or on a sample of one."""
    origin = run.origin
    words = ["--faults", origin.kinds]
    places = origin.places.split(",")
    if any(layer.is_unit and layer.name not in places for layer in run.layers[:-1]):
        words += ["--layers", origin.places]
    words += _effects(run)
    words += ["--folding", _folding(run)] * bool(origin.folding)
    if origin.plan is not None:
        plan = json.loads(origin.plan)
        words += ["--margin", str(plan["margin"]), "--confidence", str(plan["confidence"])]
        return words + ["--strata", ",".join(plan["by"])] * bool(plan["by"])
    if origin.drawn:
        words += ["--sample", str(origin.sample), "--seed", str(origin.seed)]
        if origin.stratified and origin.strata is not None:
            words += ["--stratify", ",".join(origin.strata.axes), "--per-stratum", str(origin.strata.least)]
    return words


def _folding(run: Run) -> str:
    """PEs of each unit as a list; a unit without faults of PEs may have any number."""
    pes = dict(re.findall(r"(\S+) (\d+)", run.origin.folding))
    return ",".join(pes.get(layer.name, "1") for layer in run.layers if layer.is_unit)


def _effects(run: Run) -> list[str]:
    """``--effects`` and ``--values``, where the faults that are done show that they are not the usual ones."""
    singles = [result for result in run.results if not result.members]
    flips = {bool(result.flip) for result in singles if result.bit is not None}
    words = ["--effects", "all" if True in flips else "stuck"] if False in flips else []
    values = {result.value for result in singles if result.bit is None and result.value is not None}
    layers = {result.layer for result in singles if result.bit is None}
    known = {int(level) for row in run.layers if row.name in layers for level in row.levels.split(",") if level}
    return words + ["--values", ",".join(f"{value:+d}" for value in sorted(values))] * (values < known and run.complete)


def _sweep(sweep: Sweep) -> list[str]:
    """Options of a sweep that differ from the usual ones."""
    words = ["--faults", ",".join(sweep.kinds), "--scope", sweep.scope, "--samples", str(sweep.samples)]
    words += ["--errors", sweep.errors, "--seed", str(sweep.seed)]
    words += ["--layers", ",".join(sweep.layers)] if sweep.layers else []
    words += ["--until-interval", f"{sweep.until:g}"] if sweep.until is not None else []
    words += ["--burst", str(sweep.burst)] * (sweep.burst > 1)
    words += ["--protect", "CODE"] * bool(sweep.protection)
    if sweep.scrubbing is None:
        return [*words, "--rates", ",".join(f"{rate:.17g}" for rate in sweep.rates)]
    return [*words, "--rates", "RATES"]
