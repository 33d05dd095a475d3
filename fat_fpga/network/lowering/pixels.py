"""The input: from uint8 pixels to the first layer's integers."""

from __future__ import annotations

import warnings
from math import isqrt
from typing import Literal

import numpy as np
import onnx

from fat_fpga.errors import ModelError, ModelWarning
from fat_fpga.network.layers import InputQuantiser, IntArray, Shape
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.constants import uniform, whole
from fat_fpga.network.lowering.graph import Graph, Node, label, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.operators import MOVES, PASSIVE

Pixels = Literal["auto", "raw", "unit"]
"""What a file's input takes: 0..255 (``raw``), or that divided by 255 (``unit``)."""
RAW_TYPES = ("UINT8", "UINT16", "UINT32", "UINT64", "INT16", "INT32", "INT64")
"""Element types that hold every pixel, and can hold nothing else of it than 0..255."""


def input_type(graph: Graph) -> np.dtype[np.generic]:
    """Element type of the input; ModelError where it cannot take pixels."""
    name = onnx.TensorProto.DataType.Name(graph.input_type)
    if name != "FLOAT" and name not in RAW_TYPES:
        raise ModelError(
            f"input '{graph.input}' is of type {name}, expected FLOAT or an integer type that holds 0..255: "
            "export the model in single precision (float32)"
        )
    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(graph.input_type))


def pixel_scale(graph: Graph, pixels: Pixels) -> np.float32:
    """Real value of one step of a pixel: 1 where raw pixels enter the file, else 1/255."""
    integers = input_type(graph) != np.float32
    if pixels == "auto":
        datatype = graph.datatypes.get(graph.input, "FLOAT32")
        if datatype not in ("UINT8", "FLOAT32"):
            raise ModelError(
                f"input '{graph.input}' is annotated {datatype}: expected UINT8 or FLOAT32; "
                "say what pixels it takes with --pixels raw or --pixels unit (pixels=... in Python)"
            )
        pixels = "raw" if integers or datatype == "UINT8" or _divides(graph) else "unit"
    elif pixels == "unit" and integers:
        raise ModelError(
            f"input '{graph.input}' holds integers: it takes raw pixels, not pixels divided by 255: "
            "take --pixels raw (pixels='raw' in Python)"
        )
    return np.float32(1) if pixels == "raw" else np.float32(1) / np.float32(255)


def _divides(graph: Graph) -> bool:
    """Whether the first arithmetic on the input is a division by 255 or 256."""
    tensor = graph.input
    for node in graph.nodes:
        if tensor not in node.input:
            continue
        if node.op_type in (*MOVES, *PASSIVE):
            tensor = node.output[0]
        elif node.op_type in ("Div", "Mul") and len(node.input) == 2:
            other = node.input[1] if node.input[0] == tensor else node.input[0]
            factor = uniform(graph.constants[other].values) if other in graph.constants else None
            if not factor or (node.op_type == "Div" and node.input[0] != tensor):
                return False
            divisor = np.array(factor if node.op_type == "Div" else 1 / factor)
            found = whole(divisor, 1.0)
            return found is not None and int(found) in (255, 256)
        elif node.op_type != "Shape":
            return False
    return False


def input_layout(graph: Graph, image_shape: Shape | None) -> Layout:
    """Layout of the image tensor; ModelError where ``image_shape`` does not fit the file."""
    sizes = graph.input_shape
    if len(sizes) == 2:
        if image_shape is not None and image_shape != (sizes[0], 1, sizes[1]):
            raise ModelError(f"the file takes signals of {list(sizes)}, not images: leave --image-shape out")
        return Layout.image((sizes[0], 1, sizes[1]), 2)
    if len(sizes) == 3:
        if image_shape is not None and image_shape != sizes:
            raise ModelError(
                f"the file takes images of {list(sizes)}, not {list(image_shape)}: leave --image-shape out"
            )
        return Layout.image((sizes[0], sizes[1], sizes[2]))
    shape = image_shape or (sizes[0], 1, 1)
    if np.prod(shape) != sizes[0]:
        raise ModelError(
            f"the file takes {sizes[0]} values per image, and {list(shape)} are {np.prod(shape)}{_shapes(sizes[0])}"
        )
    return Layout.flat(shape)


def _shapes(count: int) -> str:
    """Image shapes of so many values, as the end of a message: square ones, grey or in colour."""
    found = [f"{c},{isqrt(count // c)},{isqrt(count // c)}" for c in (1, 3) if c * isqrt(count // c) ** 2 == count]
    return f": is it --image-shape {' or '.join(found)}?" if found else ""


def input_quantiser(
    chain: Chain, shape: Shape, scale: np.float32, grid: Grid, node: Node, told: bool = False
) -> InputQuantiser:
    """Execute the chain in front of the first matrix product, ``node``, on every pixel value of every channel.

    Args:
        told: whether the user or the file has said what pixels it takes, so that ``scale`` is no guess.
    """
    values = np.arange(256, dtype=np.float32)
    if scale != 1:
        values = values / np.float32(255)
    table = whole(chain(np.repeat(values[:, None], shape[0], axis=1)), grid.scale, largest=256)
    if table is None:
        raise refuse(node, f"its input is no multiple of {grid.scale:g}, the scale of the quantiser in front")
    table = np.ascontiguousarray(table.T)
    _check_reached(table, scale, grid, node, told)
    datatype = "" if grid.levels is None else grid.levels.datatype
    return InputQuantiser(shape, table, grid.scale, datatype)


def _check_reached(table: IntArray, scale: np.float32, grid: Grid, node: Node, told: bool) -> None:
    """Refuse, or warn of, a quantiser of many levels of which the 256 pixel values reach a handful.

    A network that takes other data than pixels, or pixels of another range, is recognised by that.
    """
    count = 256 if grid.levels is None else min(grid.levels.count, 256)
    reached = max(len(np.unique(row)) for row in table)
    if count < 8 or reached > 4 or (reached > 1 and reached * 16 >= count):
        return
    what = "raw pixels 0..255" if scale == 1 else "pixels divided by 255"
    text = (
        f"{what} reach only {reached} of the {count} levels of the input's quantiser: "
        "does the file take other data, or pixels of another range?"
    )
    if not told:
        raise refuse(node, f"{text} Say what it takes with --pixels raw or --pixels unit (pixels=... in Python)")
    warnings.warn(" ".join(f"{label(node)}: {text}".split()), ModelWarning, stacklevel=2)
