"""What faults do to images, by outcome class (Li et al., SC'17): text and figures for other programs."""

from __future__ import annotations

from typing import Any

from fat_fpga.campaign import Run
from fat_fpga.campaign.counted import DETECTORS, MODULE_OUTCOME_NAMES, NONFINITE, PARTS
from fat_fpga.text import align, percent

TITLES = {
    "masked": "masked",
    "noncritical": "non-critical",
    "sdc1": "SDC-1",
    "detected": "detected",
    NONFINITE: "not finite",
    "sdc5": "SDC-5",
    "sdc10": "SDC-10 %",
    "sdc20": "SDC-20 %",
    "critical": "critical",
}


def outcome_table(run: Run) -> str:
    """Shares of all pairs of fault and image by kind and layer; empty where outcome classes were not counted."""
    rows = outcome_rows(run)
    if not rows:
        return ""
    names = [name for name in MODULE_OUTCOME_NAMES if name in run.counts]
    table = [["kind", "layer", "faults", *(TITLES[name] for name in names)]]
    for row in rows:
        shares = (_share(row["images"][name], row["faults"] * run.images) for name in names)
        table.append([row["kind"], row["layer"], f"{row['faults']:,}", *shares])
    watched = [name for name in run.identity.counting.split(",") if name in DETECTORS]
    detectors = f"detected by {' or '.join(watched)}" if watched else "no detector"
    over = "" if run.origin.whole else f", over {run.origin.counted(run.done)}"
    return (
        f"what faults do to images [% of pairs of fault and image]{over}; "
        f"{', '.join(TITLES[name] for name in (*PARTS, NONFINITE) if name in names)} add up\n"
        f"{align(table, left=(0, 1))}\n{detectors}; the other columns are parts of what was not detected"
    )


def nonfinite_line(run: Run) -> str:
    """How often scores of a module are not all finite; empty where that was not counted."""
    if NONFINITE not in run.counts or not run.done:
        return ""
    found = run.counts[NONFINITE]
    share = _share(int(found.sum()), run.done * run.images)
    return (
        f"scores that are not all finite (NaN or infinite), which never count as correct: {share} % of all pairs of "
        f"fault and image; {int((found > 0).sum()):,} of {run.done:,} faults have some"
    )


def outcome_rows(run: Run) -> list[dict[str, Any]]:
    """By kind and layer, and for all: number of faults, and images in each class, summed over the faults."""
    if PARTS[0] not in run.counts or not run.done:
        return []
    names = [name for name in MODULE_OUTCOME_NAMES if name in run.counts]
    groups: dict[tuple[str, str], list[int]] = {}
    for number, result in enumerate(run.results):
        groups.setdefault((result.kind, result.layer), []).append(number)
    every = {("all", ""): list(range(run.done))} if len(groups) > 1 else {}
    return [
        {
            "kind": kind,
            "layer": layer,
            "faults": len(own),
            "images": {name: int(run.counts[name][own].sum()) for name in names},
        }
        for (kind, layer), own in (groups | every).items()
    ]


def _share(images: int, pairs: int) -> str:
    share = 100 * images / pairs
    return percent(share) if not images or share >= 0.01 else f"{share:.1e}"
