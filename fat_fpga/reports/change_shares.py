"""How many of the bit faults of a layer matter at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fat_fpga.campaign import changing
from fat_fpga.reports.part import Part
from fat_fpga.reports.style import INK, RULE, colours, markers, title
from fat_fpga.reports.words import words

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def change_shares(part: Part) -> Figure:
    """Share of the faults of each layer and effect that change the predicted class of any image.

    In a sample a bar spans the 95 % confidence interval of `fat_fpga.campaign.shares.wilson`.
    """
    from matplotlib.figure import Figure

    names, effects = part.layers, part.effects
    step = 0.8 / len(effects)
    height = max(0.36, 0.1 * len(effects) + 0.2) * len(names) + 1.5 + 0.17 * (len(effects) // 4)
    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.subplots()
    for i in range(1, len(names)):
        axes.axhline(i - 0.5, color=RULE, linewidth=0.6)
    shades, shapes, named = colours(len(effects)), markers(len(effects)), set()
    size = 5 if len(effects) <= 4 else 3.5
    for row in sorted(part.lanes, key=lambda row: effects.index(row.effect)):
        i = effects.index(row.effect)
        y = names.index(row.layer) + (i - (len(effects) - 1) / 2) * step
        share = changing(part.run, row.results)
        if share.interval:
            axes.plot(share.interval, [y, y], color=shades[i], linewidth=2, alpha=0.45, solid_capstyle="butt")
        label = None if i in named else row.effect
        axes.plot([share.percent], [y], shapes[i], color=shades[i], markersize=size, label=label, clip_on=False)
        named.add(i)
    if part.run.origin.drawn and part.run.complete:
        axes.plot([], [], color=INK, linewidth=2, alpha=0.45, label="95 % confidence")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, min(100, axes.get_xlim()[1]))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.set_xlabel("faults that change any prediction [%]")
    axes.set_ylabel("faulty layer")
    axes.set_title(title(part.run, f"How often one {words(part.kind).one} matters"))
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    return figure
