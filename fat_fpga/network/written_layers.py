"""The nodes that each kind of layer is in a QONNX file."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import numpy_helper

from fat_fpga.errors import ModelError
from fat_fpga.network.bounds import Lattice, lattice
from fat_fpga.network.datatypes import smallest_type
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import (
    Add,
    AffineScores,
    Concat,
    IntArray,
    Layer,
    MajorityVote,
    MatrixVectorUnit,
    MaxPool,
    OrderedScores,
    Requantise,
    Scores,
    Select,
    Shuffle,
    SumPool,
    Table,
    Thresholding,
    Upsample,
    ZeroInsertion,
)
from fat_fpga.network.words import accumulator_type, counts_bits, unit_weight_type
from fat_fpga.network.writer import OWN_DOMAIN, Writer


@singledispatch
def write_layer(layer: Layer, writer: Writer, position: int) -> None:
    """Add the nodes of ``layer``, which is number ``position`` in the writer's network."""
    raise no_handler("the writer of QONNX files", layer, ModelError)


@write_layer.register
def _(unit: MatrixVectorUnit, writer: Writer, position: int) -> None:
    """A matrix product and, but for the last layer, its thresholds."""
    shape = writer.network.shapes[position]
    weight_type = unit_weight_type(unit)
    source = writer.network.source(position)
    if writer.network.is_matrix(position):
        writer.flatten(unit.name)
        matrix = unit.weights.reshape(unit.channels, -1).T
        weights = writer.constant(f"{unit.name}_weights", matrix, weight_type)
        writer.node("MatMul", unit.name, [writer.tensor, weights])
    else:
        if writer.flat:
            writer.image(unit.name)
        weights = writer.constant(f"{unit.name}_weights", unit.weights, weight_type)
        options = {"kernel_shape": unit.kernel, "strides": unit.stride, "pads": unit.padding}
        writer.node("Conv", unit.name, [writer.tensor, weights], group=unit.groups, dilations=unit.dilation, **options)
    writer.shape = shape
    counting = counts_bits(unit, source)
    reach = lattice(unit, source)
    sums = smallest_type(int(reach.low.min()), int(reach.high.max()))
    writer.value([1, *writer.dims()], sums if counting else accumulator_type(unit, source))
    if unit.levels is not None and unit.thresholds is not None:
        writer.thresholds(f"{unit.name}_thresholds", _as_floats(unit, reach), unit.levels, unit.threshold_type)


@write_layer.register
def _(layer: MaxPool, writer: Writer, position: int) -> None:
    """A max-pool; the datatype stays."""
    datatype = writer.datatypes[writer.tensor]
    name = layer.name.replace(".", "_")
    writer.node("MaxPool", name, [writer.tensor], kernel_shape=layer.kernel, strides=layer.stride, pads=layer.padding)
    writer.shape = writer.network.shapes[position]
    writer.value([1, *writer.shape], datatype)


@write_layer.register
def _(layer: MajorityVote, writer: Writer, position: int) -> None:
    """A majority vote; the datatype stays."""
    datatype = writer.datatypes[writer.tensor]
    name = layer.name.replace(".", "_")
    writer.node("MajorityVote", name, [writer.tensor], domain=OWN_DOMAIN, sources=layer.sources.ravel().tolist())
    writer.shape = writer.network.shapes[position]
    writer.value([1, *writer.dims()], datatype)


@write_layer.register
def _(layer: Add, writer: Writer, position: int) -> None:
    """An addition, or a difference."""
    _join(writer, layer, "Add" if layer.factors[1] > 0 else "Sub")


@write_layer.register
def _(layer: Concat, writer: Writer, position: int) -> None:
    """A concatenation of channels."""
    _join(writer, layer, "Concat", axis=1)


@write_layer.register
def _(layer: Thresholding, writer: Writer, position: int) -> None:
    """Thresholds on a stream."""
    name = layer.name.replace(".", "_")
    writer.thresholds(name, layer.thresholds.astype(np.float64), layer.levels, layer.threshold_type)


