"""A verification as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fat_fpga.hardening.verify import Verdict, Verification
from fat_fpga.text import align, percent, shown

MOST = 10
"""Broken promises that are listed, unless all faults are."""


def verification_text(found: Verification, every: bool = False) -> str:
    """Layer by layer how many faults did as foretold, the worst of each, and the verdict."""
    plan, run = found.plan, found.run
    head = (
        f"{plan.model} as planned ({plan.replicated} channels three times), on {run.images:,} images of "
        f"{shown(run.identity.dataset)}\n{_promise(found)}"
        f"{'' if found.same_images else f' on the {plan.images:,} images of {plan.dataset}'}"
    )
    parts = [head, _layers(found), _verdict(found), _transfer(found)]
    if every:
        parts.append(_faults(found, found.verdicts))
    elif found.broken:
        parts.append(_faults(found, found.broken[:MOST]))
    return "\n\n".join(filter(None, parts))


def _promise(found: Verification) -> str:
    """What is promised, and what there is without a fault."""
    plan, where = found.plan, f"promised with any {found.plan.kind} fault outside of voters"
    if plan.target is None:
        free = percent(found.run.error_free_accuracy)
        return f"error-free accuracy {free} %, {where}: at least {percent(100 - plan.worst_error)} %"
    free = plan.about.text(plan.golden_correct) if found.same_images else "of other images"
    return f"{plan.about.title}, {free} without a fault, {where}: at most {plan.about.text(plan.worst_correct)}"


def _figure(found: Verification, value: int) -> str:
    """A measure for people: accuracy, or the error of another target."""
    about = found.plan.about
    if found.plan.target is None:
        return f"{percent(100 * value / found.run.images)} %"
    return replace(about, most=found.run.images).text(value) if about.about_images else about.text(value)


def _layers(found: Verification) -> str:
    """The units, then the voters' outputs, then layers that are no units."""
    kinds = (
        ("outside of voters", [verdict for verdict in found.verdicts if verdict.promised]),
        ("voters' outputs, which a voter does not protect", [verdict for verdict in found.verdicts if verdict.voter]),
        ("layers that are no units, which no copies protect", [verdict for verdict in found.verdicts if verdict.other]),
    )
    return "\n\n".join(f"{title}\n{_table(found, own)}" for title, own in kinds if own)


def _column(found: Verification) -> str:
    if found.plan.target is None:
        return "worst %"
    return "worst cost" if found.plan.about.costs else "worst error %"


def _table(found: Verification, verdicts: Sequence[Verdict]) -> str:
    rows = [["layer", "faults", "masked", "as foretold", "not foretold", "broken", _column(found), "worst fault"]]
    for layer in dict.fromkeys(verdict.result.layer for verdict in verdicts):
        here = [verdict for verdict in verdicts if verdict.result.layer == layer]
        worst = min(here, key=lambda verdict: verdict.value)
        counts = (
            len(here),
            sum(verdict.result.changed == 0 for verdict in here),
            sum(verdict.kept and verdict.foretold is not None for verdict in here),
            sum(verdict.foretold is None for verdict in here),
            sum(not verdict.kept for verdict in here),
        )
        figure = _figure(found, worst.value).removesuffix(" %")
        rows.append([layer, *map("{:,}".format, counts), figure, worst.result.fault])
    return align(rows, left=(0, 7))


def _verdict(found: Verification) -> str:
    kind, images = found.plan.kind, found.run.images
    lines = []
    if found.missing:
        lines.append(
            f"NOT PROVED: {found.missing:,} {kind} faults of the hardened network are not in the run: finish it, or "
            "run it on all layers"
        )
    if found.broken:
        lines.append(f"BROKEN: {len(found.broken):,} of {len(found.verdicts):,} faults did not do as promised")
    elif found.same_images and not found.missing:
        lines.append(
            f"HELD: all {len(found.verdicts):,} faults did as promised; proved for these {images:,} images of "
            f"{found.run.identity.dataset}, and for no others"
        )
    for voter, what in ((False, "outside of voters"), (True, "of a voter's output")):
        worst = found.worst(voter)
        if worst is not None:
            lines.append(f"worst fault {what}: {worst.result.fault}, {_figure(found, worst.value)}")
    return "\n".join(lines)


def _transfer(found: Verification) -> str:
    """How far the worst case carries over to other images; nothing for the plan's own."""
    if found.same_images:
        return ""
    rows = [["worst case outside of voters", "images", "accuracy [%]", "95 % confidence"]]
    plan, run = found.plan, found.run
    for name, images, case in (
        (f"planned on {plan.dataset}", plan.images, found.worst_cases[0]),
        (f"run on {run.identity.dataset}", run.images, found.worst_cases[1]),
        ("difference [points]", None, found.change),
    ):
        count = "" if images is None else f"{images:,}"
        rows.append([name, count, percent(case.value), f"{percent(case.low)} to {percent(case.high)}"])
    verdict = (
        "WORSE: on these images the worst case is lower than on the plan's, by more than chance explains"
        if found.worse
        else "CONSISTENT: chance explains the difference to the plan's images"
    )
    lines = [align(rows), verdict, "no proof: these are other images than the plan's; images in both would count twice"]
    if run.identity.dataset == plan.dataset:
        lines.append(f"both are of {plan.dataset}: the intervals hold only if no image is in both")
    return "\n".join(lines)


def _faults(found: Verification, verdicts: Iterable[Verdict]) -> str:
    rows = [["fault", "correct", "foretold", "changed", "foretold", ""]]
    for verdict in verdicts:
        result, foretold = verdict.result, verdict.foretold
        correct, changed = ("-", "-") if foretold is None else map("{:,}".format, foretold)
        rows.append(
            [
                result.fault,
                f"{result.correct:,}",
                correct,
                f"{result.changed:,}",
                changed,
                "kept" if verdict.kept else "BROKEN",
            ]
        )
    return align(rows, left=(0, 5))
