"""Estimates as a table, and as a figure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

from fat_fpga.boards import Board
from fat_fpga.files import make_folder, replacing
from fat_fpga.finn.estimates import Estimates, LayerEstimate
from fat_fpga.text import align

FIGURE = "estimates"
"""Name of the figure's files."""
Named = tuple[str, Estimates]
"""What to call some estimates, as ``with voters``."""


def estimates_text(estimates: Estimates, board: Board) -> str:
    """A row for each layer, totals, and what the part holds."""
    rows = [["place", "layer", "PE", "SIMD", "LUT", "BRAM_18K", "DSP", "cycles"]]
    for layer in estimates.layers:
        folds = [str(number) if number else "" for number in (layer.pe, layer.simd)]
        rows.append([layer.place, layer.node, *folds, *_numbers(layer), f"{layer.cycles:,}"])
    total = [f"{estimates.lut:,}", f"{estimates.bram_18k:,}", f"{estimates.dsp:,}"]
    rows.append(["total", "", "", "", *total, f"{estimates.cycles:,}"])
    limits = (board.lut, board.bram_18k, board.dsp)
    rows.append([board.name, "", "", "", *(f"{limit:,}" for limit in limits), ""])
    shares = [
        need / limit for need, limit in zip((estimates.lut, estimates.bram_18k, estimates.dsp), limits, strict=True)
    ]
    rows.append(["share", "", "", "", *(f"{100 * share:.1f} %" for share in shares), ""])
    return f"{align(rows, left=(0, 1))}\n\n{estimates.rate:,.0f} images a second at {estimates.clock:g} MHz"


def comparison_text(found: Sequence[Named]) -> str:
    """Totals side by side: before and after voters and injectors."""
    rows = [["", "LUT", "BRAM_18K", "DSP", "cycles", "images/s"]]
    for name, estimates in found:
        totals = (estimates.lut, estimates.bram_18k, estimates.dsp, estimates.cycles)
        rows.append([name, *(f"{number:,}" for number in totals), f"{estimates.rate:,.0f}"])
    return align(rows)


def write_report(found: Sequence[Named], folder: str | PathLike[str]) -> list[Path]:
    """``estimates.json`` of the last, ``comparison.json`` if there are several, and the figure ``estimates.png``."""
    folder, written = make_folder(folder), []
    texts = {"estimates.json": found[-1][1].to_json()}
    if len(found) > 1:
        texts["comparison.json"] = _json(found)
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text)
        written.append(folder / name)
    return [*written, *write_estimates_figures(found, folder)]


def write_estimates_json(found: Sequence[Named], path: str | PathLike[str]) -> None:
    """All estimates by name; the file appears whole or not at all. OSError if it cannot."""
    with replacing(path) as temporary:
        temporary.write_text(_json(found), encoding="utf-8")


def write_estimates_figures(
    found: Sequence[Named], folder: str | PathLike[str], formats: Iterable[str] = ("png",)
) -> list[Path]:
    """Draw ``estimates`` into ``folder``, made if it is new; returns the files, one for each format."""
    folder, written = make_folder(folder), []
    for form in formats:
        with replacing(folder / f"{FIGURE}.{form}") as temporary:
            _draw(found, temporary, form)
        written.append(folder / f"{FIGURE}.{form}")
    return written


def _json(found: Sequence[Named]) -> str:
    content = {name: json.loads(estimates.to_json()) for name, estimates in found}
    return json.dumps(content, indent=2) + "\n"


def _draw(found: Sequence[Named], path: Path, form: str) -> None:
    """Cycles, LUTs and BRAMs by place, one bar for each of the estimates."""
    from matplotlib.figure import Figure

    from fat_fpga.reports.figures import FORMATS
    from fat_fpga.reports.style import colours, style

    places = list(dict.fromkeys(layer.place for _, estimates in found for layer in estimates.layers))
    with style():
        figure = Figure(figsize=(7.2, 0.9 + 0.24 * len(places)), layout="constrained")
        axes = figure.subplots(1, 3, sharey=True)
        for axis, (title, of) in zip(axes, PANELS, strict=True):
            height = 0.8 / len(found)
            for number, ((name, estimates), colour) in enumerate(zip(found, colours(len(found)), strict=True)):
                heights = [of([layer for layer in estimates.layers if layer.place == place]) for place in places]
                at = [row + (number - (len(found) - 1) / 2) * height for row in range(len(places))]
                axis.barh(at, heights, height, color=colour, label=name)
            axis.set_xlabel(title)
            axis.ticklabel_format(axis="x", style="plain")
            axis.tick_params(axis="x", labelsize=7)
        axes[0].set_yticks(range(len(places)), places)
        axes[0].invert_yaxis()
        if len(found) > 1:
            figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(found))
        figure.savefig(path, format=form, metadata=FORMATS[form])


def _most_cycles(layers: Sequence[LayerEstimate]) -> int:
    return max((layer.cycles for layer in layers), default=0)


def _luts(layers: Sequence[LayerEstimate]) -> int:
    return sum(layer.lut for layer in layers)


def _brams(layers: Sequence[LayerEstimate]) -> int:
    return sum(layer.bram_18k for layer in layers)


PANELS = (("cycles for an image", _most_cycles), ("LUT", _luts), ("BRAM_18K", _brams))


def _numbers(layer: LayerEstimate) -> list[str]:
    return [f"{layer.lut:,}", f"{layer.bram_18k:,}", f"{layer.dsp:,}"]
