"""The matrix products: Conv, MatMul and Gemm, as integer weights on [C, H, W]."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelWarning
from fat_fpga.network.layers import IntArray, Shape
from fat_fpga.network.lowering.constants import Array
from fat_fpga.network.lowering.graph import Graph, Node, attributes, label, refuse
from fat_fpga.network.lowering.layout import Layout

MATRIX = ("Conv", "MatMul", "Gemm")
Padding = tuple[int, int, int, int]
"""Top, left, bottom, right."""


@dataclass(frozen=True, eq=False)
class Product:
    """A matrix product whose thresholds are still to be found.

    Attributes:
        weights: int32 [M, C / groups, KH, KW].
        scale: float32 [M], real value of one integer step of each output channel's weights.
        bias: float32 [M], added to the real accumulator; None if there is none.
        datatype: QONNX datatype of the weights, where the file tells.
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


def read_product(node: Node, graph: Graph, layout: Layout, zeros: Padding = (0, 0, 0, 0)) -> Product:
    """Read a Conv, MatMul or Gemm whose moving input has ``layout``; ModelError says what is not supported.

    Args:
        zeros: top, left, bottom, right; zeros that a Pad in front has added around a convolution's input.
    """
    if len(graph.moving(node)) != 1 or node.input[0] in graph.constants:
        raise refuse(
            node, "expected an activation times constant weights: products of two activations are not supported"
        )
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
    if node.op_type == "Conv":
        return _convolution(node, weights, scale, bias, constant.datatype, layout, zeros)
    options = attributes(node)
    if options.get("alpha", 1.0) != 1.0 or options.get("beta", 1.0) != 1.0 or options.get("transA"):
        raise refuse(node, "alpha and beta must be 1, and transA 0: take Linear, or MatMul and Add")
    if weights.ndim != 2:
        raise refuse(node, f"its weights must be a matrix, got {list(weights.shape)}")
    if options.get("transB"):
        weights, scale = weights.T, scale.T
    if not layout.is_flat or weights.shape[0] != layout.index.size:
        raise refuse(
            node,
            f"its weights {list(weights.shape)} do not fit an input of {list(layout.index.shape)}: flatten it first",
        )
    ordered = np.empty((weights.shape[1], weights.shape[0]), np.int32)
    ordered[:, layout.index.ravel()] = weights.T
    if bias is not None and bias.ndim == 2 and np.any(bias != bias[:1]):
        raise refuse(node, "its bias differs between the images of a batch: export the model with a batch of 1")
    if bias is not None:
        bias = bias[:1] if bias.ndim == 2 else bias
        bias = np.broadcast_to(bias, (1, len(ordered)))[0]
    return Product(node, "fc", ordered.reshape(-1, *layout.shape), _by_channel(node, scale.T), bias, constant.datatype)


def _convolution(
    node: Node,
    weights: IntArray,
    scale: Array,
    bias: Array | None,
    datatype: str | None,
    layout: Layout,
    zeros: Padding,
) -> Product:
    options = attributes(node)
    if weights.ndim != 4:
        raise refuse(
            node,
            f"expected a two-dimensional convolution, got weights {list(weights.shape)}: take Conv2d, "
            "with height 1 for a one-dimensional one",
        )
    if not layout.is_image:
        raise refuse(
            node,
            f"expected activations [N, C, H, W], got the axes of an image {list(layout.shape)} in another order: "
            "export the model with channels first",
        )
    groups, dilations = options.get("group", 1), options.get("dilations", [1, 1])
    if groups < 1 or weights.shape[0] % groups:
        raise refuse(node, f"its {weights.shape[0]} output channels do not make {groups} groups")
    if tuple(options.get("kernel_shape", weights.shape[2:])) != weights.shape[2:]:
        raise refuse(node, f"its kernel_shape {options['kernel_shape']} is not that of its weights {weights.shape}")
    strides = options.get("strides", [1, 1])
    rows, columns = ((size - 1) * d + 1 for size, d in zip(weights.shape[2:], dilations, strict=True))
    own = padding_of(node, (rows, columns), (strides[0], strides[1]), layout.shape, zeros)
    top, left, bottom, right = (size + added for size, added in zip(own, zeros, strict=True))
    scales = _by_channel(node, scale)
    c, h, w = layout.shape
    if weights.shape[1] * groups != c or h + top + bottom < rows or w + left + right < columns:
        of = "" if groups == 1 else f" in {groups} groups"
        raise refuse(
            node, f"its weights {list(weights.shape)}{of} do not fit an input of {[c, h, w]}: is that channels first?"
        )
    stride = (strides[0], strides[1])
    dilation = (dilations[0], dilations[1])
    padding = (top, left, bottom, right)
    return Product(node, "conv", weights, scales, bias, datatype, stride, padding, groups, dilation)


def padding_of(
    node: Node, kernel: tuple[int, int], stride: tuple[int, int], shape: Shape, zeros: Padding = (0, 0, 0, 0)
) -> Padding:
    """Padding of a Conv or MaxPool on activations of ``shape``, with ``zeros`` already around them."""
    options = attributes(node)
    automatic = options.get("auto_pad", "NOTSET")
    if automatic in ("SAME_UPPER", "SAME_LOWER"):  # as many results as strides fit, the odd zero after or before
        sizes = shape[1] + zeros[0] + zeros[2], shape[2] + zeros[1] + zeros[3]
        missing = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(sizes, kernel, stride, strict=True)]
        half = [(n + (automatic == "SAME_LOWER")) // 2 for n in missing]
        return half[0], half[1], missing[0] - half[0], missing[1] - half[1]
    if automatic not in ("NOTSET", "VALID"):
        raise refuse(node, f"unknown auto_pad {automatic}: give pads")
    top, left, bottom, right = options.get("pads", (0, 0, 0, 0)) if automatic == "NOTSET" else (0, 0, 0, 0)
    if min(top, left, bottom, right) < 0:
        raise refuse(node, f"negative pads are not supported: {options['pads']}")
    return top, left, bottom, right


def _by_channel(node: Node, scale: Array) -> npt.NDArray[np.float32]:
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
