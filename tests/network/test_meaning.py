"""What a file says beyond names of operators: modes, element types, domains, layouts, outputs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fat_fpga.errors import ModelError, ModelWarning
from fat_fpga.network import load_network
from fat_fpga.network.lowering.walk import lower
from tests.designs.against_qonnx import check_scores
from tests.designs.float_graph import GraphBuilder

RNG = np.random.default_rng(0)


def start(shape: tuple[int | str, ...] = (1, 2, 6, 6), bits: int = 8, scale: float = 1 / 128) -> GraphBuilder:
    builder = GraphBuilder(shape)
    builder.quant(scale, bits)
    return builder


def product(builder: GraphBuilder, channels: int = 2, name: str = "the_conv") -> GraphBuilder:
    builder.node("Conv", builder.quant(1.0, 3, first=RNG.normal(0, 1, (4, channels, 3, 3))), name=name)
    return builder


def finish(builder: GraphBuilder, inputs: int = 64, outputs: int = 3) -> GraphBuilder:
    builder.quant(1.0, 3)
    builder.node("Flatten", axis=1)
    weights = builder.quant(1.0, 3, first=RNG.normal(0, 1, (inputs, outputs)))
    builder.node("MatMul", weights, name="the_matmul")
    return builder


def between(operator: str, *parameters: Any, outputs: int = 1, domain: str | None = None, **attributes: Any) -> Any:
    builder = product(start())
    builder.node(operator, *parameters, name="culprit", **attributes)
    builder.nodes[-1].output.extend(f"extra{i}" for i in range(1, outputs))
    if domain is not None:
        builder.nodes[-1].domain = domain
    return finish(builder)


def refusal(model: onnx.ModelProto, **arguments: Any) -> str:
    with pytest.raises(ModelError) as caught:
        lower(model, "network", **arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# modes


def test_dropout_is_off_and_is_not_taken_for_it() -> None:
    ratio = np.float32(0.5)
    for training in (False, None):
        builder = product(start())
        more = [] if training is None else [builder.constant(training, np.bool_)]
        builder.node("Dropout", ratio, *more)
        check_scores(finish(builder).model())
    builder = product(start())
    builder.node("Dropout", ratio, builder.constant(True, np.bool_), name="culprit")
    message = refusal(finish(builder).model())
    assert message.startswith("node 'culprit' (Dropout): it is in training mode: export the model in evaluation mode")


NORM = [np.ones(4)] * 4


@pytest.mark.parametrize(
    ("opset", "outputs", "attributes", "reason"),
    [
        (9, 5, {}, "it is in training mode"),
        (15, 3, {"training_mode": 1}, "it is in training mode"),
        (8, 1, {"spatial": 0}, "with spatial 0 its parameters differ"),
    ],
)
def test_batch_norm_in_other_modes(opset: int, outputs: int, attributes: dict[str, Any], reason: str) -> None:
    message = refusal(between("BatchNormalization", *NORM, outputs=outputs, **attributes).model(opset))
    assert message.startswith(f"node 'culprit' (BatchNormalization): {reason}")


def test_random_numbers_are_no_constants() -> None:
    builder = start((1, 12))
    weights = helper.make_node("RandomNormal", [], ["weights"], "culprit", shape=[12, 3])
    builder.nodes.append(weights)
    builder.node("MatMul", builder.quant(1.0, 3, first="weights"))
    assert refusal(builder.model()).startswith("node 'culprit' (RandomNormal): it draws random numbers")


def test_hardware_layers_of_finn() -> None:
    message = refusal(between("Lookup_hls", domain="finn.custom_op.fpgadataflow.hls").model())
    assert message.startswith("node 'culprit' (Lookup_hls): it is a hardware layer of FINN that is not supported")
    message = refusal(between("MVAU_hls", domain="finn.custom_op.fpgadataflow.hls").model())
    assert message.startswith("node 'culprit' (MVAU_hls): its input 1 must be a constant in the file")


# element types of the input


@pytest.mark.parametrize("name", ["UINT8", "UINT16", "INT16", "INT32", "INT64", "UINT32", "UINT64"])
def test_integer_pixels_are_raw(name: str) -> None:
    builder = GraphBuilder([1, 2, 6, 6])
    builder.inputs = [helper.make_tensor_value_info("image", TensorProto.DataType.Value(name), [1, 2, 6, 6])]
    builder.node("Cast", to=TensorProto.FLOAT)
    builder.quant(4.0, 6, signed=0)
    network = check_scores(finish(product(builder)).model(), raw=True)
    assert network.input.max == 63
    assert "it takes raw pixels" in refusal(finish(product(builder)).model(), pixels="unit")


@pytest.mark.parametrize("name", ["FLOAT16", "DOUBLE", "BOOL", "BFLOAT16", "STRING"])
def test_types_that_hold_no_pixels(name: str) -> None:
    builder = finish(product(start()))
    builder.inputs = [helper.make_tensor_value_info("image", TensorProto.DataType.Value(name), [1, 2, 6, 6])]
    message = refusal(builder.model())
    assert message.startswith(f"input 'image' is of type {name}, expected FLOAT or an integer type: export")


def test_integers_that_are_not_cast() -> None:
    builder = GraphBuilder([1, 12])
    builder.inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 12])]
    builder.node("MatMul", np.eye(12, 3), name="culprit")
    assert "'culprit' (MatMul): activations of type uint8 reach it: cast them" in refusal(builder.model())
    builder = GraphBuilder([1, 12])
    builder.inputs = [helper.make_tensor_value_info("image", TensorProto.INT32, [1, 12])]
    builder.node("Mul", 0.5, name="culprit")
    assert "'culprit' (Mul): it computes on int32: cast to float32 first" in refusal(_dense(builder).model())


def test_quantisers_take_integers_as_they_are() -> None:
    builder = GraphBuilder([1, 12])
    builder.inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 12])]
    builder.node("Cast", to=TensorProto.INT32)
    builder.quant(8.0, 5, signed=0)
    check_scores(_dense(builder).model(), raw=True)


def _dense(builder: GraphBuilder, outputs: int = 3) -> GraphBuilder:
    weights = builder.quant(1.0, 3, first=RNG.normal(0, 1, (12, outputs)))
    builder.node("MatMul", weights, name="the_matmul")
    return builder


# pixels


@pytest.mark.parametrize(("operator", "value"), [("Div", 255.0), ("Div", 256.0), ("Mul", 1 / 255), ("Mul", 1 / 256)])
@pytest.mark.parametrize("constant_node", [False, True])
def test_a_file_that_divides_pixels_takes_raw_ones(operator: str, value: float, constant_node: bool) -> None:
    builder = GraphBuilder([1, 12])
    builder.node("Identity")
    if constant_node:
        builder.nodes.append(helper.make_node("Constant", [], ["divisor"], value_float=value))
        builder.node(operator, "divisor")
    else:
        builder.node(operator, value)
    builder.quant(1 / 128, 8)
    model = _dense(builder).model()
    network = check_scores(model, raw=True)
    assert network.input.max >= 127
    assert lower(model, "network", "raw").fingerprint == network.fingerprint
    with pytest.warns(ModelWarning, match="reach only [12] of the 256 levels"):
        lower(model, "network", "unit")


@pytest.mark.parametrize(("operator", "value"), [("Div", 2.0), ("Mul", 2.0), ("Sub", 0.5), ("Mul", 1 / 254)])
def test_other_arithmetic_leaves_pixels_alone(operator: str, value: float) -> None:
    builder = GraphBuilder([1, 12])
    builder.node(operator, value)
    builder.quant(2.0**-16 if value < 0.1 else 1 / 128, 8)
    check_scores(_dense(builder).model(), raw=False)


def test_pixels_that_reach_a_handful_of_levels() -> None:
    model = _dense(start((1, 12), scale=1.0)).model()
    message = refusal(model)
    assert message.startswith("node 'the_matmul' (MatMul): pixels divided by 255 reach only 2 of the 256 levels")
    assert message.endswith("with --pixels raw, unit or none, or with --normalise (pixels=... in Python)")
    with pytest.warns(ModelWarning, match="pixels divided by 255 reach only 2 of the 256 levels"):
        lower(model, "network", "unit")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lower(model, "network", "raw")
        lower(_dense(start((1, 12), bits=2, scale=1.0)).model(), "network")
        builder = GraphBuilder([1, 12])
        builder.node("BipolarQuant", 1.0)
        lower(_dense(builder).model(), "network")


def test_pixels_that_are_all_one_level() -> None:
    """Pixels less 128, divided by 128, as for MobileNet: a file of raw pixels, whatever its input's width."""
    builder = GraphBuilder([1, 12])
    builder.node("Sub", 128.0)
    builder.node("Div", 128.0)
    builder.quant(0.125, 4)
    model = _dense(builder).model()
    assert "pixels divided by 255 reach only 1 of the 16 levels" in refusal(model)
    check_scores(model, raw=True, pixels="raw")


