"""How every figure looks: colours that colour-blind readers tell apart, fonts, size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from fat_fpga.campaign import Run
from fat_fpga.reports.comparison import Section
from fat_fpga.text import percent, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#333333"
RULE = "#d9d9d9"

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""Okabe and Ito's palette: distinct under every common colour blindness, and in grey."""

MANY_POINTS = 20_000
"""More points than this are drawn as pixels, in SVG and PDF too."""

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
    "text.parse_math": False,  # names may hold dollars, underscores and backslashes
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


def log_scale(axes: Axes, which: Literal["x", "y"]) -> None:
    """A logarithmic axis with plain numbers; where it has few powers of ten, there are numbers between them, too."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:,.0f}" if super().__call__(x, pos) else ""

    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(Plain())
    axis.set_minor_formatter(Plain(minor_thresholds=(1, 0.4)))


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
    origin = run.origin
    drawn = f", sample of {run.asked:,} of {origin.space:,} faults" if origin.drawn else ""
    drawn = f", {origin.counted(run.asked)}" if origin.word == "given" else drawn
    done = "" if run.complete else f", unfinished: {run.done:,} of {run.asked:,} faults"
    return f"{what}\n{shown(run.identity.network)} on {shown(run.identity.dataset)}, {run.images:,} images{drawn}{done}"


def section_title(section: Section, what: str) -> str:
    """Two lines: what a comparison shows, and on which data."""
    run = section.entries[0].run
    data = f"{shown(run.identity.dataset)}, {run.images:,} images" if section.same_data else "DIFFERENT DATA"
    return f"{what}\n{data}"


def labels(section: Section) -> list[str]:
    """What a legend says of each run of a comparison: its name, its two accuracies, and whether faults are lacking."""
    return [
        shown(entry.name)
        + ("" if section.same_data else f" on {shown(entry.run.identity.dataset)}")
        + f": error-free {percent(entry.run.error_free_accuracy)} %, worst {percent(entry.spread.min)} %"
        + (f", {entry.run.origin.counted(entry.spread.faults)}" if entry.run.origin.word else "")
        + ("" if entry.run.complete else f", UNFINISHED ({entry.run.done:,} of {entry.run.asked:,} faults)")
        for entry in section.entries
    ]


def legend_columns(texts: Sequence[str]) -> int:
    """Columns that labels take under a figure: two if they are many and short."""
    return 2 if len(texts) > 5 and max(map(len, texts)) <= 55 else 1
