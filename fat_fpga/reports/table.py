"""The report on the screen: Table I of Zahid et al. 2020, and the most critical places."""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.arguments import checked
from fat_fpga.campaign import (
    Run,
    Share,
    Spread,
    at_voters,
    changing,
    harmful,
    mean_estimate,
    most_critical,
    overall,
)
from fat_fpga.campaign.sampling import population
from fat_fpga.campaign.shares import HARM
from fat_fpga.faults import DEFAULT_KIND, Family
from fat_fpga.reports.bits import bit_table
from fat_fpga.reports.criteria import criteria_table
from fat_fpga.reports.curves import is_sweep
from fat_fpga.reports.moved import moved_line, moved_most, moved_tables, outputs_line
from fat_fpga.reports.outcomes import nonfinite_line, outcome_table
from fat_fpga.reports.part import Part, Row, effects_of, parts
from fat_fpga.reports.pes import pe_counts, pe_table
from fat_fpga.reports.sample_table import margins_table
from fat_fpga.reports.sweep_text import sweep_text
from fat_fpga.reports.words import causes, words
from fat_fpga.text import align, percent, shown

WIDE = 2
"""So many stuck values stand side by side; more get a row each."""


@checked
def headline(run: Run) -> str:
    """Model, data, error-free accuracy, which faults there are, and how far the campaign is."""
    what = run.identity
    first = (
        f"{shown(what.network)} on {shown(what.dataset)}, {run.images:,} images: "
        f"error-free {percent(run.error_free_accuracy)} %"
    )
    lines = [
        first if run.outputs is None else outputs_line(run),
        f"model {what.network_fingerprint[:12]}, data {what.dataset_fingerprint[:12]}, faults {what.fault_list[:12]}",
        run.origin.describe(run.asked),
        *([f"thresholds: {run.thresholds}"] if run.thresholds else []),
    ]
    seconds = sum(session.seconds for session in run.sessions)
    inferences = run.done * run.images
    if run.complete:
        rate = f" in {seconds:,.0f} s, {inferences / seconds:,.0f} a second" if seconds >= 1 else ""
        lines.append(f"{finished(run)} done, {inferences:,} faulty inferences{rate}")
    else:
        lines.append(f"UNFINISHED: {progress(run)}; every figure below is over these alone")
    return "\n".join(lines)


def finished(run: Run) -> str:
    """The finished faults, counted: ``all 14 faults`` of a whole space, ``500 drawn faults``, ``9 finished faults``."""
    if run.complete:
        return run.origin.counted(run.done)
    return f"{run.done:,} finished fault{'' if run.done == 1 else 's'}"


def over(run: Run, faults: int) -> str:
    """What the title of a table says where its figures are not over every fault: ``, over 500 drawn faults``."""
    return f", over {run.origin.counted(faults)}" if run.origin.word else ""


def progress(run: Run) -> str:
    """How far the campaign is, in faults and percent."""
    return f"{run.done:,} of {run.asked:,} faults done ({100 * run.done / run.asked:.0f} %)"


@checked
def layer_table(run: Run) -> str:
    """Accuracy under fault in percent for each layer and effect, a section for each kind of fault."""
    return "\n\n".join(map(_section, parts(run)))


def _section(part: Part) -> str:
    title = f"accuracy under one {words(part.kind).one} [%]{over(part.run, len(part.results))}"
    if words(part.kind).bits:
        return f"{title}\n{bit_table(part)}"
    effects = effects_of(part.rows)
    body = _side_by_side(part, effects) if len(effects) <= WIDE else _row_each(part)
    return f"{title}\n{body}" + (f"\n\n{pe_table(part)}" if words(part.kind).family is Family.BLOCK else "")


def _figures(spread: Spread) -> list[str]:
    return [
        percent(spread.min),
        percent(spread.max),
        percent(spread.mean),
        f"{spread.variance:.3f}",
        f"[{spread.worst.index}]",
    ]


def _size(part: Part, rows: Sequence[Row]) -> tuple[str, str]:
    """Name and content of the column that says how large a layer is."""
    if part.kind == DEFAULT_KIND:
        channels = {layer.name: layer.channels for layer in part.run.layers}
        return "channels", f"{channels[rows[0].layer]}"
    if words(part.kind).family is Family.BLOCK:
        return "PEs", pe_counts([result for row in rows for result in row.results])
    return "faults", f"{sum(len(row.results) for row in rows):,}"


def _side_by_side(part: Part, effects: Sequence[str]) -> str:
    heads = ["min", "max", "mean", "variance", "worst"]
    rows = [["layer", _size(part, part.rows[:1])[0], *heads * len(effects)]]
    for name in part.layers:
        own = {row.effect: row for row in part.rows if row.layer == name}
        cells = [name, _size(part, list(own.values()))[1]]
        for effect in effects:
            cells += _figures(own[effect].spread) if effect in own else [""] * len(heads)
        rows.append(cells)
    lines = align(rows).split("\n")
    starts = [i for i in range(len(lines[0])) if lines[0].startswith("min", i)]
    top = ""
    for start, effect in zip(starts, effects, strict=True):
        top = top.ljust(start - 2) + f"{effect}:"
    return "\n".join([top, *lines])


