"""Rewriting nodes of other forms, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from fat_fpga.network.lowering.forms.binary import bipolar_nodes
from fat_fpga.network.lowering.graph import Node, attributes, blaming, refuse
from fat_fpga.network.lowering.monotone import refusal
from fat_fpga.network.lowering.operators import QONNX_QUANTISERS
from fat_fpga.network.lowering.sizes import tensor_values

QONNX = "qonnx.custom_op.general"
MICROSOFT = "com.microsoft"
"""Where onnxruntime has quantisers of its own, which are the standard ones but for the types that they know."""
OLD_DOMAINS = ("", "ai.onnx", "finn", "finn.custom_op.general")
"""Where the first versions of Brevitas and FINN had qonnx's quantisers."""
DEFAULT_OPSET = 13
"""Version of the standard operators for a file that has none of them."""
FIRST, LAST = {3: (0, 2, 1), 4: (0, 3, 1, 2)}, {3: (0, 2, 1), 4: (0, 2, 3, 1)}
"""Orders of axes that put the channels first, and last, by how many axes there are."""


@dataclass(frozen=True)
class Unfolded:
    """Windows of a tensor with the channels last, side by side along its last axis: what a product makes a convolution.

    Attributes:
        tensor: in front, [N, H, W, C].
        kernel, strides, dilations: of the windows.
        pads: top, left, bottom, right.
        depthwise: whether they are for a product of each channel by itself.
    """

    tensor: str
    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: tuple[int, ...] = (0, 0, 0, 0)
    depthwise: bool = False

    def options(self) -> dict[str, Any]:
        """Attributes of a Conv, or of a pool but for dilations."""
        return {"kernel_shape": self.kernel, "strides": self.strides, "pads": self.pads}


