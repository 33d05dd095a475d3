"""What a file's input takes; and pixels, until they are the first layer's integers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isqrt
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx

from fat_fpga.errors import ModelError, ModelWarning
from fat_fpga.network.datatypes import span_of
from fat_fpga.network.layers import Data, Input, InputQuantiser, IntArray, Shape
from fat_fpga.network.lowering.chain import DifferError
from fat_fpga.network.lowering.constants import uniform, whole
from fat_fpga.network.lowering.entry import Chains, Entry
from fat_fpga.network.lowering.front import channels_are_last
from fat_fpga.network.lowering.graph import Graph, Node, label, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.layout import Layout
from fat_fpga.network.lowering.operators import MOVES, PASSIVE
from fat_fpga.network.lowering.values import Values
from fat_fpga.network.writer import VALUES

Pixels = str
"""What a file's input takes: ``raw`` (0..255), ``unit`` (that divided by 255), ``none`` (other data than pixels), the
QONNX datatype of integers, as ``INT8``; or ``auto``."""
WORDS = ("auto", "raw", "unit", "none")
Outputs = Literal["auto", "classes", "values"]
"""What a file's outputs are: class scores or other values; ``auto``: values where they have height or width."""
Normalise = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and standard deviation of pixels divided by 255, one number or one for each channel."""
RAW_TYPES = ("UINT8", "UINT16", "UINT32", "UINT64", "INT16", "INT32", "INT64")
"""Element types that hold every pixel, and can hold nothing else of it than 0..255."""
VALUE_TYPES = ("INT8", *RAW_TYPES)
"""Integer element types of other data."""
MOST_EACH = 2**26
"""Entries of a table with 256 pixel values for each position."""
PLAIN = ("", "FLOAT32", "UINT8")
"""Annotations of an input that may be pixels."""


def input_type(graph: Graph) -> np.dtype[np.generic]:
    """Element type of the input; ModelError where it is none of numbers that enter exactly."""
    name = onnx.TensorProto.DataType.Name(graph.input_type)
    if name != "FLOAT" and name not in VALUE_TYPES:
        raise ModelError(
            f"input '{graph.input}' is of type {name}, expected FLOAT or an integer type: "
            "export the model in single precision (float32)"
        )
    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(graph.input_type))


def entry_of(graph: Graph, pixels: Pixels, normalise: Normalise | None, channels: int) -> Entry:
    """What enters a file.

    Args:
        channels: of the input, for the numbers of ``normalise``.

    Raises:
        ModelError: the file does not take what is asked for.
    """
    if pixels not in WORDS:
        if span_of(pixels) is None:
            raise ModelError(
                f"pixels '{pixels}': expected {', '.join(WORDS)}, or a QONNX datatype of integers, as INT8 or BIPOLAR"
            )
        graph.datatypes[graph.input], pixels = pixels, "none"
    integers, annotated = input_type(graph) != np.float32, graph.datatypes.get(graph.input, "")
    if (pixels == "auto" and _no_pixels(graph, annotated)) or pixels == "none":
        if normalise is not None:
            raise ModelError("--normalise is for pixels divided by 255, and the file takes other data: leave it out")
        return Values(_datatype(graph, annotated))
    told = pixels != "auto" or annotated == "UINT8" or integers or normalise is not None
    if pixels == "auto" and normalise is None:
        pixels = "raw" if integers or annotated == "UINT8" or _divides(graph) else "unit"
    elif integers and (pixels == "unit" or normalise is not None):
        raise ModelError(
            f"input '{graph.input}' holds integers: it takes raw pixels, not pixels divided by 255: "
            "take --pixels raw (pixels='raw' in Python), and no --normalise"
        )
    elif pixels == "raw" and normalise is not None:
        raise ModelError("--normalise is for pixels divided by 255: leave --pixels raw out")
    real = np.arange(256, dtype=np.float32)[:, None]
    if pixels != "raw":
        real = real / np.float32(255)
    scale = float(real[1, 0])
    if normalise is None:
        return ImagePixels(real, Grid(scale, None), "raw pixels 0..255" if pixels == "raw" else UNIT, told)
    for what, given in zip(("means", "standard deviations"), normalise, strict=True):
        if len(given) not in (1, channels):
            raise ModelError(f"--normalise: expected 1 or {channels} {what}, one for each channel, got {len(given)}")
    mean, deviation = (np.array(given, np.float32) for given in normalise)
    if not (np.all(np.isfinite(mean)) and np.all(np.isfinite(deviation)) and np.all(deviation > 0)):
        raise ModelError("--normalise: expected finite means, and standard deviations above 0")
    return ImagePixels((real - mean) / deviation, "pixels are normalised", "normalised pixels", told)


UNIT = "pixels divided by 255"


def _no_pixels(graph: Graph, annotated: str) -> bool:
    """Whether a file says itself that it takes other data than pixels: by the datatype or the type of its input, by
    three axes, which are those of signals, or as a file that was written here."""
    name = onnx.TensorProto.DataType.Name(graph.input_type)
    return annotated not in PLAIN or name == "INT8" or len(graph.input_shape) == 2 or VALUES in graph.properties


def _datatype(graph: Graph, annotated: str) -> str:
    """QONNX datatype of the data; empty where they are real."""
    name = onnx.TensorProto.DataType.Name(graph.input_type)
    if annotated and annotated != "FLOAT32":
        if span_of(annotated) is None:
            raise ModelError(
                f"input '{graph.input}' is annotated {annotated}: expected FLOAT32 or a datatype of integers, as INT8"
            )
        return annotated
    return "" if name == "FLOAT" else name


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
        if channels_are_last(graph) and image_shape is None:
            shape = (sizes[2], sizes[0], sizes[1])
            return Layout(shape, np.ascontiguousarray(np.moveaxis(Layout.image(shape).index, 0, -1)))
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


@dataclass(frozen=True)
class ImagePixels(Entry):
    """Pixels.

    Attributes:
        table: float32 [256, C or 1], what the file takes for each pixel.
        grid: see `Entry`.
        what: they are, for messages.
        told: whether the user or the file has said so, so that it is no guess.
    """

    table: npt.NDArray[np.float32]
    grid: Grid | str
    what: str
    told: bool

    def real(self, rows: Data) -> npt.NDArray[Any]:
        found: npt.NDArray[Any] = self.table[rows, 0]
        if self.table.shape[1] == 1:
            return found
        return np.stack([self.table[rows[:, c], c] for c in range(rows.shape[1])], axis=1)

    def of_channels(self, channels: Sequence[int]) -> Entry:
        return self if self.table.shape[1] == 1 else replace(self, table=self.table[:, list(channels)])

    def read(self, chains: Chains, shape: Shape, order: IntArray | None, grid: Grid, node: Node) -> Input:
        size = int(np.prod(shape))
        try:
            values = chains(False)(np.repeat(self.table, shape[0] // self.table.shape[1], axis=1))
        except DifferError:
            if 256 * size > MOST_EACH:
                raise
            values = chains(True)(np.repeat(self.table, size // self.table.shape[1], axis=1))
        table = whole(values, grid.scale, largest=256)
        if table is None:
            raise refuse(node, f"its input is no multiple of {grid.scale:g}, the scale of the quantiser in front")
        table = np.ascontiguousarray(table.T)
        self._check_reached(table, grid, node)
        datatype = "" if grid.levels is None else grid.levels.datatype
        return InputQuantiser(shape, table, grid.scale, datatype, order)

    def _check_reached(self, table: IntArray, grid: Grid, node: Node) -> None:
        """Refuse, or warn of, a quantiser of many levels of which the 256 pixel values reach a handful.

        A network that takes other data than pixels, or pixels of another range, is recognised by that.
        """
        count = 256 if grid.levels is None else min(grid.levels.count, 256)
        reached = max(len(np.unique(row)) for row in table)
        if count < 8 or reached > 4 or (reached > 1 and reached * 16 >= count):
            return
        text = (
            f"{self.what} reach only {reached} of the {count} levels of the input's quantiser, "
            f"{table.min()}..{table.max()}: does the file take other data, or pixels of another range?"
        )
        if not self.told:
            raise refuse(
                node,
                f"{text} Say what it takes with --pixels raw, unit or none, or with --normalise (pixels=... in Python)",
            )
        warnings.warn(" ".join(f"{label(node)}: {text}".split()), ModelWarning, stacklevel=2)
