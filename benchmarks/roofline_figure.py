"""Operations a second against operations for a byte: the roofs of a core, and where the native engine is under them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.files import replacing
from fat_fpga.reports.figures import FORMATS
from fat_fpga.reports.style import INK, RULE, colours, log_scale, markers, style
from fat_fpga.text import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from benchmarks.roofline import Case

RANGE = 0.5, 32.0
"""Operations for a byte, from the left to the right."""
PEAKS = {"bit_additions": "additions of bits", "byte_additions": "additions of bytes"}
SLOPES = {"l1": "L1", "l2": "L2", "l3": "L3", "memory": "memory"}


def roofline(cases: Sequence[Case], machine: dict[str, float]) -> Figure:
    """The picture: a point for each case, by what was measured, and above it the bound of whole vectors."""
    from matplotlib.figure import Figure

    bounds = {case: case.share(machine) * case.microseconds for case in cases}
    figure = Figure(figsize=(7.2, 5.6), layout="constrained")
    axes = figure.subplots()
    low, high = RANGE
    machine = {name: value / 1e9 for name, value in machine.items()}
    top = machine["bit_additions"]
    for name, text in PEAKS.items():
        axes.plot([machine[name] / machine["l1"], high], [machine[name]] * 2, color=INK, linewidth=1.4)
        label = f"{text}: {machine[name]:,.0f} G/s"
        axes.annotate(label, (high, machine[name]), xytext=(0, 3), textcoords="offset points", ha="right")
    for name, text in SLOPES.items():
        end = min(high, top / machine[name])
        axes.plot([low, end], [low * machine[name], end * machine[name]], color=INK, linewidth=0.8, linestyle="--")
        label = f"{text}: {machine[name]:,.0f} GB/s"
        behind = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        at = (low * 1.04, low * machine[name] * 1.04)
        axes.annotate(label, at, xytext=(0, -3), textcoords="offset points", fontsize=8, bbox=behind)
    kinds = list(dict.fromkeys(case.kind for case in cases))
    networks = list(dict.fromkeys(case.network for case in cases))
    shades, shapes = dict(zip(kinds, colours(len(kinds)), strict=True)), dict(
        zip(networks, markers(len(networks)), strict=True)
    )  # fmt: skip
    for case in cases:
        each = case.work.operations / 1e3  # in 10^9 a second, for times in microseconds
        measured, bound = each / case.microseconds, each / (bounds[case])
        label = f"{shown(case.network)}, {case.kind}: {case.microseconds:.2f} us"
        shade = shades[case.kind]
        axes.plot([case.intensity] * 2, [measured, bound], color=shade, linewidth=0.8, linestyle=":")
        axes.plot(case.intensity, bound, "_", color=shade, markersize=9)
        axes.plot(
            case.intensity, measured, shapes[case.network], color=shade, markersize=6, linestyle="none", label=label
        )  # fmt: skip
    log_scale(axes, "y")
    axes.set_xscale("log", base=2)
    axes.set_xlim(*RANGE)
    axes.set_xticks(ticks := [0.5, 1, 2, 4, 8, 16, 32], [f"{tick:g}" for tick in ticks])
    axes.grid(color=RULE, linewidth=0.6)
    axes.set_xlabel("operations for a byte of weights and margins")
    axes.set_ylabel("10^9 operations a second")
    axes.set_title("Faulty inferences of the native engine under the roofs of one core")
    figure.legend(loc="outside lower left", fontsize=8, ncols=3)
    return figure


def write_figure(cases: Sequence[Case], machine: dict[str, float], path: Path) -> None:
    """Draw it, in the format that the file's ending says."""
    form = path.suffix[1:]
    with replacing(path) as temporary, style():
        roofline(cases, machine).savefig(temporary, format=form, metadata=FORMATS.get(form, {}))