@write_layer.register
def _(layer: Table, writer: Writer, position: int) -> None:
    """A table: its integers are stored as such, as they may be beyond what float32 holds."""
    levels = layer.levels
    options = {"base": levels.base, "step": levels.step, "count": levels.count, "out_dtype": levels.stored_as}
    _own(writer, layer, {"starts": layer.starts, "values": layer.values}, options, levels.stored_as)


@write_layer.register
def _(layer: Requantise, writer: Writer, position: int) -> None:
    """Fixed point."""
    options = {"shift": layer.shift, "low": layer.low, "high": layer.high, "rounding": layer.rounding}
    datatype = writer.network.levels_of[layer.name].stored_as
    _own(writer, layer, {"factors": layer.factors, "offsets": layer.offsets}, options, datatype)


@write_layer.register
def _(layer: Scores, writer: Writer, position: int) -> None:
    """Ranks of sums."""
    low, high = int(layer.ranks.min()), int(layer.ranks.max())
    writer.flatten(layer.name)
    ranks = writer.constant(f"{layer.name}_ranks", layer.ranks, smallest_type(low, high))
    writer.node("Ranks", layer.name, [writer.tensor, ranks], domain=OWN_DOMAIN, low=layer.low)
    writer.value([1, *writer.dims()], smallest_type(low, high))


@write_layer.register
def _(layer: AffineScores, writer: Writer, position: int) -> None:
    """A factor and an offset for each class, as an operator of ours, exact beyond what float32 holds."""
    writer.flatten(layer.name)
    _own(writer, layer, {"factors": layer.factors, "offsets": layer.offsets}, {}, "INT32")


@write_layer.register
def _(layer: OrderedScores, writer: Writer, position: int) -> None:
    """Steps in float32, which are the file's own; what they yield is no integer."""
    writer.flatten(layer.name)
    for number, (step, values) in enumerate(zip(layer.steps, layer.numbers, strict=True)):
        name = f"{layer.name}_{number}".replace(".", "_")
        writer.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), f"{name}_numbers"))
        writer.node(step.capitalize(), name, [writer.tensor, f"{name}_numbers"])
        writer.value([1, *writer.dims()])
    writer.datatypes[writer.tensor] = "FLOAT32"


@write_layer.register
def _(layer: SumPool, writer: Writer, position: int) -> None:
    """Sums over windows."""
    name, levels = layer.name.replace(".", "_"), writer.network.levels_of[layer.name]
    more: dict[str, Any] = {"pads": layer.padding} if any(layer.padding) else {}
    more |= {"multiple": layer.multiple} if layer.multiple else {}
    windows = {"kernel_shape": layer.kernel, "strides": layer.stride, **more}
    writer.node("SumPool", name, [writer.tensor], domain=OWN_DOMAIN, **windows)
    writer.shape = writer.network.shape_of[layer.name]
    writer.value([1, *writer.shape], levels.stored_as)


@write_layer.register
def _(layer: Upsample, writer: Writer, position: int) -> None:
    """Activations repeated: Resize, as FINN reads it."""
    name, levels = layer.name.replace(".", "_"), writer.network.levels_of[layer.name]
    if writer.flat:
        writer.image(name)
    sizes = {"region": np.empty(0), "factors": np.array([1, 1, *layer.factors])}
    stored = [numpy_helper.from_array(values.astype(np.float32), f"{name}_{what}") for what, values in sizes.items()]
    writer.constants += stored
    options = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    writer.node("Resize", name, [writer.tensor, *(constant.name for constant in stored)], **options)
    writer.shape = writer.network.shape_of[layer.name]
    writer.value([1, *writer.shape], levels.stored_as)


@write_layer.register
def _(layer: Shuffle, writer: Writer, position: int) -> None:
    """Values at other places: a Transpose between two Reshapes."""
    name, levels = layer.name.replace(".", "_"), writer.network.levels_of[layer.name]
    writer.reshape(f"{name}_split", layer.sizes)
    writer.node("Transpose", f"{name}_order", [writer.tensor], perm=[0, *(axis + 1 for axis in layer.order)])
    writer.value([1, *(layer.sizes[axis] for axis in layer.order)], levels.stored_as)
    writer.shape, writer.flat = layer.shape, False
    writer.reshape(name, layer.shape)