def test_speech_features_are_no_pixels() -> None:
    path = Path(__file__).parents[2].parent / "shared" / "data" / "models" / "mlperf_kws_mlp_w3a3.onnx"
    if not path.is_file():
        pytest.skip("the file is not at hand")
    with pytest.raises(ModelError, match=r"pixels divided by 255 reach only \d of the 255 levels"):
        load_network(path)


# domains and layouts


@pytest.mark.parametrize("domain", ["", "finn.custom_op.general", "onnx.brevitas", "qonnx.custom_op.general"])
def test_domains_that_quantisers_have_had(domain: str) -> None:
    model = finish(product(start())).model()
    expected = check_scores(model).fingerprint
    for node in model.graph.node:
        if node.op_type == "Quant":
            node.domain = domain
    assert lower(model, "network").fingerprint == expected


def test_other_operators_with_the_channels_last() -> None:
    builder = product(start())
    builder.node("MultiThreshold", np.zeros((1, 1)))
    builder.nodes[-1].domain = "qonnx.custom_op.channels_last"
    message = refusal(finish(builder).model())
    assert (
        "(MultiThreshold): of the channels-last operators (domain qonnx.custom_op.channels_last), Conv, Max" in message
    )


def test_onnxruntimes_own_quantisers() -> None:
    """As its static quantisation writes them for 4 and 16 bits in files of opset 20 and before."""
    builder = product(start())
    builder.node("QuantizeLinear", 0.5, builder.constant(0, np.int16), name="culprit")
    builder.nodes[-1].domain = "com.microsoft"
    message = refusal(builder.model())
    assert message.startswith("node 'culprit' (QuantizeLinear): onnxruntime's own form of it is not supported (domain")
    assert "quantise a file of opset 21 or later" in message


