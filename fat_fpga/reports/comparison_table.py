"""A comparison on the screen: Tables II, III and IV of Zahid et al. 2020, for whatever runs are given."""

from __future__ import annotations

from fat_fpga.arguments import checked
from fat_fpga.campaign import Run, Spread
from fat_fpga.reports.comparison import Comparison, Section
from fat_fpga.reports.criteria import compared_criteria
from fat_fpga.reports.moved import compared
from fat_fpga.reports.table import progress
from fat_fpga.reports.words import words
from fat_fpga.text import align, percent, shown


@checked
def comparison_text(comparison: Comparison) -> str:
    """What is compared, then for each kind of fault the runs, who leads by how much, and the minimum of each layer."""
    blocks = [_runs(comparison)]
    if comparison.runs[0].outputs is not None:
        return "\n\n".join([*blocks, compared(comparison.runs, comparison.names)])
    for section in comparison.sections:
        blocks += [_methods(section), _notes(section), _layers(section)]
    blocks.append(compared_criteria(comparison.runs, comparison.names))
    return "\n\n".join(filter(None, blocks))


def data_of(run: Run) -> str:
    """The data of a run, for people: ``cifar10:test, 10,000 images``."""
    return f"{shown(run.identity.dataset)}, {run.images:,} images"


def _runs(comparison: Comparison) -> str:
    first = comparison.runs[0]
    where = f" on {data_of(first)}, data {first.identity.dataset_fingerprint[:12]}" if comparison.same_data else ""
    rows = []
    for name, run in zip(comparison.names, comparison.runs, strict=True):
        row = [
            shown(name),
            shown(run.identity.network),
            f"model {run.identity.network_fingerprint[:12]}",
            run.title,
        ]
        if not comparison.same_data:
            row.append(f"on {data_of(run)}, data {run.identity.dataset_fingerprint[:12]}")
        rows.append(row)
    lines = [f"{len(comparison.runs)} runs{where}", align(rows, left=range(len(rows[0])))]
    if not comparison.same_data:
        lines.append("DIFFERENT DATA: accuracies of runs on different images do not compare directly")
    thresholds = {name: run.thresholds for name, run in zip(comparison.names, comparison.runs, strict=True)}
    told = {name: logic for name, logic in thresholds.items() if logic}
    if len(set(told.values())) > 1:
        each = ", ".join(f"{name} {logic}" for name, logic in told.items())
        lines.append(f"DIFFERENT THRESHOLDS: {each}; the same fault is another one in other hardware")
    elif told:
        lines.append(f"thresholds: {next(iter(told.values()))}")
    lines += [
        f"UNFINISHED: {name}, {progress(run)}; its figures are over these alone"
        for name, run in zip(comparison.names, comparison.runs, strict=True)
        if not run.complete
    ]
    return "\n".join(lines)


def _methods(section: Section) -> str:
    rows = [["run", "data", "error-free", "min", "drop", "max", "mean", "variance", "faults", "worst fault"]]
    for entry in section.entries:
        run, spread = entry.run, entry.spread
        marks = {"drawn": ["sample"], "given": ["given"], "": []}[run.origin.word]
        marks += [] if run.complete else ["unfinished"]
        mark = f" ({', '.join(marks)})" if marks else ""
        rows.append(
            [
                shown(entry.name),
                shown(run.identity.dataset),
                percent(run.error_free_accuracy),
                *_figures(run, spread, mark),
            ]
        )
        for which, own in (("outside of voters", entry.outside), ("voters' outputs", entry.voters)):
            if own is not None:
                rows.append([f"  {which}", "", "", *_figures(run, own, mark)])
    if section.same_data:
        rows = [[row[0], *row[2:]] for row in rows]
    left = (0, len(rows[0]) - 1) if section.same_data else (0, 1, len(rows[0]) - 1)
    return f"accuracy under one {words(section.kind).one} [%]\n{align(rows, left)}"


def _figures(run: Run, spread: Spread, mark: str) -> list[str]:
    return [
        percent(spread.min),
        percent(100 * (run.error_free - spread.worst.correct) / run.images),
        percent(spread.max),
        percent(spread.mean),
        f"{spread.variance:.3f}",
        f"{spread.faults:,}{mark}",
        spread.worst.fault,
    ]


def _notes(section: Section) -> str:
    lines = []
    word = section.entries[0].run.origin.word
    over = f" over the same {word} faults" if word and section.same_faults else ""
    for ranking in section.rankings:
        first = [entry for entry in ranking if entry in section.leaders]
        where = "" if section.same_data else f" on {shown(first[0].run.identity.dataset)}"
        best = first[0].spread.min
        lines.append(
            f"highest minimum{over}{where}: {' and '.join(shown(entry.name) for entry in first)}, {percent(best)} %"
        )
        lines += [f"  {percent(best - e.spread.min)} points above {shown(e.name)}" for e in ranking[len(first) :]]
    unfinished = [shown(entry.name) for entry in section.entries if not entry.run.complete]
    if unfinished:
        lines.append(f"UNFINISHED, so not ranked: {', '.join(unfinished)}")
    for word, title in (("drawn", "A SAMPLE"), ("given", "GIVEN FAULTS")):
        partial = [shown(e.name) for e in section.entries if section.partial(e) and e.run.origin.word == word]
        if partial:
            lines.append(f"{title}, so not ranked: {', '.join(partial)}")
    behind = [shown(entry.name) for entry in section.entries if entry.voters is not None]
    if behind:
        lines.append(f"a voter does not protect its own output; faults there are told apart, too: {', '.join(behind)}")
    for entry in section.entries:
        lacking = section.lacking(entry)
        if lacking:
            lines.append(
                f"NOT THE SAME PLACES, so not ranked: {shown(entry.name)} lacks faults in {', '.join(lacking)}"
            )
    return "\n".join(lines)


def _layers(section: Section) -> str:
    rows = [["layer", *(shown(entry.name) for entry in section.entries)]]
    for layer in section.layers:
        found = (entry.layers.get(layer) for entry in section.entries)
        rows.append([layer, *(percent(spread.min) if spread else "" for spread in found)])
    return f"lowest accuracy of each layer under one {words(section.kind).one} [%]\n{align(rows)}"
