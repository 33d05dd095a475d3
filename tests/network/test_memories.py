"""Faults in memories and registers against qonnx's execution of the file, with the fault put in by hand.

Nothing of ours makes the right value: a weight or a threshold is another number in the file's constant, an accumulator
is changed between two halves of the graph. What is ours, and under test, is which fault that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from fat_fpga.engines import get
from fat_fpga.faults import Fault, fault_space, memory_fingerprint, parse_fault, places
from fat_fpga.faults.fault import STUCK_BIT
from fat_fpga.faults.register import (
    accumulator_register,
    stored_thresholds,
    threshold_register,
    weight_register,
)
from fat_fpga.network import Network
from fat_fpga.network.lowering.walk import lower
from fat_fpga.network.words import counts_bits
from tests.designs.bits import flipped
from tests.designs.finn_graph import random_finn_graph
from tests.designs.float_graph import GraphBuilder, chooser
from tests.designs.random_network import random_images

Array = npt.NDArray[Any]
IMAGES = 3


def far_thresholds() -> onnx.ModelProto:
    """Pixels x0 and x1; channel 0 is x0 with threshold 400, channel 1 is x0 + x1 with threshold 200."""
    builder = GraphBuilder([1, 2, 1, 1], "UINT8")
    builder.node("Flatten", axis=1)
    builder.node("MatMul", np.array([[1, 1], [0, 1]]))
    builder.node("MultiThreshold", np.array([[400], [200]]), out_dtype="BINARY")
    builder.node("MatMul", np.array([[1, 0], [0, 1]]))
    return builder.model()


@pytest.mark.parametrize(
    ("fault", "levels"),
    [
        ("fc0/accumulator[0].bit[8] ^ 1", (0, 0)),  # 100 + 256 is under 400
        ("fc0/weight[0,1,0,0].bit[0] ^ 1", (0, 0)),  # 100 + 0
        ("fc0/threshold[0,0].bit[8] ^ 1", (0, 0)),  # 400 - 256 = 144 is over 100
        ("fc0/threshold[0,0].bit[8] ^ 1 & fc0/threshold[0,0].bit[7] ^ 1", (1, 0)),  # 400 - 256 - 128 = 16
        ("fc0/accumulator[0].bit[8] ^ 1 & fc0/accumulator[0].bit[7] ^ 1", (1, 0)),  # 100 + 256 + 128 = 484
        ("fc0/accumulator[1].bit[7] ^ 1", (0, 1)),  # 100 + 128 = 228
    ],
)
@pytest.mark.parametrize("engine", ["reference", "native", "torch", "qonnx"])
def test_thresholds_out_of_a_channels_reach_stay_the_files(fault: str, levels: tuple[int, int], engine: str) -> None:
    network = lower(far_thresholds(), "network")
    image = np.array([100, 0], np.uint8).reshape(1, 2, 1, 1)
    found = get(engine).open(network).trace(image, parse_fault(fault))
    assert found["fc0"].ravel().tolist() == list(levels)


def test_the_words_of_that_memory() -> None:
    network = lower(far_thresholds(), "network")
    assert network.units[0].thresholds is not None
    assert network.units[0].thresholds.tolist() == [[400], [200]]
    place = places(network)["fc0"]
    assert (accumulator_register(place).bits, threshold_register(place).bits) == (9, 9)


def saturated(relu: bool) -> GraphBuilder:
    """One pixel times 3 and 2 with a batch norm of negative gain in channel 0, always below 0; then two bits, unsigned.

    With a ReLU in front of the quantiser or without: the function is the same.
    """
    builder = GraphBuilder([1, 1, 1, 1], "UINT8")
    builder.node("Flatten", axis=1)
    builder.node("MatMul", np.array([[3, 2]]))
    builder.node("BatchNormalization", np.array([-1.0, 1.0]), np.array([-5.0, 0.0]), np.zeros(2), np.full(2, 1e4))
    if relu:
        builder.node("Relu")
    builder.quant(1.0, 2, signed=0)
    builder.node("MatMul", np.array([[1, 0], [0, 1]]))
    return builder


def test_signs_of_rows_are_those_of_the_chain_behind_a_saturated_relu_too() -> None:
    one, two = (lower(saturated(relu).model(), "network") for relu in (False, True))
    assert [row.item() for row in one.units[0].weights] == [-3, 2]  # as the sign of gamma says
    assert memory_fingerprint(one) == memory_fingerprint(two)
    image = np.full((1, 1, 1, 1), 100, np.uint8)
    for network in (one, two):
        # -300 in 11 bits is 11011010100; with the sign flipped it is 724, so the product is -724: 7.24 - 5 is level 2
        found = get("native").open(network).trace(image, parse_fault("fc0/accumulator[0].bit[10] ^ 1"))
        assert found["fc0"].ravel().tolist() == [2, 2]


def annotated(datatype: str) -> onnx.ModelProto:
    """That graph with one datatype for everything, or with none."""
    model = far_thresholds()
    for node in [node for node in model.graph.node if node.op_type in ("MatMul", "MultiThreshold")]:
        for attribute in node.attribute:
            if attribute.name == "out_dtype":
                attribute.s = datatype.encode()
        for tensor in (node.input[1], node.output[0]):
            annotation = model.graph.quantization_annotation.add(tensor_name=tensor)
            annotation.quant_parameter_tensor_names.add(key="finn_datatype", value=datatype)
    return model


@pytest.mark.parametrize("datatype", ["INT32", "UINT32", "INT64", "INT0"])
def test_types_that_tensors_are_stored_in_are_none_of_memories(datatype: str) -> None:
    """No engine computes with words so wide, and no hardware has them: the narrowest types count."""
    silent, network = (lower(annotated(each), "network") for each in ("", datatype))
    for kind in ("weight", "threshold", "accumulator"):
        assert len(fault_space(network, kind)) == len(fault_space(silent, kind)), kind
    assert len(fault_space(network, "activation", frames=1)) == len(fault_space(silent, "activation", frames=1))


def test_types_that_are_wide_words_are_kept() -> None:
    for datatype, weight in (("INT24", 1), ("INT12", 12)):  # operands of products so wide would leave 32 bits
        network = lower(annotated(datatype), "network")
        place, bits = places(network)["fc0"], int(datatype[3:])
        assert (accumulator_register(place).bits, threshold_register(place).bits) == (bits, bits)
        assert weight_register(network.units[0]).bits == weight


def test_a_type_that_does_not_hold_the_thresholds_is_not_taken() -> None:
    model = annotated("INT12")
    (constant,) = [node.input[1] for node in model.graph.node if node.op_type == "MultiThreshold"]
    for entry in model.graph.quantization_annotation:
        if entry.tensor_name == constant:
            entry.quant_parameter_tensor_names[0].value = "INT4"
    place = places(lower(model, "network"))["fc0"]
    assert stored_thresholds(place).ravel().tolist() == [400, 200]
    assert threshold_register(place).bits >= 9


@dataclass
class ByHand:
    """A file, what it lowers to, and its nodes: the products in order, and the MultiThreshold behind each."""

    model: onnx.ModelProto
    network: Network

    def __post_init__(self) -> None:
        self.shaped = ModelWrapper(self.model, make_deepcopy=True).transform(InferShapes()).model
        nodes = list(self.shaped.graph.node)
        self.products = [node for node in nodes if node.op_type in ("Conv", "MatMul")]
        self.constants = {c.name: numpy_helper.to_array(c) for c in self.shaped.graph.initializer}
        after = [nodes[nodes.index(product) + 1] for product in self.products[:-1]]
        assert all(node.op_type == "MultiThreshold" for node in after)
        self.thresholds = after

    def scores(self, images: Array, fault: Fault | None) -> Array:
        """Class scores of qonnx's execution under a fault."""
        values = {self.shaped.graph.input[0].name: images.astype(np.float32)}
        number = -1 if fault is None else [u.name for u in self.network.units].index(fault.layer)
        if fault is None:
            return run(self.shaped, values)
        if fault.kind == "accumulator":
            return self._accumulator(values, fault, number)
        model = onnx.ModelProto()
        model.CopyFrom(self.shaped)
        name = (self.products if fault.kind == "weight" else self.thresholds)[number].input[1]
        changed = self.constants[name].copy()
        if fault.kind == "weight":
            m, *rest = fault.index
            at = (m, *rest) if changed.ndim == 4 else (np.ravel_multi_index(rest, self._shape(number)), m)
            changed[at] = self._weight(int(changed[at]), fault, number)
        else:
            channel, index = fault.index
            changed = np.sort(np.broadcast_to(changed, (self._channels(number), changed.shape[1])), axis=1).copy()
            changed[channel, index] = self._threshold(float(changed[channel, index]), fault, number)
        tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
        tensor.CopyFrom(numpy_helper.from_array(changed.astype(np.float32), name))
        return run(model, values)

    def _shape(self, number: int) -> tuple[int, ...]:
        return self.network.units[number].weights.shape[1:]

    def _channels(self, number: int) -> int:
        return self.network.units[number].channels

    def _weight(self, word: int, fault: Fault, number: int) -> int:
        if self.network.units[number].weight_type == "BIPOLAR":
            return flipped(word, fault, 1, lambda w: (w + 1) // 2, lambda b: 2 * b - 1)
        return flipped(word, fault, int("".join(filter(str.isdigit, self._weight_type(number)))))

    def _weight_type(self, number: int) -> str:
        return {"TERNARY": "INT2"}.get(self.network.units[number].weight_type, self.network.units[number].weight_type)

    def _threshold(self, threshold: float, fault: Fault, number: int) -> int:
        place = places(self.network)[fault.layer]
        unit = self.network.units[number]
        register, inputs = threshold_register(place), unit.weights[0].size
        if counts_bits(unit, place.source):
            count = min(max(int(np.ceil((threshold + inputs) / 2)), 0), inputs + 1)
            return flipped(count, fault, 0, lambda w: w, lambda w: 2 * w - inputs)
        return flipped(int(np.ceil(threshold)), fault, register.bits if register.signed else 0)

    def _accumulator(self, values: dict[str, Array], fault: Fault, number: int) -> Array:
        """Execute up to the product, change its output, and execute the rest."""
        tensor = self.products[number].output[0]
        context = execute_onnx(ModelWrapper(self.shaped), values, True)
        sums, unit = context[tensor].copy(), self.network.units[number]
        place = places(self.network)[fault.layer]
        register, inputs = accumulator_register(place), unit.weights[0].size
        channel = sums[:, fault.index[0]]
        for at in np.ndindex(channel.shape):
            if counts_bits(unit, place.source):
                to = flipped((int(channel[at]) + inputs) // 2, fault, 0, lambda w: w, lambda w: 2 * w - inputs)
            else:
                to = flipped(int(channel[at]), fault, register.bits if register.signed else 0)
            channel[at] = to
        if number == len(self.products) - 1:
            scores: Array = sums.reshape(len(sums), -1)
            return scores
        rest = onnx.ModelProto()
        rest.CopyFrom(self.shaped)
        nodes = list(rest.graph.node)
        at_node = next(i for i, node in enumerate(nodes) if tensor in node.output)
        del rest.graph.node[: at_node + 1]
        del rest.graph.input[:]
        rest.graph.input.append(helper.make_tensor_value_info(tensor, onnx.TensorProto.FLOAT, sums.shape))
        kept = [value for value in rest.graph.value_info if value.name != tensor]
        del rest.graph.value_info[:]
        rest.graph.value_info.extend(kept)
        return run(rest, {tensor: sums})


def run(model: onnx.ModelProto, values: dict[str, Array]) -> Array:
    """The output of qonnx's execution, [N, classes]."""
    outputs: dict[str, Array] = execute_onnx(ModelWrapper(model), values)
    (found,) = outputs.values()
    return found.reshape(len(found), -1)


@pytest.mark.parametrize("part", range(4))
def test_random_files_with_faults_put_in_by_hand(part: int) -> None:
    pairs = changed = otherwise = 0
    for seed in range(part, 48, 4):
        rng = np.random.default_rng(seed)
        model = random_finn_graph(chooser(rng), rng, IMAGES)
        network = lower(model, "random")
        hand, images, last = ByHand(model, network), random_images(network, IMAGES, seed), network.units[-1].name
        golden = hand.scores(images, None)
        faults: list[Fault] = []
        for kind, count in (("weight", 12), ("threshold", 16), ("accumulator", 12)):
            faults += fault_space(network, kind).sample(count, seed)
            faults += fault_space(network, kind, effects=STUCK_BIT).sample(count // 3, seed)
        for fault in faults:
            right = hand.scores(images, fault)
            for name in ("reference", "native"):
                found = get(name).open(network).trace(images, fault)[last][:, :, 0, 0]
                assert np.array_equal(found, right), f"{name}, seed {seed}: {fault}"
            pulled = get("reference").open(network.canonical).trace(images, fault)[last][:, :, 0, 0]
            otherwise += not np.array_equal(pulled, right)
            changed += not np.array_equal(golden, right)
        pairs += len(faults)
    assert pairs >= 400
    assert changed >= 100
    assert otherwise >= 5  # thresholds that are right for fault-free sums only would not do
