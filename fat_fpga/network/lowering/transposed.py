"""Transposed convolutions: zeros between the pixels, and an ordinary convolution whose windows are turned round.

So the unit has the file's weights, each once, as FINN makes it of FMPadding_Pixel and a convolution; sub-kernels for
each place between the pixels would have weights and thresholds of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fat_fpga.network.layers import Select, ZeroInsertion
from fat_fpga.network.lowering.geometry import NONE, Padding, Pair, Windows, given_pads, unpadded
from fat_fpga.network.lowering.graph import Graph, Node, attributes, refuse
from fat_fpga.network.lowering.layout import Index, Layout
from fat_fpga.network.lowering.matrix import Product, by_channel, weights_of
from fat_fpga.network.lowering.sizes import MOST_PIXELS

TRANSPOSED = "ConvTranspose"
T = TypeVar("T", bound=np.generic)
Span = tuple[int, int]


@dataclass(frozen=True)
class Transposed:
    """A transposed convolution.

    Attributes:
        stride: of its output; zeros are inserted for it.
        crop: rows and columns of the stream with zeros that the convolution reads; None where it reads all.
        product: the convolution; None where it multiplies each channel by 1, so that the zeros are all that is done.
        layout: in front of the convolution.
    """

    stride: Pair
    crop: tuple[range, range] | None
    product: Product | None
    layout: Layout

    def layers(self, zeros: str, select: str, node: Node, channels: int) -> list[ZeroInsertion | Select]:
        """What is in front of the convolution, with the names ``zeros`` and ``select``."""
        found: list[ZeroInsertion | Select] = []
        if self.stride != (1, 1):
            found.append(ZeroInsertion(zeros, self.stride, node.name))
        if self.crop is not None:
            rows, columns = self.crop
            found.append(Select(select, tuple(range(channels)), tuple(rows), tuple(columns), node.name))
        return found


def read_transposed(node: Node, graph: Graph, layout: Layout, zeros: Padding = NONE) -> Transposed:
    """Read a ConvTranspose whose moving input has ``layout``; ModelError says what is not supported.

    Args:
        zeros: what a Pad in front has added around its input.
    """
    read = weights_of(node, graph)
    options, shape, groups = attributes(node), read.values.shape, attributes(node).get("group", 1)
    kernel = shape[2:]
    if len(shape) != layout.index.ndim + 1:
        raise refuse(node, f"its weights {list(shape)} do not fit activations of {layout.index.ndim + 1} axes")
    if tuple(options.get("kernel_shape", kernel)) != kernel:
        raise refuse(node, f"its kernel_shape {options['kernel_shape']} is not that of its weights {list(shape)}")
    windows = unpadded(node, layout, kernel)
    channels, *sizes = layout.shape
    if groups < 1 or channels % groups or shape[0] != channels:
        raise refuse(node, f"its weights {list(shape)} in {groups} groups do not fit an input of {list(layout.shape)}")
    around = [_around(node, axis, windows, layout, sizes[axis], zeros) for axis in (0, 1)]
    stride = tuple(s if size > 1 else 1 for s, size in zip(windows.stride, sizes, strict=True))
    spread = [(size - 1) * s + 1 for size, s in zip(sizes, stride, strict=True)]
    kept = [range(max(-first, 0), size - max(-last, 0)) for size, (first, last) in zip(spread, around, strict=True)]
    (top, bottom), (left, right) = ((max(first, 0), max(last, 0)) for first, last in around)
    wide = len(kept[0]) + top + bottom, len(kept[1]) + left + right
    if not all(kept) or min(n - span for n, span in zip(wide, windows.span, strict=True)) < 0:
        raise refuse(node, f"its pads leave nothing of an input {list(layout.shape)}")
    if channels * wide[0] * wide[1] > MOST_PIXELS:
        raise refuse(node, f"with zeros its input is {[channels, *wide]}, expected at most {MOST_PIXELS:,} values")
    values, scale = (_as_convolution(array, groups, windows) for array in (read.values, read.scale))
    product = Product(
        node, "conv", values, by_channel(node, scale), read.bias, read.datatype, padding=(top, left, bottom, right),
        groups=groups, dilation=windows.dilation,
    )  # fmt: skip
    crop = None if [len(part) for part in kept] == spread else (kept[0], kept[1])
    behind = layout.like((channels, len(kept[0]), len(kept[1])))
    whole = groups == channels and values.shape[1:] == (1, 1, 1) and bool(np.all(values == 1) and np.all(scale == 1))
    nothing = whole and read.bias is None and crop is None and not any(product.padding) and stride != (1, 1)
    return Transposed((stride[0], stride[1]), crop, None if nothing else product, behind)


def transposed_places(shape: Sequence[int], groups: int) -> Index:
    """Position of each element of a file's weights, of ``shape``, in the flattened weights of the unit."""
    numbers = np.arange(np.prod(shape)).reshape(shape)
    moved = _as_convolution(numbers, groups)
    places = np.empty(numbers.size, np.intp)
    places[moved.ravel()] = np.arange(numbers.size)
    return places.reshape(shape)


