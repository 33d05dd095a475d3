"""Writing the integer network as a QONNX file in FINN form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from fat_fpga import __version__
from fat_fpga.errors import ModelError
from fat_fpga.files import replacing
from fat_fpga.network.bounds import Lattice, lattice
from fat_fpga.network.datatypes import smallest_type
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import (
    Add,
    AffineScores,
    Concat,
    Input,
    IntArray,
    Layer,
    MajorityVote,
    MatrixVectorUnit,
    MaxPool,
    OrderedScores,
    Requantise,
    Scores,
    Shape,
    SumPool,
    Table,
    Thresholding,
)
from fat_fpga.network.levels import Levels
from fat_fpga.network.network import INPUT as STREAM
from fat_fpga.network.network import Network
from fat_fpga.network.words import accumulator_type, counts_bits, unit_weight_type

OPSET = 11
INPUT, OUTPUT = "global_in", "global_out"
MEMORY = "fat_fpga.memory."
"""In front of a tensor's name, the key of the model property that tells which datatype the memory of a threshold tensor
has, where the tensor holds thresholds that are beyond it, too; empty where that follows from the accumulators."""
VALUES = "fat_fpga.input"
"""The key of the model property that says that the input takes other data than pixels."""
OUTPUTS = "fat_fpga.outputs"
"""The key of the model property with the scales of outputs that are no classes, a list in JSON."""
OWN_DOMAIN = "fat_fpga.qonnx_ops"
"""Of the operators MajorityVote, SumPool, Ranks, Table and Requantise; qonnx imports the module of that name."""


def write(network: Network, path: Path) -> None:
    """See `fat_fpga.network.write_qonnx`."""
    data = to_qonnx(network).SerializeToString()
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def to_qonnx(network: Network) -> onnx.ModelProto:
    """The network as an ONNX model; see `fat_fpga.network.write_qonnx`."""
    if network.fault:
        raise ModelError(f"{network.name} has the fault {network.fault} in it: write the network without it")
    writer = _Writer(network)
    for position, layer in enumerate(network.layers):
        writer.read(network.inputs[layer.name][0])
        _write(layer, writer, position)
        writer.made(layer.name)
    return writer.model()


@dataclass(frozen=True)
class _Stream:
    """Where a stream is in the graph.

    Attributes:
        shape: of an image's activations, channels first.
        flat: whether the tensor is [N, C * H * W].
    """

    tensor: str
    shape: Shape
    flat: bool = False


class _Writer:
    """Collects nodes. ``tensor`` is the activation that the next node takes, of ``shape`` without the batch; `read` and
    `made` say which stream that is."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []
        self.values: list[onnx.ValueInfoProto] = []
        self.datatypes: dict[str, str] = {}
        self.properties: dict[str, str] = {}
        self.tensor, self.shape = INPUT, network.input.shape
        self.flat = False
        self._streams: dict[str, _Stream] = {}
        self._quantise(network.input)
        self.made(STREAM)

    def read(self, stream: str) -> str:
        """Go on from a stream; the tensor that it is."""
        found = self._streams[stream]
        self.tensor, self.shape, self.flat = found.tensor, found.shape, found.flat
        return found.tensor

    def made(self, stream: str) -> None:
        """What has been written up to here is a stream."""
        self._streams[stream] = _Stream(self.tensor, self.shape, self.flat)

    def unit(self, unit: MatrixVectorUnit, position: int) -> None:
        """A matrix product and, but for the last layer, its thresholds."""
        shape = self.network.shapes[position]
        weight_type = unit_weight_type(unit)
        source = self.network.source(position)
        if self.network.is_matrix(position):
            self._flatten(unit.name)
            matrix = unit.weights.reshape(unit.channels, -1).T
            weights = self._constant(f"{unit.name}_weights", matrix, weight_type)
            self._node("MatMul", unit.name, [self.tensor, weights])
        else:
            if self.flat:
                self._image(unit.name)
            weights = self._constant(f"{unit.name}_weights", unit.weights, weight_type)
            options = {"kernel_shape": unit.kernel, "strides": unit.stride, "pads": unit.padding}
            self._node("Conv", unit.name, [self.tensor, weights], group=unit.groups, dilations=unit.dilation, **options)
        self.shape = shape
        counting = counts_bits(unit, source)
        reach = lattice(unit, source)
        sums = smallest_type(int(reach.low.min()), int(reach.high.max()))
        self._value([1, *self._dims()], sums if counting else accumulator_type(unit, source))
        if unit.levels is not None and unit.thresholds is not None:
            self._thresholds(f"{unit.name}_thresholds", _as_floats(unit, reach), unit.levels, unit.threshold_type)

    def pool(self, layer: MaxPool, position: int) -> None:
        """A max-pool; the datatype stays."""
        datatype = self.datatypes[self.tensor]
        name = layer.name.replace(".", "_")
        self._node("MaxPool", name, [self.tensor], kernel_shape=layer.kernel, strides=layer.stride, pads=layer.padding)
        self.shape = self.network.shapes[position]
        self._value([1, *self.shape], datatype)

    def vote(self, layer: MajorityVote, position: int) -> None:
        """A majority vote; the datatype stays."""
        datatype = self.datatypes[self.tensor]
        name = layer.name.replace(".", "_")
        self._node("MajorityVote", name, [self.tensor], domain=OWN_DOMAIN, sources=layer.sources.ravel().tolist())
        self.shape = self.network.shapes[position]
        self._value([1, *self._dims()], datatype)

    def join(self, layer: Add | Concat, operator: str, **options: int) -> None:
        """An operator on several streams, each times the size of its factor."""
        together = any(self._streams[stream].flat for stream in layer.inputs)
        terms = []
        for number, (stream, factor) in enumerate(zip(layer.inputs, layer.factors, strict=True)):
            self.read(stream)
            if together:
                self._flatten(f"{layer.name}_{number}")
            if abs(factor) != 1:
                size = np.array(abs(factor))
                constant = self._constant(f"{layer.name}_factor{number}", size, smallest_type(0, int(size)))
                self._node("Mul", f"{layer.name}_times{number}", [self.tensor, constant])
                self._value([1, *self._dims()])
            terms.append(self.tensor)
        self._node(operator, layer.name, terms, **options)
        self.shape = self.network.shape_of[layer.name]
        self._value([1, *self._dims()], self.network.levels_of[layer.name].stored_as)

    def thresholding(self, layer: Thresholding) -> None:
        """Thresholds on a stream."""
        name = layer.name.replace(".", "_")
        self._thresholds(name, layer.thresholds.astype(np.float64), layer.levels, layer.threshold_type)

    def table(self, layer: Table) -> None:
        """A table: its integers are stored as such, as they may be beyond what float32 holds."""
        levels = layer.levels
        options = {"base": levels.base, "step": levels.step, "count": levels.count, "out_dtype": levels.stored_as}
        self._own(layer, {"starts": layer.starts, "values": layer.values}, options, levels.stored_as)

    def requantise(self, layer: Requantise) -> None:
        """Fixed point."""
        options = {"shift": layer.shift, "low": layer.low, "high": layer.high, "rounding": layer.rounding}
        datatype = self.network.levels_of[layer.name].stored_as
        self._own(layer, {"factors": layer.factors, "offsets": layer.offsets}, options, datatype)

    def _own(self, layer: Layer, arrays: dict[str, IntArray], options: dict[str, Any], datatype: str) -> None:
        """An operator of ours on a stream, with integers."""
        name = layer.name.replace(".", "_")
        stored = [f"{name}_{array}" for array in arrays]
        for constant, values in zip(stored, arrays.values(), strict=True):
            self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), constant))
        self._node(type(layer).__name__, name, [self.tensor, *stored], domain=OWN_DOMAIN, **options)
        self._value([1, *self._dims()], datatype)

    def scores(self, layer: Scores) -> None:
        """Ranks of sums."""
        low, high = int(layer.ranks.min()), int(layer.ranks.max())
        self._flatten(layer.name)
        ranks = self._constant(f"{layer.name}_ranks", layer.ranks, smallest_type(low, high))
        self._node("Ranks", layer.name, [self.tensor, ranks], domain=OWN_DOMAIN, low=layer.low)
        self._value([1, *self._dims()], smallest_type(low, high))

    def affine_scores(self, layer: AffineScores) -> None:
        """A factor and an offset for each class, as an operator of ours, exact beyond what float32 holds."""
        self._flatten(layer.name)
        self._own(layer, {"factors": layer.factors, "offsets": layer.offsets}, {}, "INT32")

    def ordered_scores(self, layer: OrderedScores) -> None:
        """Steps in float32, which are the file's own; what they yield is no integer."""
        self._flatten(layer.name)
        for number, (step, values) in enumerate(zip(layer.steps, layer.numbers, strict=True)):
            name = f"{layer.name}_{number}".replace(".", "_")
            self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), f"{name}_numbers"))
            self._node(step.capitalize(), name, [self.tensor, f"{name}_numbers"])
            self._value([1, *self._dims()])
        self.datatypes[self.tensor] = "FLOAT32"

    def sum_pool(self, layer: SumPool) -> None:
        """Sums over windows."""
        name, levels = layer.name.replace(".", "_"), self.network.levels_of[layer.name]
        more: dict[str, Any] = {"pads": layer.padding} if any(layer.padding) else {}
        more |= {"multiple": layer.multiple} if layer.multiple else {}
        windows = {"kernel_shape": layer.kernel, "strides": layer.stride, **more}
        self._node("SumPool", name, [self.tensor], domain=OWN_DOMAIN, **windows)
        self.shape = self.network.shape_of[layer.name]
        self._value([1, *self.shape], levels.stored_as)

    def model(self) -> onnx.ModelProto:
        """The finished model."""
        datatype = self.datatypes[self.tensor]
        if not self.flat:
            self._flatten("scores")
        del self.datatypes[self.tensor]
        self.nodes[-1].output[0] = OUTPUT
        self.datatypes[OUTPUT] = datatype
        classes = self.network.values
        if self.network.outputs is not None:
            self.properties[OUTPUTS] = json.dumps(self.network.outputs.scales)
        graph = helper.make_graph(
            self.nodes,
            self.network.name or "network",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, *self.network.input.shape])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, classes])],
            initializer=self.constants,
            value_info=[value for value in self.values if value.name != self.tensor],
        )
        for tensor, datatype in self.datatypes.items():
            annotation = onnx.TensorAnnotation(tensor_name=tensor)
            annotation.quant_parameter_tensor_names.add(key="finn_datatype", value=datatype)
            graph.quantization_annotation.append(annotation)
        domains = [helper.make_opsetid("", OPSET), helper.make_opsetid("qonnx.custom_op.general", 1)]
        if any(node.domain == OWN_DOMAIN for node in self.nodes):
            domains.append(helper.make_opsetid(OWN_DOMAIN, 1))
        model = helper.make_model(
            graph, opset_imports=domains, ir_version=8, producer_name="fat_fpga", producer_version=__version__
        )
        helper.set_model_props(model, self.properties)
        return model

    def _quantise(self, source: Input) -> None:
        """Nodes that turn data into the first stream: none for the integers themselves, else thresholds."""
        self.datatypes[INPUT] = source.row_type
        if not source.pixels:
            self.properties[VALUES] = "values"
        try:
            found = source.as_thresholds
        except ModelError as error:
            raise ModelError(f"{self.network.name}: {error}") from error
        if found is None:
            return
        thresholds, sign = found
        if len(thresholds) != self.shape[0]:
            self._flatten("input")
            self.shape = (len(thresholds), 1, 1)
        if np.any(sign < 0):
            factor = self._constant("input_signs", sign.reshape(-1, *[1] * (len(self._dims()) - 1)), "BIPOLAR")
            self._node("Mul", "input_signed", [self.tensor, factor])
            self._value([1, *self._dims()])
        whole = thresholds.dtype.kind != "f"
        self._thresholds("input_thresholds", thresholds, source.levels, words="" if whole else "FLOAT32")
        if self.shape != self.network.input.shape:
            self.shape = self.network.input.shape
            self._image("input")

    def _image(self, name: str) -> None:
        """Bring a flat tensor to its shape [N, C, H, W], in front of what is called ``name``."""
        datatype = self.datatypes.get(self.tensor)
        target = numpy_helper.from_array(np.array([1, *self.shape]), f"{name}_shape")
        self.constants.append(target)
        self._node("Reshape", f"{name}_image", [self.tensor, target.name])
        self._value([1, *self.shape], datatype)
        self.flat = False

    def _thresholds(
        self, name: str, thresholds: npt.NDArray[Any], levels: Levels, memory: str | None = None, words: str = ""
    ) -> None:
        """A MultiThreshold; ``memory`` is the datatype of the memory, None where there is none, empty where it follows
        from the accumulators; ``words`` that of the thresholds, where they are no integers."""
        datatype = levels.stored_as
        words = words or smallest_type(min(int(thresholds.min()), 0), max(int(thresholds.max()), 0))
        constant = self._constant(f"{name}_values", thresholds, words)
        if memory is not None:
            self.properties[MEMORY + constant] = memory
        self._node(
            "MultiThreshold",
            name,
            [self.tensor, constant],
            domain="qonnx.custom_op.general",
            out_dtype=datatype,
            out_scale=float(levels.step),
            out_bias=float(levels.base),
            data_layout="NC" if self.flat else "NCHW",
        )
        self._value([1, *self._dims()], datatype)

    def _flatten(self, name: str) -> None:
        if not self.flat:
            datatype = self.datatypes[self.tensor]
            self._node("Flatten", f"{name}_flatten", [self.tensor], axis=1)
            self.flat = True
            self._value([1, int(np.prod(self.shape))], datatype)

    def _dims(self) -> list[int]:
        return [self.shape[0]] if self.flat else list(self.shape)

    def _constant(self, name: str, values: npt.NDArray[Any], datatype: str) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float32), name))
        self.datatypes[name] = datatype
        return name

    def _node(self, operator: str, name: str, inputs: list[str], **options: Any) -> None:
        self.tensor = f"{name}_out"
        self.nodes.append(helper.make_node(operator, inputs, [self.tensor], name=name, **options))

    def _value(self, shape: list[int], datatype: str | None = None) -> None:
        self.values.append(helper.make_tensor_value_info(self.tensor, TensorProto.FLOAT, shape))
        if datatype:
            self.datatypes[self.tensor] = datatype


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


