"""A QONNX file in the making: tensors, constants, nodes and their datatypes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from fat_fpga import __version__
from fat_fpga.errors import ModelError
from fat_fpga.network.datatypes import smallest_type
from fat_fpga.network.layers import Input, Shape
from fat_fpga.network.levels import Levels
from fat_fpga.network.network import INPUT as STREAM
from fat_fpga.network.network import Network

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


@dataclass(frozen=True)
class Written:
    """Where a stream is in the graph.

    Attributes:
        shape: of an image's activations, channels first.
        flat: whether the tensor is [N, C * H * W].
    """

    tensor: str
    shape: Shape
    flat: bool = False


class Writer:
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
        self.streams: dict[str, Written] = {}
        self._quantise(network.input)
        self.made(STREAM)

    def read(self, stream: str) -> str:
        """Go on from a stream; the tensor that it is."""
        found = self.streams[stream]
        self.tensor, self.shape, self.flat = found.tensor, found.shape, found.flat
        return found.tensor

    def made(self, stream: str) -> None:
        """What has been written up to here is a stream."""
        self.streams[stream] = Written(self.tensor, self.shape, self.flat)

    def model(self) -> onnx.ModelProto:
        """The finished model."""
        datatype = self.datatypes[self.tensor]
        if not self.flat:
            self.flatten("scores")
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
            self.flatten("input")
            self.shape = (len(thresholds), 1, 1)
        if np.any(sign < 0):
            factor = self.constant("input_signs", sign.reshape(-1, *[1] * (len(self.dims()) - 1)), "BIPOLAR")
            self.node("Mul", "input_signed", [self.tensor, factor])
            self.value([1, *self.dims()])
        whole = thresholds.dtype.kind != "f"
        self.thresholds("input_thresholds", thresholds, source.levels, words="" if whole else "FLOAT32")
        if self.shape != self.network.input.shape:
            self.shape = self.network.input.shape
            self.image("input")

    def image(self, name: str) -> None:
        """Bring a flat tensor to its shape [N, C, H, W], in front of what is called ``name``."""
        self.reshape(f"{name}_image", self.shape)
        self.flat = False

    def reshape(self, name: str, sizes: Sequence[int]) -> None:
        """A Reshape to ``sizes``, the batch not counted; the datatype stays."""
        datatype = self.datatypes.get(self.tensor)
        target = numpy_helper.from_array(np.array([1, *sizes]), f"{name}_shape")
        self.constants.append(target)
        self.node("Reshape", name, [self.tensor, target.name])
        self.value([1, *sizes], datatype)

    def thresholds(
        self, name: str, thresholds: npt.NDArray[Any], levels: Levels, memory: str | None = None, words: str = ""
    ) -> None:
        """A MultiThreshold; ``memory`` is the datatype of the memory, None where there is none, empty where it follows
        from the accumulators; ``words`` that of the thresholds, where they are no integers."""
        datatype = levels.stored_as
        words = words or smallest_type(min(int(thresholds.min()), 0), max(int(thresholds.max()), 0))
        constant = self.constant(f"{name}_values", thresholds, words)
        if memory is not None:
            self.properties[MEMORY + constant] = memory
        self.node(
            "MultiThreshold",
            name,
            [self.tensor, constant],
            domain="qonnx.custom_op.general",
            out_dtype=datatype,
            out_scale=float(levels.step),
            out_bias=float(levels.base),
            data_layout="NC" if self.flat else "NCHW",
        )
        self.value([1, *self.dims()], datatype)

    def flatten(self, name: str) -> None:
        if not self.flat:
            datatype = self.datatypes[self.tensor]
            self.node("Flatten", f"{name}_flatten", [self.tensor], axis=1)
            self.flat = True
            self.value([1, int(np.prod(self.shape))], datatype)

    def dims(self) -> list[int]:
        return [self.shape[0]] if self.flat else list(self.shape)

    def constant(self, name: str, values: npt.NDArray[Any], datatype: str) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float32), name))
        self.datatypes[name] = datatype
        return name

    def node(self, operator: str, name: str, inputs: list[str], **options: Any) -> None:
        self.tensor = f"{name}_out"
        self.nodes.append(helper.make_node(operator, inputs, [self.tensor], name=name, **options))

    def value(self, shape: list[int], datatype: str | None = None) -> None:
        self.values.append(helper.make_tensor_value_info(self.tensor, TensorProto.FLOAT, shape))
        if datatype:
            self.datatypes[self.tensor] = datatype
