"""The matrix products: Conv, MatMul and Gemm, as integer weights on [C, H, W]."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelWarning
from fat_fpga.network.layers import IntArray
from fat_fpga.network.lowering.constants import Array
from fat_fpga.network.lowering.geometry import NONE, Padding, windows_of
from fat_fpga.network.lowering.graph import Graph, Node, attributes, label, refuse
from fat_fpga.network.lowering.layout import Layout

INTEGER_SUMS = "fat_fpga.integer_sums."
"""Key of a model's properties, followed by a tensor: its sums are of 32 bits in the file, and no floats."""
MATRIX = ("Conv", "MatMul", "Gemm")


@dataclass(frozen=True, eq=False)
class Product:
    """A matrix product whose thresholds are still to be found.

    Attributes:
        weights: int32 [M, C / groups, KH, KW].
        scale: float32 [M], real value of one integer step of each output channel's weights.
        bias: float32 [M], added to the real accumulator; None if there is none.
        datatype: QONNX datatype of the weights, where the file tells.
        exact: whether the file adds up integers of 32 bits, its bias among them, and makes them float32 then.
    """

    node: Node
    kind: str
    weights: IntArray
    scale: npt.NDArray[np.float32]
    bias: Array | None
    datatype: str | None
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: int = 1
    dilation: tuple[int, int] = (1, 1)
    exact: bool = False


def read_product(node: Node, graph: Graph, layout: Layout, zeros: Padding = NONE) -> Product:
    """See `_read_product`, and whether the file's sums are integers."""
    found = _read_product(node, graph, layout, zeros)
    return replace(found, exact=True) if INTEGER_SUMS + node.output[0] in graph.properties else found


def check_weights(node: Node, constant: bool) -> None:
    """ModelError where the weights of a product are not ``constant``."""
    if not constant:
        raise refuse(
            node, "expected an activation times constant weights: products of two activations are not supported"
        )


def _read_product(node: Node, graph: Graph, layout: Layout, zeros: Padding) -> Product:
    """Read a Conv, MatMul or Gemm whose moving input has ``layout``; ModelError says what is not supported.

    Args:
        zeros: top, left, bottom, right; zeros that a Pad in front has added around a convolution's input.
    """
    weights, scale, bias, datatype = weights_of(node, graph)
    if node.op_type == "Conv":
        return _convolution(node, weights, scale, bias, datatype, layout, zeros)
    options = attributes(node)
    if options.get("alpha", 1.0) != 1.0 or options.get("beta", 1.0) != 1.0 or options.get("transA"):
        raise refuse(node, "alpha and beta must be 1, and transA 0: take Linear, or MatMul and Add")
    if weights.ndim != 2:
        raise refuse(node, f"its weights must be a matrix, got {list(weights.shape)}")
    if options.get("transB"):
        weights, scale = weights.T, scale.T
    flat = layout.is_flat and weights.shape[0] == layout.index.size
    if not flat and not (layout.channels_last and weights.shape[0] == layout.shape[0]):
        raise refuse(
            node,
            f"its weights {list(weights.shape)} do not fit an input of {list(layout.index.shape)}: flatten it first",
        )
    if not flat:  # over the channels of each pixel
        pixel = np.ascontiguousarray(weights.T)[:, :, None, None]
        bias = _bias(node, bias, len(pixel))
        return Product(node, "conv", pixel, by_channel(node, scale.T), bias, datatype)
    ordered = np.empty((weights.shape[1], weights.shape[0]), np.int32)
    ordered[:, layout.index.ravel()] = weights.T
    bias = _bias(node, bias, len(ordered))
    return Product(node, "fc", ordered.reshape(-1, *layout.shape), by_channel(node, scale.T), bias, datatype)


class Weights(NamedTuple):
    """The constants of a product, as the file has them.

    Attributes:
        values: int32, of any shape.
        scale: float32 of the same shape, the real value of one step.
        bias: None if there is none.
        datatype: QONNX datatype of the weights, where the file tells.
    """

    values: IntArray
    scale: Array
    bias: Array | None
    datatype: str | None


def weights_of(node: Node, graph: Graph) -> Weights:
    """The weights and the bias of a product; ModelError where they are not constant and quantised."""
    check_weights(node, len(graph.moving(node)) == 1 and node.input[0] not in graph.constants)
    graph.constant(node, 1)
    constant = graph.constants[node.input[1]]
    found = constant.integers()
    if found is None:
        raise refuse(
            node,
            f"its weights '{node.input[1]}' are not quantised: expected them from Quant, BipolarQuant or "
            "DequantizeLinear, or exact integers; if an optimiser has folded the quantiser away, export without it",
        )
    bias = graph.constant(node, 2) if len(node.input) > 2 and node.input[2] else None
    weights, scale = found
    if not weights.any():
        warnings.warn(f"{label(node)}: all its weights are 0", ModelWarning, stacklevel=2)
    return Weights(weights, scale, bias, constant.datatype)


def _convolution(
    node: Node,
    weights: IntArray,
    scale: Array,
    bias: Array | None,
    datatype: str | None,
    layout: Layout,
    zeros: Padding,
) -> Product:
    if weights.ndim != layout.index.ndim + 1:
        raise refuse(node, f"its weights {list(weights.shape)} do not fit activations of {layout.index.ndim + 1} axes")
    options, kernel = attributes(node), weights.shape[2:]
    groups = options.get("group", 1)
    if groups < 1 or weights.shape[0] % groups:
        raise refuse(node, f"its {weights.shape[0]} output channels do not make {groups} groups")
    if tuple(options.get("kernel_shape", kernel)) != kernel:
        raise refuse(node, f"its kernel_shape {options['kernel_shape']} is not that of its weights {weights.shape}")
    windows = windows_of(node, layout, kernel, zeros)
    top, left, bottom, right = windows.padding
    c, h, w = layout.shape
    if weights.shape[1] * groups != c or h + top + bottom < windows.span[0] or w + left + right < windows.span[1]:
        of = "" if groups == 1 else f" in {groups} groups"
        raise refuse(
            node, f"its weights {list(weights.shape)}{of} do not fit an input of {[c, h, w]}: is that channels first?"
        )
    return Product(
        node, "conv", weights.reshape(*weights.shape[:2], *windows.kernel), by_channel(node, scale), bias, datatype,
        windows.stride, windows.padding, groups, windows.dilation,
    )  # fmt: skip


def _bias(node: Node, bias: Array | None, channels: int) -> Array | None:
    """The bias of a Gemm, one value for each channel."""
    if bias is None:
        return None
    if bias.ndim == 2 and np.any(bias != bias[:1]):
        raise refuse(node, "its bias differs between the images of a batch: export the model with a batch of 1")
    bias = bias[:1] if bias.ndim == 2 else bias
    spread: Array = np.broadcast_to(bias, (1, channels))[0]
    return spread


def by_channel(node: Node, scale: Array) -> npt.NDArray[np.float32]:
    """One scale for each output channel [M], of those of all weights [M, ...]; ModelError where they differ within."""
    rows = scale.reshape(len(scale), -1)
    if not np.all(np.isfinite(rows)):
        raise refuse(node, "the scale of its weights is not finite")
    if not np.all(rows == rows[:, :1]) or np.any(rows <= 0):
        raise refuse(
            node,
            "the scale of its weights must be positive, and the same within an output channel: "
            "quantise weights with one scale for the tensor, or one for each output channel",
        )
    return rows[:, 0].astype(np.float32)