def _row_each(part: Part) -> str:
    name = "stuck at" if words(part.kind).levels else "effect"
    rows = [["layer", _size(part, part.rows[:1])[0], name, "min", "max", "mean", "variance", "worst"]]
    before = ""
    for row in part.rows:
        size = _size(part, [row])[1] if row.layer != before or not words(part.kind).counted_once else ""
        effect = row.effect.removeprefix("stuck at ") if words(part.kind).levels else row.effect
        rows.append(["" if row.layer == before else row.layer, size, effect, *_figures(row.spread)])
        before = row.layer
    return align(rows, left=(0,) if words(part.kind).levels else (0, 2))


@checked
def overall_line(run: Run) -> str:
    """Minimum, mean and variance over the finished faults; of a whole campaign the columns of the paper's Table II."""
    spread = overall(run)
    which = "all faults" if run.complete and run.origin.whole else finished(run)
    weighted = "; mean and variance weighted by strata" if run.complete and run.origin.stratified else ""
    return (
        f"{which}: min {percent(spread.min)} % ({spread.worst.fault}), max {percent(spread.max)} %, "
        f"mean {percent(spread.mean)} %, variance {spread.variance:.3f}{weighted}"
    )


def voter_lines(run: Run) -> str:
    """The worst fault outside of voters' outputs, and the worst of them; empty where no fault is at a voter."""
    outside, behind = at_voters(run, run.results)
    if not behind:
        return ""
    lines = []
    for which, own in (("outside of voters", outside), ("voters' outputs, which a voter does not protect", behind)):
        if own:
            spread = Spread.within(run, own)
            lines.append(f"{which}: {len(own):,} faults, min {percent(spread.min)} % ({spread.worst.fault})")
    return "\n".join(lines)


@checked
def critical_table(run: Run, count: int = 10) -> str:
    """The ``count`` faults with the lowest accuracy."""
    rows = [["", "fault", "accuracy [%]", "drop [points]", "changed classes [%]"]]
    for rank, result in enumerate(most_critical(run.results, count), 1):
        accuracy = 100 * result.correct / run.images
        drop = 100 * (run.error_free - result.correct) / run.images
        rows.append(
            [f"{rank}", result.fault, percent(accuracy), percent(drop), percent(100 * result.changed / run.images)]
        )
    which = f" {run.origin.word} faults" if run.origin.word else ""
    return f"most critical{which}\n{align(rows, left=(1,))}"


def cause_lines(run: Run, count: int = 10) -> str:
    """What breaks in the hardware, for each kind among the ``count`` most critical faults."""
    found: dict[str, str] = {}
    for result in most_critical(run.results, count):
        found |= causes(result.kind)
    return "\n".join(["hardware cause", *(f"  {kind}: {cause}" for kind, cause in found.items())])


def share_lines(run: Run) -> str:
    """How many faults matter, for bits and for samples; of a finished sample, what that says about its space."""
    found = [part for part in parts(run) if words(part.kind).bits or run.origin.drawn]
    shares = [
        (f"{part.kind} faults that {what}", count(run, part.results))
        for part in found
        for what, count in (("change any prediction", changing), (f"cost more than {HARM} point", harmful))
        if count is changing or words(part.kind).family is not Family.TRANSIENT  # a transient falls on one image
    ]
    if run.origin.drawn and run.complete:
        return estimate_table(run, found, shares)
    return "\n".join(f"{what}: {s.count:,} of {s.faults:,} ({percent(s.percent)} %)" for what, s in shares)


def estimate_table(run: Run, found: Sequence[Part], shares: Sequence[tuple[str, Share]]) -> str:
    """Shares and mean accuracies of the space that a finished sample was drawn from, with their intervals."""
    rows = [["", "drawn", "of", "estimate", "95 % confidence interval", "margin"]]
    for what, share in shares:
        assert share.interval is not None
        rows.append([what, f"{share.count:,} of {share.faults:,}", *_estimate(share.population, share.percent)])
        rows[-1] += [_interval(*share.interval), _margin(share.percent, *share.interval)]
    for part in found:
        if words(part.kind).family is not Family.TRANSIENT:
            mean, spread = mean_estimate(run, part.results), Spread.within(run, part.results)
            rows.append([f"mean accuracy under one {part.kind} fault", f"{spread.faults:,}"])
            rows[-1] += _estimate(population(run, part.results), spread.mean)
            if mean:
                rows[-1] += [_interval(mean.low, mean.high), _margin(*mean)]
            else:
                rows[-1] += ["none: the draws show no variance", ""]
    return f"estimates for the space that the sample is from [%]\n{align(rows)}"


def _estimate(population: int | None, value: float) -> list[str]:
    return [f"{population:,}" if population else "?", percent(value)]


def _margin(value: float, low: float, high: float) -> str:
    """The distance to the farther end of an interval, in points."""
    return f"+-{percent(max(value - low, high - value))}"


def _interval(low: float, high: float) -> str:
    return f"{percent(low)} to {percent(high)}"


@checked
def report_text(run: Run, top: int = 10) -> str:
    """The whole report for the screen; only the headline while no fault is finished."""
    if not run.done:
        return headline(run)
    if run.outputs is not None:
        moved = [moved_tables(run), moved_line(run), moved_most(run, top)]
        return "\n\n".join([headline(run), *moved, cause_lines(run, top)])
    if is_sweep(run):
        return "\n\n".join(filter(None, [sweep_text(run, headline(run)), criteria_table(run), nonfinite_line(run)]))
    last = f"{critical_table(run, top)}\n\n{cause_lines(run, top)}"
    tables = (
        headline, layer_table, overall_line, voter_lines, criteria_table, outcome_table, nonfinite_line, share_lines,
        margins_table,
    )  # fmt: skip
    return "\n\n".join(filter(None, [*(table(run) for table in tables), last]))
