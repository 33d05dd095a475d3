"""The report on the screen: Table I of Zahid et al. 2020, and the most critical places."""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.campaign import Group, Run, Spread, most_critical, overall, statistics
from fat_fpga.reports.text import align, level, percent

WIDE = 2
"""So many stuck values stand side by side; more get a row each."""


def headline(run: Run) -> str:
    """Model, data, error-free accuracy, and how far the campaign is."""
    what = run.identity
    lines = [
        f"{what.network} on {what.dataset}, {run.images:,} images: error-free {percent(run.error_free_accuracy)} %",
        f"model {what.network_fingerprint[:12]}, data {what.dataset_fingerprint[:12]}, faults {what.fault_list[:12]}",
    ]
    seconds = sum(session.seconds for session in run.sessions)
    inferences = run.done * run.images
    if run.complete:
        rate = f" in {seconds:,.0f} s, {inferences / seconds:,.0f} a second" if seconds >= 1 else ""
        lines.append(f"all {run.asked:,} faults done, {inferences:,} faulty inferences{rate}")
    else:
        lines.append(f"UNFINISHED: {progress(run)}; every figure below is over these alone")
    return "\n".join(lines)


def progress(run: Run) -> str:
    """How far the campaign is, in faults and percent."""
    return f"{run.done:,} of {run.asked:,} faults done ({100 * run.done / run.asked:.0f} %)"


def layer_table(run: Run) -> str:
    """Accuracy under fault in percent for each layer and stuck value, a section for each kind of fault."""
    groups = statistics(run)
    sections = []
    for kind in dict.fromkeys(group.kind for group in groups):
        own = [group for group in groups if group.kind == kind]
        values = sorted({group.value for group in own})
        body = _side_by_side(run, own, values) if len(values) <= WIDE else _row_each(run, own)
        sections.append(f"accuracy under one stuck {kind} [%]\n{body}")
    return "\n\n".join(sections)


def _figures(spread: Spread) -> list[str]:
    return [
        percent(spread.min),
        percent(spread.max),
        percent(spread.mean),
        f"{spread.variance:.3f}",
        f"[{spread.worst.index}]",
    ]


def _side_by_side(run: Run, groups: Sequence[Group], values: Sequence[int]) -> str:
    found = {(group.layer, group.value): group.spread for group in groups}
    channels = {layer.name: f"{layer.channels}" for layer in run.layers}
    heads = ["min", "max", "mean", "variance", "worst"]
    rows = [["layer", "channels", *heads * len(values)]]
    for name in dict.fromkeys(group.layer for group in groups):
        row = [name, channels.get(name, "")]
        for value in values:
            spread = found.get((name, value))
            row += _figures(spread) if spread else [""] * len(heads)
        rows.append(row)
    lines = align(rows).split("\n")
    starts = [i for i in range(len(lines[0])) if lines[0].startswith("min", i)]
    top = ""
    for start, value in zip(starts, values, strict=True):
        top = top.ljust(start - 2) + f"stuck at {level(value)}:"
    return "\n".join([top, *lines])


def _row_each(run: Run, groups: Sequence[Group]) -> str:
    channels = {layer.name: f"{layer.channels}" for layer in run.layers}
    rows = [["layer", "channels", "stuck at", "min", "max", "mean", "variance", "worst"]]
    before = ""
    for group in groups:
        name = "" if group.layer == before else group.layer
        rows.append([name, channels.get(group.layer, "") if name else "", level(group.value), *_figures(group.spread)])
        before = group.layer
    return align(rows)


def overall_line(run: Run) -> str:
    """Minimum, mean and variance over all faults: the columns of the paper's Table II."""
    spread = overall(run)
    return (
        f"all faults: min {percent(spread.min)} % ({spread.worst.fault}), max {percent(spread.max)} %, "
        f"mean {percent(spread.mean)} %, variance {spread.variance:.3f}"
    )


def critical_table(run: Run, count: int = 10) -> str:
    """The ``count`` faults with the lowest accuracy."""
    rows = [["", "fault", "accuracy [%]", "drop [points]", "changed classes [%]"]]
    for rank, result in enumerate(most_critical(run.results, count), 1):
        accuracy = 100 * result.correct / run.images
        drop = 100 * (run.error_free - result.correct) / run.images
        rows.append(
            [f"{rank}", result.fault, percent(accuracy), percent(drop), percent(100 * result.changed / run.images)]
        )
    return f"most critical\n{align(rows, left=(1,))}"


def report_text(run: Run, top: int = 10) -> str:
    """The whole report for the screen; only the headline while no fault is finished."""
    if not run.done:
        return headline(run)
    return "\n\n".join([headline(run), layer_table(run), overall_line(run), critical_table(run, top)])
