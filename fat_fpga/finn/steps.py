"""From a file in FINN form to FINN's hardware layers: named steps, each a function from model to model.

The file is our own (`fat_fpga.network.write_qonnx`): integer weights and thresholds, no float scales. So nothing has
to be streamlined but what FINN itself brings in: the bias of an activation, and the affine correction behind XNOR and
popcount. Each step is FINN's own transformations, in the order that keeps execution bit-exact. Both what a build and
what the finn engine runs is made here.

FINN is imported inside of the functions, behind `fat_fpga.finn.setup.prepare`.
"""

from __future__ import annotations

from typing import Any

from onnx import helper

from fat_fpga.finn.channels_last import cancel, channels_last
from fat_fpga.finn.operators import DOMAIN, VOTER
from fat_fpga.hardening.costs.mvau import one_bit
from fat_fpga.network.writer import OWN_DOMAIN

Model = Any
"""qonnx.core.modelwrapper.ModelWrapper."""


def tidy(model: Model) -> Model:
    """Shapes, datatypes and unique names; the class is the first of the largest scores (TopK)."""
    from qonnx.transformation.insert_topk import InsertTopK

    if not any(node.op_type == "TopK" for node in model.graph.node):
        model = model.transform(InsertTopK(k=1))
    return _tidied(model)


def streamline(model: Model) -> Model:
    """Biases of activations into their thresholds, and nothing else: our files have no float scales."""
    from finn.transformation.streamline import absorb

    return model.transform(absorb.AbsorbScalarBiasIntoMultiThreshold())


def hardening(model: Model) -> Model:
    """Majority votes become voters, FINN operators that work on streams with channels last.

    Where a depthwise convolution has copies of all its channels, a voter without votes in front of it gives a channel
    out as many times: FINN's depthwise unit has one output channel for each input channel.

    It comes before lowering, so that the transpositions around a voter vanish together with those around its
    neighbours.
    """
    for node in [node for node in model.graph.node if node.op_type == "Conv"]:
        _spread(model, node)
    votes = [node for node in model.graph.node if node.op_type == "MajorityVote"]
    for node in votes:
        _to_voter(model, node)
    return _tidied(model) if votes else model


def lower(model: Model) -> Model:
    """Convolutions become window generators and matrix products, channels last; bipolar products XNOR and popcount."""
    from finn.transformation.streamline import absorb
    from finn.transformation.streamline.round_thresholds import RoundAndClipThresholds
    from qonnx.transformation.bipolar_to_xnor import ConvertBipolarMatMulToXnorPopcount
    from qonnx.transformation.general import RemoveUnusedTensors
    from qonnx.transformation.infer_data_layouts import InferDataLayouts
    from qonnx.transformation.infer_datatypes import InferDataTypes
    from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul

    channels_last(model)
    model = model.transform(LowerConvsToMatMul())
    cancel(model)
    for transformation in (
        ConvertBipolarMatMulToXnorPopcount(),
        InferDataTypes(),
        absorb.AbsorbAddIntoMultiThreshold(),
        absorb.AbsorbMulIntoMultiThreshold(),
        RoundAndClipThresholds(),
        absorb.AbsorbScalarMulAddIntoTopK(),
        InferDataLayouts(),
        RemoveUnusedTensors(),
    ):
        model = model.transform(transformation)
    return _tidied(model)


def to_hardware(model: Model, standalone_thresholds: bool = False) -> Model:
    """FINN's hardware layers.

    Args:
        standalone_thresholds: activations in layers of their own, whose thresholds a host can write.
    """
    from finn.transformation.fpgadataflow.convert_to_hw.binary_matrix_vector_activation import (
        InferBinaryMatrixVectorActivation,
    )
    from finn.transformation.fpgadataflow.convert_to_hw.concat import InferConcatLayer
    from finn.transformation.fpgadataflow.convert_to_hw.conv_inp_gen import InferConvInpGen
    from finn.transformation.fpgadataflow.convert_to_hw.duplicate_streams import InferDuplicateStreamsLayer
    from finn.transformation.fpgadataflow.convert_to_hw.elementwise_binary_operation import (
        InferElementwiseBinaryOperation,
    )
    from finn.transformation.fpgadataflow.convert_to_hw.fm_padding import InferFMPadding
    from finn.transformation.fpgadataflow.convert_to_hw.label_select import InferLabelSelectLayer
    from finn.transformation.fpgadataflow.convert_to_hw.pool import InferPool
    from finn.transformation.fpgadataflow.convert_to_hw.quantized_matrix_vector_activation import (
        InferQuantizedMatrixVectorActivation,
    )
    from finn.transformation.fpgadataflow.convert_to_hw.thresholding import InferThresholdingLayer
    from finn.transformation.fpgadataflow.convert_to_hw.vector_vector_activation import InferVectorVectorActivation
    from finn.transformation.move_reshape import RemoveCNVtoFCFlatten
    from finn.transformation.streamline import absorb
    from qonnx.transformation.general import GiveUniqueNodeNames
    from qonnx.transformation.infer_data_layouts import InferDataLayouts
    from qonnx.transformation.infer_datatypes import InferDataTypes
    from qonnx.transformation.infer_shapes import InferShapes

    branches = any(node.op_type in ("Add", "Sub", "Concat") for node in model.graph.node)
    for transformation in (
        *([InferThresholdingLayer()] if standalone_thresholds else []),
        InferBinaryMatrixVectorActivation(),
        InferVectorVectorActivation(),
        InferQuantizedMatrixVectorActivation(),
        InferLabelSelectLayer(),
        InferThresholdingLayer(),
        InferFMPadding(),
        InferPool(),
        InferConvInpGen(),
        *([InferElementwiseBinaryOperation(_joins), InferConcatLayer()] if branches else []),
        RemoveCNVtoFCFlatten(),
        absorb.AbsorbConsecutiveTransposes(),
        InferDuplicateStreamsLayer(),
        GiveUniqueNodeNames(),
        InferDataLayouts(),
        InferDataTypes(),
        InferShapes(),
    ):
        model = model.transform(transformation)
    return model