def _as_convolution(array: npt.NDArray[T], groups: int, windows: Windows | None = None) -> npt.NDArray[T]:
    """Weights [C, M / groups, ...] as those [M, C / groups, ...] of a convolution, turned round in each window."""
    inputs, outputs, *kernel = array.shape
    split = array.reshape(groups, inputs // groups, outputs, *kernel).swapaxes(1, 2)
    turned = np.flip(split.reshape(groups * outputs, inputs // groups, *kernel), tuple(range(2, 2 + len(kernel))))
    return np.ascontiguousarray(turned.reshape(*turned.shape[:2], *windows.kernel) if windows else turned)


def _around(node: Node, axis: int, windows: Windows, layout: Layout, size: int, zeros: Padding) -> Span:
    """Rows or columns around the stream with zeros that the convolution reads, in front and behind; below 0 where it
    leaves some out.

    Args:
        axis: 0 for rows, 1 for columns; ``size`` is the input's.
    """
    options, axes = attributes(node), layout.index.ndim - 1
    stride, span = windows.stride[axis], windows.span[axis]
    here = axis + axes - 2  # below 0 for the height of a signal
    more = _of_axis(node, "output_padding", axes, here)
    if not 0 <= more < stride:  # onnxruntime adds up other products then
        raise refuse(node, f"its output_padding {more} must be below its stride {stride}")
    wanted, automatic = _of_axis(node, "output_shape", axes, here), options.get("auto_pad", "NOTSET")
    if automatic not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise refuse(node, f"unknown auto_pad {automatic}: give pads")
    given = size + zeros[axis] + zeros[axis + 2]
    made = (given - 1) * stride + span + more
    if automatic.startswith("SAME") and not wanted and here >= 0:
        wanted = min(given * stride, made)
    if wanted:  # what is too much is taken off both ends, the odd one behind with SAME_UPPER, else in front
        off = made - wanted
        if off < 0:
            raise refuse(node, f"its output_shape {wanted} is larger than the {made} that its windows make")
        first = off // 2 if automatic == "SAME_UPPER" else off - off // 2
        last = off - first
    else:
        pads = given_pads(node, layout) if automatic == "NOTSET" else NONE
        first, last = pads[axis], pads[axis + 2]
    before, behind = (zeros[axis] * stride, zeros[axis + 2] * stride)
    return span - 1 - first + before, span - 1 - last + more + behind


def _of_axis(node: Node, name: str, axes: int, axis: int) -> int:
    """An attribute's number for an axis of pixels; 0 where there is none."""
    values = list(attributes(node).get(name, []))
    if values and len(values) != axes:
        raise refuse(node, f"expected {axes} numbers of its attribute {name}, got {values}")
    return int(values[axis]) if values and axis >= 0 else 0