def test_onnxruntimes_own_quantisers_of_8_bits_are_the_standard_ones() -> None:
    builder = product(start())
    for operator in ("QuantizeLinear", "DequantizeLinear"):
        builder.node(operator, 0.5, builder.constant(0, np.int8))
    model = finish(builder).model()
    expected = lower(model, "network").fingerprint
    for node in model.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            node.domain = "com.microsoft"
    assert lower(model, "network").fingerprint == expected


@pytest.mark.parametrize("operator", ["FloatQuant", "Debug"])
def test_operators_of_qonnx_that_are_not_read(operator: str) -> None:
    builder = product(start())
    builder.node(operator)
    builder.nodes[-1].domain = "qonnx.custom_op.general"
    message = refusal(finish(builder).model())
    assert message.endswith(f"({operator}): unsupported operator of the domain 'qonnx.custom_op.general'")


@pytest.mark.parametrize("operator", ["Relu", "Quant", "Flatten", "ArgMax"])
def test_domains_that_nobody_knows(operator: str) -> None:
    builder = finish(product(start()))
    builder.node("Relu")
    builder.node("ArgMax", axis=1)
    next(node for node in builder.nodes if node.op_type == operator).domain = "com.example"
    assert f"({operator}): unsupported operator: none of this name is known from the domain 'com.example'" in refusal(
        builder.model()
    )