@dataclass
class Rewriter:
    """A graph that is being rewritten.

    Attributes:
        nodes: so far, all standard.
        unfolded: windows that no node stands for yet, by tensor.
        sums: tensors of 32-bit sums in the file, which are read as floats; see ``qoperator``.
        chosen: tensors of integers behind a softmax, which are read as floats, as only their order counts.
        shared: floats of integers that a form has made already, by tensor and zero point.
        bipolar: first outputs of nodes whose bits are -1 and +1 again; see ``binary``.
    """

    model: onnx.ModelProto
    nodes: list[Node] = field(default_factory=list)
    unfolded: dict[str, Unfolded] = field(default_factory=dict)
    sums: set[str] = field(default_factory=set)
    chosen: set[str] = field(default_factory=set)
    shared: dict[tuple[str, str], str] = field(default_factory=dict)
    bipolar: set[str] = field(default_factory=set)
    _made: int = 0
    _axes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        graph = self.model.graph
        self.bipolar = bipolar_nodes(self.model)
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._made_by = {name: node for node in graph.node for name in node.output if node.op_type == "Constant"}
        self.datatypes = {
            a.tensor_name: e.value
            for a in graph.quantization_annotation
            for e in a.quant_parameter_tensor_names
            if e.key == "finn_datatype"
        }
        self._taken = {name for node in graph.node for name in (*node.input, *node.output)} | set(self._constants)

    @property
    def opset(self) -> int:
        """Version of the standard operators."""
        versions = [entry.version for entry in self.model.opset_import if entry.domain in ("", "ai.onnx")]
        return int(versions[0]) if versions else DEFAULT_OPSET

    def constant(self, node: Node, position: int) -> npt.NDArray[Any]:
        """The value of an input that has to be constant."""
        name = node.input[position] if len(node.input) > position else ""
        if name in self._constants:
            return tensor_values(self._constants[name])
        if name in self._made_by:
            return tensor_values(attributes(self._made_by[name])["value"])
        raise refuse(node, f"its input {position} must be a constant in the file, as weights and thresholds of a layer")

    def is_constant(self, name: str) -> bool:
        return name in self._constants or name in self._made_by

    def new(self, name: str) -> str:
        """A name for a tensor that has none yet."""
        self._made += 1
        found = f"{name}.{self._made}"
        return found if found not in self._taken else self.new(name)

    def store(self, values: Any, like: str, datatype: str = "", dtype: Any = np.float32) -> str:
        """Add an initialiser, and name it after another tensor."""
        name, graph = self.new(like), self.model.graph
        graph.initializer.append(numpy_helper.from_array(np.require(values, dtype, "C"), name))
        if datatype:
            annotation = onnx.TensorAnnotation(tensor_name=name)
            annotation.quant_parameter_tensor_names.add(key="finn_datatype", value=datatype)
            graph.quantization_annotation.append(annotation)
        return name

    def emit(
        self, node: Node, operator: str, inputs: Sequence[str], output: str = "", domain: str = "",
        named: bool | None = None, **options: Any,
    ) -> str:  # fmt: skip
        """Add a node that is part of what ``node`` becomes; its output, by default a new one.

        Args:
            named: whether it has the name of ``node``, as what computes; by default where it has its output.
        """
        output = output or self.new(node.output[0])
        named = output == node.output[0] if named is None else named
        name = node.name if named else f"{node.name or node.output[0]}.{operator}"
        self.add(helper.make_node(operator, list(inputs), [output], name=name, domain=domain, **options))
        return output

    def channels_first(self, node: Node, tensor: str, axes: int = 4) -> str:
        return self.emit(node, "Transpose", [tensor], perm=FIRST[axes])

    def channels_last(self, node: Node, tensor: str, axes: int = 4, output: str = "") -> str:
        return self.emit(node, "Transpose", [tensor], output, named=False, perm=LAST[axes])

    def axes_of(self, tensor: str) -> int | None:
        """How many axes a tensor has; None where that is not known."""
        if tensor in self._axes:
            return self._axes[tensor]
        graph = self.model.graph
        for value in (*graph.value_info, *graph.input, *graph.output):
            if value.name == tensor and value.type.tensor_type.HasField("shape"):
                return len(value.type.tensor_type.shape.dim)
        return None

    def last_of(self, tensor: str) -> int:
        """The size of a tensor's last axis; 0 where the file does not say it."""
        graph = self.model.graph
        for value in (*graph.value_info, *graph.input):
            if value.name == tensor and value.type.tensor_type.shape.dim:
                return int(value.type.tensor_type.shape.dim[-1].dim_value)
        return 0

    def add(self, node: Node) -> None:
        """Add a standard node."""
        self.nodes.append(node)
        axes = self.axes_of(node.input[0]) if node.input else None
        if node.op_type in ("Transpose", "Conv"):
            axes = len(attributes(node).get("perm", ())) or axes
        elif node.op_type == "Flatten":
            axes = 2
        elif node.op_type == "Reshape":
            axes = self.constant(node, 1).size if self.is_constant(node.input[1]) else None
        elif node.op_type in ("Squeeze", "Unsqueeze") or not attributes(node).get("keepdims", 1):
            axes = None
        if axes is not None and node.input[0] not in self._constants:
            self._axes.update(dict.fromkeys(node.output, axes))

    def same(self, node: Node) -> None:
        """``node`` changes nothing; all of its outputs are its input."""
        for output in node.output:
            if node.input[0] in self.unfolded:
                self.unfolded[output] = self.unfolded[node.input[0]]
            else:
                self.emit(node, "Identity", [node.input[0]], output)

    def multithreshold(
        self, node: Node, tensor: str, thresholds: npt.NDArray[Any], bias: int, bipolar: bool, output: str,
        layout: str, datatype: str,
    ) -> None:  # fmt: skip
        """Thresholds behind a tensor: levels 0, 1, ... from ``bias`` up, or -1 and +1."""
        stored = self.store(thresholds, node.input[-1])
        options: dict[str, Any] = (
            {"out_scale": 2.0, "out_bias": -1.0} if bipolar else {"out_scale": 1.0, "out_bias": float(bias)}
        )
        self.emit(
            node, "MultiThreshold", [tensor, stored], output, QONNX, out_dtype=datatype, data_layout=layout, **options
        )


