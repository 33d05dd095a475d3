"""Every processing element as a bar from its worst to its best stuck value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fat_fpga.campaign import most_critical
from fat_fpga.reports.part import Part
from fat_fpga.reports.pes import pes
from fat_fpga.reports.style import INK, OKABE_ITO, RULE, title
from fat_fpga.text import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pe_bars(part: Part) -> Figure:
    """PEs side by side, layer after layer; a filled point at the worst stuck value, a hollow one at the best.

    Layers take equal widths. Below each layer stands how many PEs there are and how many channels each computes.
    """
    from matplotlib.figure import Figure

    run, names, found = part.run, part.layers, pes(part)
    figure = Figure(figsize=(7.2, 4.0), layout="constrained")
    axes = figure.subplots()
    for i in range(0, len(names), 2):
        axes.axvspan(i, i + 1, color="#f4f4f4", linewidth=0)
    texts: dict[str, str] = {}
    for pe in found:
        x = names.index(pe.layer) + 0.06 + 0.88 * (pe.number + 0.5) / pe.of
        accuracy = [100 * result.correct / run.images for result in pe.results]
        low, high = min(accuracy), max(accuracy)
        size = max(2.5, min(5, 60 / pe.of))
        axes.plot([x, x], [low, high], color=OKABE_ITO[0], linewidth=1.6, alpha=0.45, solid_capstyle="butt")
        axes.plot([x], [high], "o", color=OKABE_ITO[0], markersize=size, markerfacecolor="white", markeredgewidth=0.9)
        axes.plot([x], [low], "o", color=OKABE_ITO[0], markersize=size)
        each = "" if pe.channels is None else f"\nx {len(pe.channels)} ch."
        texts.setdefault(pe.layer, f"{pe.layer}\n{pe.of} PE{'s' if pe.of > 1 else ''}{each}")
    axes.axhline(
        run.error_free_accuracy, color=INK, linewidth=1.2, linestyle="--",
        label=f"error-free {percent(run.error_free_accuracy)} %",
    )  # fmt: skip
    axes.plot([], [], "o", color=OKABE_ITO[0], markersize=5, label="worst stuck value")
    axes.plot([], [], "o", color=OKABE_ITO[0], markersize=5, markerfacecolor="white", label="best stuck value")
    worst = most_critical(part.results, 1)[0]
    assert worst.pe is not None
    assert worst.of is not None
    x = names.index(worst.layer) + 0.06 + 0.88 * (worst.pe + 0.5) / worst.of
    right = x > 0.7 * len(names)
    axes.annotate(
        worst.fault, (x, 100 * worst.correct / run.images), xytext=(-6 if right else 6, 0), textcoords="offset points",
        va="center", ha="right" if right else "left", fontsize=7.5,
    )  # fmt: skip
    axes.set_xlim(0, len(names))
    axes.set_xticks([i + 0.5 for i in range(len(names))], [texts[name] for name in names], fontsize=8)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.set_xlabel("faulty layer; inside a layer, PEs from first to last")
    axes.set_ylabel("accuracy under one stuck PE [%]")
    axes.set_title(title(run, f"Each of {len(found):,} PEs"))
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    return figure