def test_thresholds_of_a_channels_last_layout() -> None:
    rows = np.sort(RNG.normal(0, 3, (4, 7)), axis=1)
    builder = product(start())  # a tensor [1, 4, 4, 4]: either axis fits
    builder.node("Transpose", perm=[0, 2, 3, 1])
    builder.node("MultiThreshold", rows, out_dtype="UINT3", data_layout="NHWC")
    builder.node("Transpose", perm=[0, 3, 1, 2])
    builder.node("Flatten", axis=1)
    builder.node("MatMul", builder.quant(1.0, 3, first=RNG.normal(0, 1, (64, 3))))
    check_scores(builder.model())
    builder = product(start())
    builder.node("MultiThreshold", rows, name="culprit", out_dtype="UINT3", data_layout="NHWC")
    message = refusal(finish(builder).model())
    assert message == (
        "node 'culprit' (MultiThreshold): its parameters differ between the pixels of a channel: take one for the "
        "tensor or for each channel"
    )


def test_an_image_with_channels_last() -> None:
    builder = GraphBuilder([1, 6, 6, 2])
    builder.quant(1 / 128, 8)
    builder.node("Transpose", perm=[0, 3, 1, 2])
    assert lower(finish(product(builder)).model(), "network").input.shape == (2, 6, 6)


def test_an_image_of_one_channel_is_the_same_in_either_order() -> None:
    builder = GraphBuilder([1, 6, 6, 1])
    builder.node("Reshape", builder.constant([1, 1, 6, 6], np.int64))
    builder.quant(1 / 128, 8)
    assert check_scores(finish(product(builder, 1)).model()).input.shape == (1, 6, 6)


# outputs


def _choice(builder: GraphBuilder, operator: str, *outputs: str, **attributes: Any) -> onnx.ModelProto:
    more = [builder.constant([1], np.int64)] if operator == "TopK" else []
    builder.node(operator, *more, name="culprit", **attributes)
    if operator == "TopK":
        builder.nodes[-1].output.append("indices")
    model = builder.model()
    del model.graph.output[:]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs)
    return model


def test_the_choice_among_one_score_is_refused() -> None:
    builder = finish(product(start()), outputs=1)
    builder.node("ArgMax", axis=1, name="the_choice")
    message = refusal(builder.model())
    assert message == (
        "node 'the_choice' (ArgMax): there is one score only, which is not chosen among: export the model without it"
    )


def test_outputs_that_are_left_out_are_told() -> None:
    builder = finish(product(start()))
    features, scores = builder.nodes[-3].output[0], builder.tensor
    with pytest.warns(ModelWarning) as caught:
        lower(_choice(builder, "Identity", features, "tensor7"), "network")
    assert [str(w.message) for w in caught] == [
        f"the file's output '{features}' is left out: only the class scores are looked at"
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        builder = finish(product(start()))
        lower(_choice(builder, "TopK", scores, "tensor7", "indices"), "network")


def test_the_largest_score_is_not_its_class() -> None:
    message = refusal(_choice(finish(product(start())), "TopK", "tensor7"))
    assert message.startswith("its output 'tensor7' is not the end of the chain")
    builder = product(start())
    builder.quant(1.0, 3)
    builder.node("MaxPool", kernel_shape=[2, 2])
    builder.nodes[-1].output.append("indices")
    builder.node("Identity", first="indices")
    builder.tensor = "indices"
    assert "its input 'indices' is a second output" in refusal(finish(builder, 36).model())


def test_the_choice_is_among_all_classes() -> None:
    for axis, refused in ((1, False), (-1, True)):
        builder = product(start())
        builder.quant(1.0, 3)
        builder.node("Conv", builder.quant(1.0, 3, first=RNG.normal(0, 1, (3, 4, 4, 4))))
        builder.node("ArgMax", axis=axis, keepdims=1, name="culprit")
        builder.node("Flatten", axis=1)
        builder.node("Cast", to=TensorProto.INT32)
        if refused:
            assert "'culprit' (ArgMax): expected the choice among all classes" in refusal(builder.model())
        else:
            assert len(lower(builder.model(), "network").units) == 2


# the graph


def test_graphs_within_nodes_sparse_tensors_and_two_versions() -> None:
    model = finish(product(start())).model()
    branch = helper.make_graph([helper.make_node("Identity", ["tensor2"], ["out"])], "branch", [], [])
    builder = product(start())
    builder.nodes.append(
        helper.make_node("If", [builder.constant(True, np.bool_)], ["either"], "culprit", then_branch=branch)
    )
    builder.tensor = "either"
    assert "'culprit' (If): graphs within a node are not supported" in refusal(finish(builder).model())
    sparse = onnx.SparseTensorProto(values=numpy_helper.from_array(np.ones(1, np.float32), "sparse"), dims=[4])
    model.graph.sparse_initializer.append(sparse)
    assert "sparse initialisers" in refusal(model)
    model = finish(product(start())).model()
    model.opset_import.append(helper.make_opsetid("ai.onnx", 9))
    assert "several versions of the standard operators, [9, 13]: convert it to one of them" in refusal(model)


def test_functions_are_opened() -> None:
    body = [helper.make_node("Constant", [], ["c"], value_floats=[0.5]), helper.make_node("Mul", ["x", "c"], ["y"])]
    function = helper.make_function("local", "Halve", ["x"], ["y"], body, [helper.make_opsetid("", 13)])
    model = between("Halve", domain="local").model()
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("local", 1))
    plain = lower(model, "network")
    assert [layer.name for layer in plain.layers] == ["conv0", "fc1"]


