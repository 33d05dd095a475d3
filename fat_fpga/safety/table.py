"""The safety table: for people, as CSV (or XLSX) for assessors, and as JSON for other programs."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fat_fpga import __version__
from fat_fpga.arguments import checked
from fat_fpga.campaign import Estimate
from fat_fpga.errors import SafetyError
from fat_fpga.extras import advice, installed
from fat_fpga.faults.pattern import EVERY
from fat_fpga.files import replacing
from fat_fpga.safety.assessment import FIGURES, GROUPS, TARGETS, Assessment
from fat_fpga.text import align, shown

NOT_MODELLED = (
    "configuration memory, but for what [bits] of the FIT file counts: routing, block RAM settings, unused bits",
    "control logic: state machines, FIFOs between the layers, width converters",
    "DMA, AXI interconnect, processor, external memory",
    "clock and reset trees, power supply, pins",
    "two faults at once in two elements, but for a mechanism and what it watches",
    "common causes: faults that hit an element and its mechanism together",
    "the uncertainty of failure rates and of coverages: intervals are those of sampling alone",
    "other inputs than the images of the data set",
)
COLUMNS = (
    "element", "layer", "kind", "structure", "failure mode", "cause", "effect", "bits", "transient_fit",
    "permanent_fit",
    "vulnerability_transient", "transient_low", "transient_high", "vulnerability_permanent", "permanent_low",
    "permanent_high", "faults", "mechanism", "coverage_transient", "coverage_permanent", "residual_fit", "run",
)  # fmt: skip
EFFECTS = {
    "change": "changes the class of at least one image",
    "drop": "costs more than {points:g} points of accuracy",
    "image": "changes the class of an image (share of images)",
}


@checked
def safety_text(found: Assessment) -> str:
    """The metrics with their intervals, what they are against the targets, the elements, and what is not modelled."""
    run, goal = found.runs[0], EFFECTS[found.fit.goal].format(points=found.fit.points)
    rows = [["95 % interval", *GROUPS]]
    for name in FIGURES:
        unit = {"undetected": "undetected dangerous [FIT]", "PMHF": "PMHF [1/h]"}.get(name, f"{name} [%]")
        rows.append([unit, *(_interval(found.figure(name, group), name) for group in GROUPS)])
    verdicts = [["ASIL", "SPFM", "LFM", "PMHF"]]
    for asil, (spfm, lfm, pmhf) in TARGETS.items():
        kept = found.meets(asil)
        told = {name: "met" if kept[name] else "NOT MET" for name in kept}
        verdicts.append([
            asil, f"{told['SPFM']} (>= {spfm:g} %)", f"{told['LFM']} (>= {lfm:g} %)", f"{told['PMHF']} (< {pmhf:g}/h)",
        ])  # fmt: skip
    between = found.executions_between_failures()
    lines = [
        f"safety metrics of {shown(run.identity.network)} on {shown(run.identity.dataset)}, {run.images:,} images",
        f"a fault is dangerous where it {goal}",
        "",
        align(rows),
        "",
        "targets of ISO 26262-5, for all faults, at the worse end of the interval",
        align(verdicts, left=(0, 1, 2, 3)),
        *([] if between is None else ["", f"mean executions between failures: {_interval(between, 'PMHF')}"]),
        "",
        _structures(found),
        "",
        _elements(found),
        "",
        "failure rates from:",
        *(f"  {name}: {shown(rate.source, 300)}" for name, rate in found.fit.rates.items()),
        "",
        "not modelled:",
        *(f"  - {line}" for line in not_modelled(found)),
    ]
    return "\n".join(lines)


def not_modelled(found: Assessment) -> list[str]:
    """What the figures do not hold: what the user left out, what no run has, and what the toolkit does not model."""
    kinds = {element.kind for element in found.elements}
    missing = [kind for kind in found.fit.structures if kind not in kinds]
    lines = [f"faults of kind {', '.join(missing)}: no run has them"] if missing else []
    known = {(element.layer, element.kind) for element in found.elements}
    units = [layer.name for layer in found.runs[0].layers if layer.is_unit]
    for kind in sorted(kinds):
        layers = [name for name in units if (name, kind) not in known and (EVERY, kind) not in known]
        if layers:
            lines.append(f"faults of kind {kind} in {', '.join(layers)}: no run has them")
    if any(run.has_patterns for run in found.runs):
        lines.append("several errors at once, as samples of a sweep have them: only those with a single hit count")
    if any(element.of_luts for element in found.elements):
        lines.append("configuration bits of logic, counted one by one: they are LUTs times [logic] bits_per_lut")
    return [*found.fit.left_out, *lines, *NOT_MODELLED]


def _structures(found: Assessment) -> str:
    rows = [["structure", "bits", "transient [FIT]", "permanent [FIT]", "AVF [%]", "undetected dangerous [FIT]"]]
    for row in structure_rows(found):
        avf = Estimate(*(100 * value for value in row["avf"]))
        rows.append([
            row["structure"], f"{row['bits']:,.0f}", f"{row['transient_fit']:.3g}", f"{row['permanent_fit']:.3g}",
            _interval(avf, ""), _interval(Estimate(*row["undetected"]), "undetected"),
        ])  # fmt: skip
    return align(rows)


def structure_rows(found: Assessment) -> list[dict[str, Any]]:
    """For each structure bits, rates, AVF (0 to 1) and FIT of dangerous faults that nothing catches, the last two with
    their intervals."""
    rows = []
    for structure in dict.fromkeys(element.structure for element in found.elements):
        own = found.of_structure(structure)
        rows.append({
            "structure": structure,
            "bits": sum(element.bits for element in own.elements),
            "transient_fit": sum(element.transient for element in own.elements),
            "permanent_fit": sum(element.permanent for element in own.elements),
            "avf": tuple(own.vulnerability()),
            "undetected": tuple(own.figure("undetected")),
        })  # fmt: skip
    return rows


def _elements(found: Assessment) -> str:
    rows = [["element", "structure", "bits", "FIT", "vulnerability [%]", "faults", "mechanism", "residual [FIT]"]]
    for number, element in enumerate(found.elements):
        transient, permanent = element.vulnerability
        factor = _interval(Estimate(*(100 * value for value in transient)), "")
        if not element.same:
            factor += f"; permanent {_interval(Estimate(*(100 * value for value in permanent)), '')}"
        rows.append([
            element.name, element.structure, f"{element.bits:,.0f}", f"{element.transient + element.permanent:.3g}",
            factor, f"{element.drawn:,}", element.mechanism.name if element.mechanism else "none",
            f"{_residual(found, number):.3g}",
        ])  # fmt: skip
    return align(rows, left=(0, 1, 6))


def _residual(found: Assessment, number: int) -> float:
    """FIT of the element's dangerous faults that nothing catches."""
    element = found.elements[number]
    alone = Assessment((element,), found.fit, found.runs)
    return alone.rates().undetected


