"""A cross-check as text."""

from __future__ import annotations

from fat_fpga.crosscheck.result import NO_FAULT, CrossCheck
from fat_fpga.text import align


def crosscheck_text(check: CrossCheck) -> str:
    """A row for each pair of engines, then the first difference of each pair, what was not compared, the verdict."""
    rows = [["engines", "faults", "images", "predictions", "activations", "seconds", "differing faults"]]
    for pair in check.pairs:
        seconds = sum(check.seconds[name] for name in pair.engines)
        numbers = [f"{n:,}" for n in (pair.faults, check.images, pair.predictions, pair.activations)]
        rows.append([" = ".join(pair.engines), *numbers, f"{seconds:.1f}", f"{pair.differing:,}"])
        if pair.difference is not None:
            rows[-1][0] = " / ".join(pair.engines)
    lines = [align(rows)]
    for pair in check.pairs:
        if pair.difference is not None:
            lines.append(f"first difference of {' and '.join(pair.engines)}: {pair.difference}")
    for refusal in check.refusals:
        what = "streams under " if refusal.streams else ""
        what += refusal.kind if refusal.kind == NO_FAULT else f"{refusal.faults:,} faults of kind {refusal.kind}"
        lines.append(f"not compared in {refusal.engine}: {what} ({refusal.reason})")
    for pair in check.pairs:
        if not pair.faults:
            lines.append(f"{' and '.join(pair.engines)} had no fault to compare")
    verdict = "all that was compared is equal" if check.refusals or not check.compared else "equal"
    lines.append(verdict if check.equal else "NOT equal")
    return "\n".join(lines)