@pytest.mark.parametrize(
    "attributes",
    [{"value_float": 0.5}, {"value_floats": [0.5]}, {"value": numpy_helper.from_array(np.array(0.5, np.float32))}],
)
def test_the_forms_of_a_constant(attributes: dict[str, Any]) -> None:
    builder = product(start())
    builder.nodes.append(helper.make_node("Constant", [], ["half"], **attributes))
    builder.node("Mul", "half")
    check_scores(finish(builder).model())
    builder.nodes.append(helper.make_node("Constant", [], ["text"], value_string="half"))
    assert "(Constant): expected its value in one of value, value_float" in refusal(builder.model())


def test_parameters_that_are_inputs_of_the_graph_too() -> None:
    model = finish(product(start())).model()
    expected = lower(model, "network").fingerprint
    for tensor in model.graph.initializer:
        model.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    assert lower(model, "network").fingerprint == expected


def test_weights_in_a_file_beside(tmp_path: Path) -> None:
    model, path = finish(product(start())).model(), tmp_path / "network.onnx"
    expected = lower(model, "network").fingerprint
    onnx.save(model, path, save_as_external_data=True, location="network.data", size_threshold=0)
    assert load_network(path).fingerprint == expected
    (tmp_path / "network.data").write_bytes((tmp_path / "network.data").read_bytes()[:99])
    for change, message in (
        (lambda: None, r"network\.onnx: its weights in the file 'network\.data' are damaged: "),
        ((tmp_path / "network.data").unlink, r"network\.onnx: its weights are in the file 'network\.data', which must"),
    ):
        do: Callable[[], Any] = change
        do()
        with pytest.raises(ModelError, match=message) as caught:
            load_network(path)
        assert "\n" not in str(caught.value)


def test_values_that_a_convolution_or_pool_does_not_have_as_it_says() -> None:
    for attributes, reason in (
        ({"kernel_shape": [2, 3]}, "its kernel_shape [2, 3] is not that of its weights"),
        ({"pads": [-1, 0, 0, 0]}, "negative pads are not supported"),
    ):
        builder = start()
        builder.node("Conv", builder.quant(1.0, 3, first=RNG.normal(0, 1, (4, 2, 3, 3))), name="culprit", **attributes)
        assert f"'culprit' (Conv): {reason}" in refusal(finish(builder).model())


def test_auto_pad_valid_has_no_padding() -> None:
    builder = start()
    builder.node("Conv", builder.quant(1.0, 3, first=RNG.normal(0, 1, (4, 2, 3, 3))), auto_pad="VALID")
    check_scores(finish(builder).model())