@write_layer.register
def _(layer: ZeroInsertion, writer: Writer, position: int) -> None:
    """Zeros between pixels: a transposed convolution of each channel with the one weight 1."""
    name, levels = layer.name.replace(".", "_"), writer.network.levels_of[layer.name]
    if writer.flat:
        writer.image(name)
    channels = writer.shape[0]
    ones = writer.constant(f"{name}_ones", np.ones((channels, 1, 1, 1)), "BINARY")
    options = {"kernel_shape": [1, 1], "strides": layer.stride, "group": channels}
    writer.node("ConvTranspose", name, [writer.tensor, ones], **options)
    writer.shape = writer.network.shape_of[layer.name]
    writer.value([1, *writer.shape], levels.stored_as)


@write_layer.register
def _(layer: Select, writer: Writer, position: int) -> None:
    """Channels, rows and columns, each by a Gather."""
    name, levels = layer.name.replace(".", "_"), writer.network.levels_of[layer.name]
    if writer.flat:
        writer.image(name)
    changed = [axis for axis in (2, 3, 1) if tuple(layer.parts[axis - 1]) != tuple(range(writer.shape[axis - 1]))]
    for axis in changed:
        part = np.array(layer.parts[axis - 1], np.int64)
        writer.constants.append(numpy_helper.from_array(part, f"{name}_axis{axis}"))
        node = name if axis == changed[-1] else f"{name}_along{axis}"
        writer.node("Gather", node, [writer.tensor, f"{name}_axis{axis}"], axis=axis)
        sizes = [len(part) if at == axis else size for at, size in enumerate(writer.shape, start=1)]
        writer.shape = (sizes[0], sizes[1], sizes[2])
        writer.value([1, *writer.shape], levels.stored_as)


def _join(writer: Writer, layer: Add | Concat, operator: str, **options: int) -> None:
    """An operator on several streams, each times the size of its factor."""
    together = any(writer.streams[stream].flat for stream in layer.inputs)
    terms = []
    for number, (stream, factor) in enumerate(zip(layer.inputs, layer.factors, strict=True)):
        writer.read(stream)
        if together:
            writer.flatten(f"{layer.name}_{number}")
        if abs(factor) != 1:
            size = np.array(abs(factor))
            constant = writer.constant(f"{layer.name}_factor{number}", size, smallest_type(0, int(size)))
            writer.node("Mul", f"{layer.name}_times{number}", [writer.tensor, constant])
            writer.value([1, *writer.dims()])
        terms.append(writer.tensor)
    writer.node(operator, layer.name, terms, **options)
    writer.shape = writer.network.shape_of[layer.name]
    writer.value([1, *writer.dims()], writer.network.levels_of[layer.name].stored_as)


def _own(writer: Writer, layer: Layer, arrays: dict[str, IntArray], options: dict[str, Any], datatype: str) -> None:
    """An operator of ours on a stream, with integers."""
    name = layer.name.replace(".", "_")
    stored = [f"{name}_{array}" for array in arrays]
    for constant, values in zip(stored, arrays.values(), strict=True):
        writer.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), constant))
    writer.node(type(layer).__name__, name, [writer.tensor, *stored], domain=OWN_DOMAIN, **options)
    writer.value([1, *writer.dims()], datatype)


def _as_floats(unit: MatrixVectorUnit, reach: Lattice) -> npt.NDArray[np.float64]:
    """Thresholds [M, T] in float32; far from what sums reach they are rounded, which no sum can tell.

    Raises:
        ModelError: float32, in which QONNX files keep thresholds, does not hold one that sums reach.
    """
    assert unit.thresholds is not None
    rounded = unit.thresholds.astype(np.float32).astype(np.float64)
    reached = (unit.thresholds >= reach.low[:, None]) & (unit.thresholds <= reach.high[:, None])
    lost = unit.thresholds[reached & (rounded != unit.thresholds)]
    if lost.size:
        raise ModelError(
            f"{unit.name}: its threshold {int(lost[0])} cannot be written: QONNX files hold thresholds in float32, "
            f"exact up to {2**24}"
        )
    return rounded
