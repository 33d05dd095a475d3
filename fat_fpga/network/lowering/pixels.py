"""The input: from uint8 pixels to the first layer's integers."""

from __future__ import annotations

from typing import Literal

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.network.layers import InputQuantiser, Shape
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.constants import whole
from fat_fpga.network.lowering.graph import Graph, Node, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.layout import Layout

Pixels = Literal["auto", "raw", "unit"]
"""What a file's input takes: 0..255 (``raw``), or that divided by 255 (``unit``)."""


def pixel_scale(graph: Graph, pixels: Pixels) -> np.float32:
    """Real value of one step of a pixel: 1 where raw pixels enter the file, else 1/255."""
    if pixels == "auto":
        datatype = graph.datatypes.get(graph.input, "FLOAT32")
        if datatype not in ("UINT8", "FLOAT32"):
            raise ModelError(f"input '{graph.input}' is annotated {datatype}: expected UINT8 or FLOAT32")
        pixels = "raw" if datatype == "UINT8" else "unit"
    return np.float32(1) if pixels == "raw" else np.float32(1) / np.float32(255)


def input_layout(graph: Graph, image_shape: Shape | None) -> Layout:
    """Layout of the image tensor; ModelError where ``image_shape`` does not fit the file."""
    sizes = graph.input_shape
    if len(sizes) == 3:
        if image_shape is not None and image_shape != sizes:
            raise ModelError(f"the file takes images of {list(sizes)}, not {list(image_shape)}")
        return Layout.image((sizes[0], sizes[1], sizes[2]))
    shape = image_shape or (sizes[0], 1, 1)
    if np.prod(shape) != sizes[0]:
        raise ModelError(f"the file takes {sizes[0]} values per image, and {list(shape)} are {np.prod(shape)}")
    return Layout.flat(shape)


def input_quantiser(chain: Chain, shape: Shape, scale: np.float32, grid: Grid, node: Node) -> InputQuantiser:
    """Execute the chain in front of the first matrix product, ``node``, on every pixel value of every channel."""
    values = np.arange(256, dtype=np.float32)
    if scale != 1:
        values = values / np.float32(255)
    table = whole(chain(np.repeat(values[:, None], shape[0], axis=1)), grid.scale)
    if table is None:
        raise refuse(node, f"its input is no multiple of {grid.scale:g}, the scale of the quantiser in front")
    datatype = "" if grid.levels is None else grid.levels.datatype
    return InputQuantiser(shape, np.ascontiguousarray(table.T), grid.scale, datatype)