def _interval(estimate: Estimate, name: str) -> str:
    form = "{:.2e}" if name in ("PMHF", "undetected") else "{:.2f}"
    text = form.format(estimate.value)
    if estimate.low == estimate.high:
        return text
    return f"{text} ({form.format(estimate.low)} to {form.format(estimate.high)})"


def fmeda_rows(found: Assessment) -> Iterator[tuple[str | float, ...]]:
    """One row for each element, in the order of `COLUMNS`; vulnerabilities and coverages are 0 to 1."""
    effect = EFFECTS[found.fit.goal].format(points=found.fit.points)
    for number, element in enumerate(found.elements):
        mechanism, (transient, permanent) = element.mechanism, element.vulnerability
        yield (
            element.name, element.layer, element.kind, element.structure, f"wrong {element.kind}", element.cause,
            effect,
            element.bits, element.transient, element.permanent, *transient, *permanent, element.drawn,
            mechanism.name if mechanism else "none", mechanism.transient if mechanism else 0.0,
            mechanism.permanent if mechanism else 0.0, _residual(found, number), element.run,
        )  # fmt: skip


@checked
def write_fmeda(found: Assessment, path: str | os.PathLike[str]) -> None:
    """Write the table, as XLSX where the name ends so, else as CSV; the file appears whole or not at all.

    Raises:
        SafetyError: XLSX without the package openpyxl.
        OSError: the file cannot be written.
    """
    if Path(path).suffix.lower() == ".xlsx":
        _write_xlsx(found, path)
        return
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(fmeda_rows(found))


def _write_xlsx(found: Assessment, path: str | os.PathLike[str]) -> None:
    if not installed("openpyxl"):
        raise SafetyError(f"an XLSX table needs the package openpyxl: {advice('xlsx')}, or name a .csv file")
    from openpyxl import Workbook

    book = Workbook()
    table = book.active
    table.title = "FMEDA"
    for row in (COLUMNS, *fmeda_rows(found)):
        table.append(row)
    left = book.create_sheet("not modelled")
    for line in not_modelled(found):
        left.append([line])
    with replacing(path) as temporary:
        book.save(temporary)


@checked
def safety_json(found: Assessment) -> dict[str, Any]:
    """All figures as plain dictionaries, lists, numbers and strings; metrics in percent, rates in FIT, PMHF an hour."""
    return {
        "format": 1,
        "version": __version__,
        "safety": {
            group: {name: found.figure(name, group)._asdict() for name in FIGURES} | {"total": found.rates(group).total}
            for group in GROUPS
        },
        "targets": {asil: found.meets(asil) for asil in TARGETS},
        "goal": EFFECTS[found.fit.goal].format(points=found.fit.points),
        "structures": [
            row | {name: Estimate(*row[name])._asdict() for name in ("avf", "undetected")}
            for row in structure_rows(found)
        ],
        "elements": [dict(zip(COLUMNS, row, strict=True)) for row in fmeda_rows(found)],
        "sources": {name: rate.source for name, rate in found.fit.rates.items()},
        "not_modelled": not_modelled(found),
        "runs": [
            {"file": run.title, "fault_list": run.identity.fault_list, "network": run.identity.network_fingerprint}
            for run in found.runs
        ],
    }


@checked
def write_safety_json(found: Assessment, path: str | os.PathLike[str]) -> None:
    """Write `safety_json`; the file appears whole or not at all. OSError if it cannot."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(safety_json(found), indent=1) + "\n", encoding="utf-8")
