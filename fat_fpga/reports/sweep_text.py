"""The report on a sweep, for the screen."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from fat_fpga.campaign import Run
from fat_fpga.campaign.origin import SWEEP
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.reports.curves import LOSSES, Curve, curves
from fat_fpga.text import align, percent


def sweep_text(run: Run, head: str) -> str:
    """Tolerated rates of each curve, then its points; ``head`` comes first, and is all while nothing is finished."""
    found = curves(run)
    if not found:
        return head
    asked = ""
    if run.origin.source == SWEEP:
        sweep = Sweep.read(run.origin.plan)
        until = "" if sweep.until is None else f", until +-{sweep.until:g} points"
        asked = f"errors: {sweep.errors}; scope: {sweep.scope}; up to {sweep.samples:,} samples of each rate{until}"
        asked += f"; {sweep.burst} neighbouring cells each" if sweep.burst > 1 else ""
        asked += f"; memories protected by {sweep.protection}" if sweep.protection else ""
        asked += scrubbing_line(sweep)
    parts = [head, asked, tolerance_table(found), *map(points_table, found), silent_lines(found)]
    return "\n\n".join(filter(None, parts))


def scrubbing_line(sweep: Sweep) -> str:
    """The interval that each rate is at the end of; empty where rates were given."""
    if sweep.scrubbing is None:
        return ""
    pairs = zip(sweep.scrubbing.intervals, sweep.rates, strict=True)
    rates = ", ".join(f"{hours:g} h: {rate:.2e}" for hours, rate in pairs)
    upsets = f"{sweep.scrubbing.upsets:g} upsets of each bit in an hour"
    return f"\nscrubbing, {upsets}; rate at the end of each interval: {rates}"


def tolerance_table(found: Sequence[Curve]) -> str:
    """The rates at 0, 1, 5 and 10 points of loss, and the areas under each curve."""
    table = [["errors in", *(f"{loss:g} points" for loss in LOSSES), "area [%]", "linear area [%]"]]
    for curve in found:
        area = curve.area
        cells = [rate_text(curve, loss) for loss in LOSSES]
        linear = curve.linear_area
        table.append([curve.name, *cells, *("" if found is None else percent(found) for found in (area, linear))])
    text = align(table)
    spread = spread_line(found)
    title = "highest rate that costs at most so much accuracy, and area under the curve"
    return f"{title}\n{text}" + (spread and f"\n{spread}")


def rate_text(curve: Curve, loss: float) -> str:
    """``1.3e-05``, ``> 1.0e-02`` where every rate is tolerated, ``< 1.0e-07`` where none is."""
    rate = curve.tolerated(loss)
    if rate is None:
        return f"< {curve.points[0].rate:.1e}"
    return f"{'>= ' if curve.beyond(loss) else ''}{rate:.1e}"


def spread_line(found: Sequence[Curve]) -> str:
    """By which factor the tolerated rates of several curves differ; empty where they do not say."""
    if len(found) < 2:
        return ""
    rates = {curve.name: curve.tolerated(LOSSES[0]) for curve in found}
    known = {name: rate for name, rate in rates.items() if rate}
    if len(known) < len(rates) or not known:
        return ""
    low, high = min(known, key=lambda name: known[name]), max(known, key=lambda name: known[name])
    if known[low] == known[high]:
        return ""
    bound = "at least " if any(curve.name == high and curve.beyond(LOSSES[0]) for curve in found) else ""
    return f"without loss {high} tolerates {bound}{known[high] / known[low]:,.3g} times the rate of {low}"


def points_table(curve: Curve) -> str:
    """Accuracy at each rate."""
    by_class, words = curve.points[0].errors is not None, list(curve.points[0].words)
    short = [name.removesuffix(" words") for name in words]
    head = ["rate", "samples", "hits", *short, "mean", "+-95 %", "deviation", "min", "quartiles", "max"]
    table = [[*head, *(["class variance", "one lost", "half wrong"] if by_class else [])]]
    for point in curve.points:
        low, first, median, third, high = point.quartiles
        row = [
            f"{point.rate:.2e}", f"{len(point.accuracy):,}", f"{point.hits.mean():,.1f}",
            *(f"{point.words[name].mean():,.2f}" for name in words), percent(point.mean),
            percent(point.half) if isfinite(point.half) else "", percent(point.deviation), percent(low),
            f"{percent(first)} {percent(median)} {percent(third)}", percent(high),
        ]  # fmt: skip
        if by_class:
            assert point.class_variance is not None
            row += [
                f"{point.class_variance:.1f}",
                f"{point.one_class_lost:.0f} %",
                f"{point.half_of_classes_wrong:.0f} %",
            ]
        table.append(row)
    found = f"accuracy against rate: {curve.cells}, error-free {percent(curve.error_free)} %\n{align(table)}"
    return found + (f"\n{', '.join(short)}: words with wrong bits, mean of the samples" if words else "")


def silent_lines(found: Sequence[Curve]) -> str:
    """A note on rates at which no sample hit anything: their accuracy is the one without errors."""
    empty = [
        f"{curve.name} at {p.rate:.1e}" for curve in found for p in curve.points if p.rate > 0 and not p.hits.any()
    ]
    if not empty:
        return ""
    shown = ", ".join(empty[:6]) + (f" and {len(empty) - 6} more" if len(empty) > 6 else "")
    return f"note: no sample hit anything: {shown}"