Rule = Callable[[Node, Rewriter], None]
"""Adds what a node becomes."""


def rule_of(node: Node) -> Rule | None:
    """How a node is rewritten; None where it stays."""
    from fat_fpga.network.lowering.forms.channels_last import channels_last_rule
    from fat_fpga.network.lowering.forms.hardware import hardware_rule
    from fat_fpga.network.lowering.forms.lowered import lowered_rule
    from fat_fpga.network.lowering.forms.qoperator import qoperator_rule

    if node.op_type in QONNX_QUANTISERS and node.domain in OLD_DOMAINS:
        return _renamed
    if node.domain == MICROSOFT and node.op_type in ("QuantizeLinear", "DequantizeLinear"):
        return _standard
    return channels_last_rule(node) or hardware_rule(node) or lowered_rule(node) or qoperator_rule(node)


def _renamed(node: Node, rewriter: Rewriter) -> None:
    """A quantiser under its present domain, where tools execute it."""
    own = onnx.NodeProto()
    own.CopyFrom(node)
    own.domain = QONNX
    rewriter.add(own)


def _standard(node: Node, rewriter: Rewriter) -> None:
    """A quantiser of onnxruntime, where the file's version of the standard one takes its type, too."""
    last = node.input[2] if len(node.input) > 2 else ""
    wide = rewriter.is_constant(last) and rewriter.constant(node, 2).dtype not in (np.int8, np.uint8, np.int32)
    own = onnx.NodeProto()
    own.CopyFrom(node)
    own.domain = MICROSOFT if wide and rewriter.opset < 21 else ""
    rewriter.add(own)


COMMON = ("MatMul", "MultiThreshold")
"""Operators that most files have, and that are rewritten only beside others."""


def in_standard_form(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, with every node of another form rewritten; the model itself where there is none.

    Raises:
        ModelError: such a node has not what it needs.
    """
    if all(rule_of(node) is None or node.op_type in COMMON for node in model.graph.node):
        return model
    from fat_fpga.network.lowering.forms.qoperator import on_sums

    own = onnx.ModelProto()
    own.CopyFrom(model)
    rewriter = Rewriter(own)
    for node in model.graph.node:
        with blaming(node):
            if node.op_type == "DynamicQuantizeLinear":
                raise refusal(node)
            if on_sums(node, rewriter):
                continue
            rule = rule_of(node)
            if rule is not None:
                rule(node, rewriter)
                continue
            windows = [name for name in node.input if name in rewriter.unfolded]
            if windows:
                raise refuse(node, f"it reads '{windows[0]}', windows for a product: expected MatMul or MVAU there")
            rewriter.add(node)
    del own.graph.node[:]
    own.graph.node.extend(rewriter.nodes)
    if rewriter.bipolar:
        _forget_bits(own, rewriter)
    if all(entry.domain != QONNX for entry in own.opset_import):
        own.opset_import.append(helper.make_opsetid(QONNX, 1))
    if all(entry.domain not in ("", "ai.onnx") for entry in own.opset_import):
        own.opset_import.append(helper.make_opsetid("", DEFAULT_OPSET))
    return own


def _forget_bits(model: onnx.ModelProto, rewriter: Rewriter) -> None:
    """Take away what the file says of streams of bits that are -1 and +1 now."""
    kept = [
        annotation
        for annotation in model.graph.quantization_annotation
        if rewriter.is_constant(annotation.tensor_name)
        or rewriter.datatypes.get(annotation.tensor_name) not in ("BINARY", "UINT1")
    ]
    del model.graph.quantization_annotation[:]
    model.graph.quantization_annotation.extend(kept)
