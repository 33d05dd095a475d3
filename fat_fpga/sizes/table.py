"""What errors need, as text and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from math import ceil
from pathlib import Path

from fat_fpga.files import replacing
from fat_fpga.sizes.front import Need
from fat_fpga.sizes.measured import Measured
from fat_fpga.text import align

COLUMNS = ("deviation", "rate", "target", "network", "parameters", "increase")
STEPS = 6
STEP = 0.2


def rates_of(measured: Sequence[Measured], deviation: str) -> tuple[float, ...]:
    """Rates at which all networks were measured, ascending, from 0 on."""
    common = set.intersection(*(set(one.errors[deviation]) for one in measured))
    return (0.0, *sorted(common))


def default_targets(measured: Sequence[Measured]) -> tuple[float, ...]:
    """Errors in percent from the best one without deviations on, rounded up to a tenth."""
    best = ceil(10 * min(one.error_free for one in measured)) / 10
    return tuple(round(best + STEP * step, 1) for step in range(STEPS))


def line(one: Measured) -> str:
    """One network in a line: its size, its error, and that at the highest rate of each deviation."""
    errors = [f"{one.error(name, max(found)):.2f} % {name} at {max(found):g}" for name, found in one.errors.items()]
    return f"{one.candidate.name}: {one.parameters:,} parameters, error {one.error_free:.2f} %, {', '.join(errors)}"


def needs_text(deviation: str, found: Sequence[Need]) -> str:
    """A line for each target, a column for each rate: parameters, and how many more than without deviations."""
    rates = list(dict.fromkeys(need.rate for need in found))
    rows = [["error at most", *(f"p = {rate:g}" for rate in rates)]]
    for target in dict.fromkeys(need.target for need in found):
        cells = [_cell(need) for need in found if need.target == target]
        rows.append([f"{target:g} %", *cells])
    return f"{deviation} deviations: the fewest parameters\n{align(rows)}"


def _cell(need: Need) -> str:
    if need.smallest is None:
        return "none"
    if need.rate == 0 or need.increase is None:
        return f"{need.smallest.parameters:,}"
    return f"{need.smallest.parameters:,} ({100 * need.increase:+.1f} %)"


def write_csv(found: Sequence[tuple[str, Need]], path: Path) -> None:
    """A row for each deviation, target and rate; OSError where it cannot be written."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for deviation, need in found:
            one = need.smallest
            name, parameters = (one.candidate.name, one.parameters) if one else ("", "")
            increase = "" if need.increase is None else need.increase
            writer.writerow((deviation, need.rate, need.target, name, parameters, increase))
