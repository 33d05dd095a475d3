"""How every figure looks: colours that colour-blind readers tell apart, fonts, size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fat_fpga.campaign import Run
from fat_fpga.reports.comparison import Entry
from fat_fpga.reports.text import percent

INK = "#333333"
RULE = "#d9d9d9"

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""Okabe and Ito's palette: distinct under every common colour blindness, and in grey."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")

SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.axisbelow": True,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.dpi": 150,
    "svg.fonttype": "none",
    "svg.hashsalt": "fat_fpga",
    "pdf.fonttype": 42,
}


@contextmanager
def style() -> Iterator[None]:
    """Apply the settings inside the block only; pyplot is never imported."""
    import matplotlib

    with matplotlib.rc_context(SETTINGS):
        yield


def colours(count: int) -> list[Any]:
    """``count`` colours for stuck values or layers: the palette, or steps of cividis if there are more."""
    if count <= len(OKABE_ITO):
        return list(OKABE_ITO[:count])
    import matplotlib

    scale = matplotlib.colormaps["cividis"]
    return [scale(i / (count - 1)) for i in range(count)]


def markers(count: int) -> list[str]:
    """``count`` marker shapes, so that colour is never the only difference."""
    return [MARKERS[i % len(MARKERS)] for i in range(count)]


def title(run: Run, what: str) -> str:
    """Two lines: what the figure shows, and of which model, data and faults."""
    done = "" if run.complete else f", unfinished: {run.done:,} of {run.asked:,} faults"
    return f"{what}\n{run.identity.network} on {run.identity.dataset}, {run.images:,} images{done}"


def section_title(entries: Sequence[Entry], what: str) -> str:
    """Two lines: what a comparison shows, and on which data."""
    run = entries[0].run
    data = "DIFFERENT DATA" if _different_data(entries) else f"{run.identity.dataset}, {run.images:,} images"
    return f"{what}\n{data}"


def labels(entries: Sequence[Entry]) -> list[str]:
    """What a legend says of each run of a comparison: its name, its two accuracies, and whether it is unfinished."""
    different = _different_data(entries)
    return [
        entry.name
        + (f" on {entry.run.identity.dataset}" if different else "")
        + f": error-free {percent(entry.run.error_free_accuracy)} %, worst {percent(entry.spread.min)} %"
        + ("" if entry.run.complete else f", UNFINISHED ({entry.run.done:,} of {entry.run.asked:,} faults)")
        for entry in entries
    ]


def _different_data(entries: Sequence[Entry]) -> bool:
    return len({entry.run.identity.dataset_fingerprint for entry in entries}) > 1


def legend_columns(runs: int) -> int:
    """Columns that so many labels take under a figure."""
    return 1 if runs <= 5 else 2


def values(run: Run) -> Sequence[int]:
    """The stuck values that occur, ascending."""
    return sorted({result.value for result in run.results})


def layers(run: Run) -> Sequence[str]:
    """The layers that occur, in network order."""
    return list(dict.fromkeys(result.layer for result in run.results))
