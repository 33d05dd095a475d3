"""Where in the picture a fault hurts: heat maps over height x width (Zahid et al. 2020, section V-D and Table IV)."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign import Result, most_critical
from fat_fpga.reports.part import Part
from fat_fpga.reports.style import INK, title
from fat_fpga.reports.words import words
from fat_fpga.text import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 4


def pixel_maps(part: Part) -> dict[str, npt.NDArray[np.float64]]:
    """Lowest accuracy in percent over all faults of each pixel, [H, W] for each layer that has more than one.

    Pixels without a finished fault are NaN.
    """
    maps = {
        layer.name: np.full((layer.height, layer.width), np.nan)
        for layer in part.run.layers
        if layer.height * layer.width > 1
    }
    for result, accuracy in zip(part.results, part.accuracy, strict=True):
        if result.layer in maps:
            at = result.row, result.column
            maps[result.layer][at] = np.fmin(maps[result.layer][at], accuracy)
    return {name: found for name, found in maps.items() if not np.isnan(found).all()}


def pixel_map(part: Part) -> Figure:
    """A panel for each layer, its pixels coloured by accuracy under their worst fault; one scale for all layers.

    Layers of a single pixel are left out. The worst pixel is circled and named.
    """
    from matplotlib.figure import Figure

    maps = pixel_maps(part)
    columns = min(COLUMNS, len(maps))
    rows = ceil(len(maps) / columns)
    figure = Figure(figsize=(7.2, 1.9 + rows * 6.4 / max(columns, 2)), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    low = min(float(np.nanmin(found)) for found in maps.values())
    high = max(part.run.error_free_accuracy, low + 1e-9)
    worst = _worst(part, maps)
    image: Any = None
    for axes, (name, found) in zip(panels, maps.items(), strict=False):
        axes.set_facecolor("#eeeeee")
        for side in axes.spines.values():
            side.set_visible(False)
        image = axes.imshow(found, cmap="cividis", vmin=low, vmax=high, interpolation="nearest")
        height, width = found.shape
        axes.set_xticks(sorted({0, width - 1}))
        axes.set_yticks(sorted({0, height - 1}))
        axes.tick_params(length=0, labelsize=7)
        axes.set_title(f"{name}, {height} x {width}: {percent(float(np.nanmin(found)))}", fontsize=8.5)
        if worst.layer == name:
            size = 0.28 * min(figure.get_size_inches()[0] / columns, 1.6) * 72 / max(height, width) + 6
            axes.plot(
                [worst.column],
                [worst.row],
                "o",
                markersize=size,
                markerfacecolor="none",
                markeredgecolor="white",
                zorder=3,
            )
            axes.plot(
                [worst.column],
                [worst.row],
                "o",
                markersize=size + 2,
                markerfacecolor="none",
                markeredgecolor=INK,
                zorder=3,
                clip_on=False,
            )
    for axes in panels[len(maps) :]:
        axes.set_visible(False)
    bar = figure.colorbar(image, ax=list(panels), location="bottom", aspect=45, shrink=0.9, pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label(
        f"accuracy under the {words(part.kind).worst} [%]; right end: error-free "
        f"{percent(part.run.error_free_accuracy)} %; circle: {worst.fault}",
        fontsize=8,
    )
    figure.suptitle(
        title(part.run, f"Lowest accuracy of each {part.kind}, by row and column"), x=0.01, ha="left", fontsize=10
    )
    return figure


def has_maps(part: Part) -> bool:
    """Whether there is a pixel map to draw."""
    return words(part.kind).map_axes is not None and bool(pixel_maps(part))


def _worst(part: Part, maps: dict[str, npt.NDArray[np.float64]]) -> Result:
    return most_critical((result for result in part.results if result.layer in maps), 1)[0]