def specialise(model: Model, part: str) -> Model:
    """For each layer FINN's choice of HLS or RTL on a part."""
    from finn.transformation.fpgadataflow.specialize_layers import SpecializeLayers
    from qonnx.transformation.general import GiveUniqueNodeNames

    return model.transform(SpecializeLayers(part)).transform(GiveUniqueNodeNames())


def minimise(model: Model) -> Model:
    """The narrowest weights, accumulators and thresholds that the values of the weights allow."""
    from finn.transformation.fpgadataflow.minimize_accumulator_width import MinimizeAccumulatorWidth
    from finn.transformation.fpgadataflow.minimize_weight_bit_width import MinimizeWeightBitWidth
    from finn.transformation.streamline.round_thresholds import RoundAndClipThresholds
    from qonnx.custom_op.registry import getCustomOp
    from qonnx.transformation.infer_datatypes import InferDataTypes

    units = {node.name: getCustomOp(node) for node in model.graph.node if node.op_type == "MVAU_hls"}
    weights = {name: unit.get_nodeattr("weightDataType") for name, unit in units.items()}
    for transformation in (
        MinimizeWeightBitWidth(),
        MinimizeAccumulatorWidth(),
        InferDataTypes(),
        RoundAndClipThresholds(),
        MinimizeWeightBitWidth(),
        InferDataTypes(),
    ):
        model = model.transform(transformation)
    for node in model.graph.node:
        if node.name in weights:
            unit = getCustomOp(node)  # now that the widths of sums in front of it are known
            if one_bit(weights[node.name], unit.get_input_datatype(0).bitwidth()):
                unit.set_nodeattr("weightDataType", weights[node.name])
    return model


def _joins(model: Model, node: Any) -> bool:
    """Whether an operator is one of a join: on two streams, or an integer that one is multiplied with."""
    return node.op_type in ("Add", "Sub", "Mul")


def _tidied(model: Model) -> Model:
    from qonnx.transformation.fold_constants import FoldConstants
    from qonnx.transformation.general import (
        GiveReadableTensorNames,
        GiveUniqueNodeNames,
        RemoveStaticGraphInputs,
    )
    from qonnx.transformation.infer_datatypes import InferDataTypes
    from qonnx.transformation.infer_shapes import InferShapes

    for transformation in (
        InferShapes(),
        FoldConstants(),
        GiveUniqueNodeNames(),
        GiveReadableTensorNames(),
        InferDataTypes(),
        RemoveStaticGraphInputs(),
    ):
        model = model.transform(transformation)
    return model


def _spread(model: Model, node: Any) -> None:
    """Give each channel in front of a depthwise convolution of several output channels each out so many times."""
    from onnx import TensorProto

    group = next(attribute for attribute in node.attribute if attribute.name == "group")
    (outputs, size), shape = model.get_tensor_shape(node.input[1])[:2], model.get_tensor_shape(node.input[0])
    if size > 1 or group.i == 1 or outputs == group.i:
        return
    datatype = model.get_tensor_datatype(node.input[0])
    sources = [channel for channel in range(shape[1]) for _ in range(3 * outputs // group.i)]
    sizes = [shape[0], outputs, *shape[2:]]
    value = helper.make_tensor_value_info(model.make_new_valueinfo_name(), TensorProto.FLOAT, sizes)
    model.graph.value_info.append(value)
    model.set_tensor_datatype(value.name, datatype)
    new = helper.make_node("MajorityVote", [node.input[0]], [value.name], domain=OWN_DOMAIN, sources=sources)
    model.graph.node.insert(list(model.graph.node).index(node), new)
    node.input[0], group.i = value.name, outputs


def _to_voter(model: Model, node: Any) -> None:
    """Put a voter in the place of a MajorityVote node, between transpositions where its tensor is [N, C, H, W]."""
    from onnx import TensorProto

    source, target, at = node.input[0], node.output[0], list(model.graph.node).index(node)
    shape = model.get_tensor_shape(source)
    sources = list(next(a for a in node.attribute if a.name == "sources").ints)
    datatype = model.get_tensor_datatype(source)
    image = len(shape) == 4

    def new_tensor(sizes: list[int]) -> str:
        value = helper.make_tensor_value_info(model.make_new_valueinfo_name(), TensorProto.FLOAT, sizes)
        model.graph.value_info.append(value)
        model.set_tensor_datatype(value.name, datatype)
        return str(value.name)

    before = [shape[0], shape[2], shape[3]] if image else [shape[0]]
    rows, behind = source, target
    nodes = []
    if image:
        rows, behind = new_tensor([*before, shape[1]]), new_tensor([*before, len(sources) // 3])
        nodes.append(helper.make_node("Transpose", [source], [rows], perm=[0, 2, 3, 1]))
    nodes.append(
        helper.make_node(
            VOTER, [rows], [behind], domain=DOMAIN, backend="fpgadataflow", sources=sources, NumChannels=shape[1],
            dataType=datatype.name, numInputVectors=before,
        )
    )  # fmt: skip
    if image:
        nodes.append(helper.make_node("Transpose", [behind], [target], perm=[0, 3, 1, 2]))
    model.graph.node.remove(node)
    for offset, new in enumerate(nodes):
        model.graph.node.insert(at + offset, new)
