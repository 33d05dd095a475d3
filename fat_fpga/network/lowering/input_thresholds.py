"""Thresholds on the pixels that enter, where nothing else reads these: they are the table of the input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fat_fpga.network.layers import Input, InputQuantiser, Layer, Thresholding
from fat_fpga.network.lowering.sites import Sites
from fat_fpga.network.program import INPUT, inputs_of, removed


def with_thresholds(source: Input, layers: tuple[Layer, ...], sites: Sites) -> tuple[Input, tuple[Layer, ...]]:
    """The input, and the layers without a Thresholding that alone reads pixels, as a file has it whose quantiser is
    behind a pool, or a selection that repeats some."""
    inputs = inputs_of(layers)
    first = [layer for layer in layers if INPUT in inputs[layer.name]]
    if len(first) != 1 or not isinstance(first[0], Thresholding) or not isinstance(source, InputQuantiser):
        return source, layers
    layer = first[0]
    channels, codes = source.shape[0], source.table.shape[1]
    behind = [layer.name, *(other.name for other in layers if layer.name in inputs[other.name])]
    scales = [sites.streams[name].scale for name in behind if name in sites.streams]
    if layer is layers[-1] or not scales:  # the file shows no tensor of these integers, or those of a pool of them
        return source, layers
    table = layer.output(source.table.reshape(1, channels, -1, codes)).reshape(-1, codes)
    sites.units.pop(layer.name, None)
    shown = sites.streams.pop(layer.name, None)
    sites.streams.pop(INPUT)
    if shown is not None:
        sites.streams[INPUT] = shown
    made = replace(source, table=np.ascontiguousarray(table), scale=scales[0], datatype=layer.levels.datatype)
    return made, removed(layers, layer.name)
