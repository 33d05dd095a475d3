"""Bits of memories and registers: how often they matter, and how much (text)."""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.campaign import Result, Run, changing
from fat_fpga.reports.part import Part
from fat_fpga.text import align, percent

STEPS = ((0, "<= 0"), (100, "<= 0.1"), (1000, "<= 1"), (10_000, "<= 10"))
"""Bins of the drop of accuracy: upper end in thousandths of a percentage point, and name; the rest is ``> 10``."""
BINS = (*(name for _, name in STEPS), "> 10")


def drops(run: Run, results: Sequence[Result]) -> dict[str, int]:
    """How many faults cost how many percentage points of accuracy, by bin; exact, ends belong to the lower bin."""
    count = dict.fromkeys(BINS, 0)
    for result in results:
        drop = 100_000 * (run.error_free - result.correct)
        count[next((name for end, name in STEPS if drop <= end * run.images), BINS[-1])] += 1
    return count


def bit_table(part: Part) -> str:
    """For each layer, bit and effect: faults, the share that changes any class, accuracies, and faults by drop."""
    head = ["layer", "effect", "faults", "changing [%]", "min", "mean", "worst", *BINS]
    rows, before = [head], ""
    for row in part.rows:
        spread = row.spread
        rows.append([
            "" if row.layer == before else row.layer, row.effect, f"{spread.faults:,}",
            percent(changing(part.run, row.results).percent), percent(spread.min), percent(spread.mean),
            f"[{spread.worst.index}]", *(f"{n:,}" if n else "" for n in drops(part.run, row.results).values()),
        ])  # fmt: skip
        before = row.layer
    first, *lines = align(rows, left=(0, 1)).split("\n")
    over = "faults by drop [points]:"
    start = first.index(BINS[0])
    return "\n".join([" " * max(0, min(start, len(first) - len(over))) + over, first, *lines])