@singledispatch
def _write(layer: Layer, writer: _Writer, position: int) -> None:
    """Add a layer's nodes."""
    raise no_handler("the writer of QONNX files", layer, ModelError)


@_write.register
def _(layer: MatrixVectorUnit, writer: _Writer, position: int) -> None:
    writer.unit(layer, position)


@_write.register
def _(layer: MaxPool, writer: _Writer, position: int) -> None:
    writer.pool(layer, position)


@_write.register
def _(layer: Add, writer: _Writer, position: int) -> None:
    writer.join(layer, "Add" if layer.factors[1] > 0 else "Sub")


@_write.register
def _(layer: Concat, writer: _Writer, position: int) -> None:
    writer.join(layer, "Concat", axis=1)


@_write.register
def _(layer: Thresholding, writer: _Writer, position: int) -> None:
    writer.thresholding(layer)


@_write.register
def _(layer: Scores, writer: _Writer, position: int) -> None:
    writer.scores(layer)


@_write.register
def _(layer: Table, writer: _Writer, position: int) -> None:
    writer.table(layer)


@_write.register
def _(layer: Requantise, writer: _Writer, position: int) -> None:
    writer.requantise(layer)


@_write.register
def _(layer: AffineScores, writer: _Writer, position: int) -> None:
    writer.affine_scores(layer)


@_write.register
def _(layer: OrderedScores, writer: _Writer, position: int) -> None:
    writer.ordered_scores(layer)


@_write.register
def _(layer: SumPool, writer: _Writer, position: int) -> None:
    writer.sum_pool(layer)


@_write.register
def _(layer: MajorityVote, writer: _Writer, position: int) -> None:
    writer.vote(layer, position)
