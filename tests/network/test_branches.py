"""Networks with branches: reading, writing, meaning; and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.cleanup import cleanup_model

from fat_fpga.engines.reference import execute
from fat_fpga.errors import ModelError
from fat_fpga.faults import memory_fingerprint, places
from fat_fpga.network import Levels, MatrixVectorUnit, Network, load_network, write_qonnx
from fat_fpga.network.layers import Add, Concat, SumPool, Thresholding
from fat_fpga.network.lowering.walk import lower
from fat_fpga.network.network_file import read_network, write_network
from tests.designs.float_graph import GraphBuilder
from tests.designs.float_residual import Residual, residual_graph
from tests.designs.random_graph import graphs, random_graph
from tests.designs.random_network import random_images


@st.composite
def residual_graphs(draw: st.DrawFn) -> Residual:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed of weights"))
    return residual_graph(lambda options: draw(st.sampled_from(options)), rng)


@given(residual_graphs())
def test_a_residual_file_equals_qonnx_before_and_after_cleanup(graph: Residual) -> None:
    network = lower(graph.model, "residual")
    model = ModelWrapper(graph.model).transform(InferShapes())
    image = random_images(network, 1)
    streams = execute(network, image)
    values = {"image": image.astype(np.float32) / np.float32(255)}
    tensors = execute_onnx(model, values, return_full_exec_context=True)
    adds = [layer for layer in network.layers if isinstance(layer, Add)]
    assert len(adds) == len(graph.sums)
    wanted = [*zip((add.name for add in adds), graph.sums, strict=True), (network.units[-1].name, graph.accumulators)]
    for name, (tensor, step) in wanted:
        assert np.array_equal(tensors[tensor].ravel() / np.float32(step), streams[name].ravel()), name
    cleaned = cleanup_model(ModelWrapper(graph.model, make_deepcopy=True))
    assert lower(cleaned.model, "residual").fingerprint == network.fingerprint


@given(graphs())
def test_a_written_file_loads_as_the_same_network(network: Network) -> None:
    with TemporaryDirectory() as folder:
        write_qonnx(network, path := Path(folder) / "network.onnx")
        loaded = load_network(path)
        write_network(network, path.with_suffix(".npz"))
        stored = read_network(path.with_suffix(".npz"))
    for other in (loaded, stored):
        assert [layer.name for layer in other.layers] == [layer.name for layer in network.layers]
        assert other.inputs == network.inputs
        assert other.fingerprint == network.fingerprint
        assert memory_fingerprint(other) == memory_fingerprint(network)


def test_layers_by_plain_loops() -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.integers(-3, 4, (2, 3, 4, 5)).astype(np.int32) for _ in range(2))
    add = Add("add0", ("a", "b"), (3, -2))
    assert np.array_equal(add.output(a, b), 3 * a - 2 * b)
    levels = add.output_levels(Levels(-3, 2, 4), Levels(0, 1, 4))
    assert levels == Levels(-15, 2, 13)
    assert {3 * x - 2 * y for x in Levels(-3, 2, 4) for y in range(4)} <= set(levels)
    concat = Concat("concat0", ("a", "b"), (1, 3))
    assert np.array_equal(concat.output(a, b)[:, :3], a)
    assert np.array_equal(concat.output(a, b)[:, 3:], 3 * b)
    assert concat.output_shape((3, 4, 5), (3, 4, 5)) == (6, 4, 5)
    assert concat.output_levels(Levels(-1, 2, 2), Levels(0, 1, 3)) == Levels(-1, 1, 8)
    assert concat.output_levels(Levels(-1, 2, 2), Levels(-1, 2, 2)) == Levels(-3, 2, 4)
    pool = SumPool("a.sum", (2, 3), (2, 1))
    found = pool.output(a)
    assert found.shape == (2, *pool.output_shape((3, 4, 5)))
    for n, c, y, x in np.ndindex(*found.shape):
        assert found[n, c, y, x] == a[n, c, 2 * y : 2 * y + 2, x : x + 3].sum()
    assert pool.output_levels(Levels(-3, 1, 7)) == Levels(-18, 1, 37)
    thresholds = np.array([[-1, 0], [1, 9], [-9, -9]], np.int32)
    steps = Thresholding("a.thresholding", thresholds, Levels(-1, 2, 3)).output(a)
    for n, c, y, x in np.ndindex(*a.shape):
        assert steps[n, c, y, x] == -1 + 2 * sum(a[n, c, y, x] >= t for t in thresholds[c])


def test_the_wiring_is_part_of_the_fingerprint() -> None:
    network = next(n for n in map(random_graph, range(50)) if n.layers[-2].name == "add1")
    names = {layer.name for layer in network.layers if layer.inputs}
    assert names
    add = network.layers[network.position("add1")]
    assert isinstance(add, Add)
    swapped = replace(add, inputs=add.inputs[::-1])
    other = replace(network, layers=tuple(swapped if layer is add else layer for layer in network.layers))
    assert other.fingerprint != network.fingerprint


def test_sums_of_too_many_levels() -> None:
    reason = r"add0: its sums have 262,205,536 levels up to 262,205,535: expected at most 16,777,216"
    with pytest.raises(ModelError, match=reason):
        Add("add0", ("a", "b"), (4000, 1)).output_levels(Levels(0, 1, 2**16), Levels(0, 1, 2**16))
    with pytest.raises(ModelError, match=r"a.sum: its sums have 33,553,921 levels"):
        SumPool("a.sum", (16, 32), (1, 1)).output_levels(Levels(0, 1, 2**16))


BROKEN: dict[str, tuple[Callable[[list[Any]], list[Any]], str]] = {
    "unknown": (lambda layers: [replace(layers[0], inputs=("nobody",)), *layers[1:]], "which is none of the network's"),
    "later": (lambda layers: [replace(layers[0], inputs=("add0",)), *layers[1:]], "which comes after it"),
    "unread": (lambda layers: [*layers[:-1], replace(layers[-1], inputs=("input",))], "nothing reads the stream"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_program_that_is_not_whole(case: str) -> None:
    network = random_graph(4)
    change, reason = BROKEN[case]
    with pytest.raises(ModelError, match=reason):
        replace(network, layers=tuple(change(list(network.layers))))


def test_sums_and_thresholds_are_places_of_faults() -> None:
    network = next(n for n in map(random_graph, range(50)) if any(isinstance(x, Thresholding) for x in n.layers))
    known = places(network)
    for layer in network.layers:
        assert known[layer.name].type == layer.row_type
        if not isinstance(layer, SumPool) and layer.type != "pool":
            assert known[layer.name].enumerated


def test_groups_and_dilation_by_plain_loops() -> None:
    rng = np.random.default_rng(3)
    weights = rng.integers(-4, 4, (6, 2, 2, 3)).astype(np.int32)
    unit = MatrixVectorUnit(
        "conv0", weights, None, None, (2, 1), (1, 0, 0, 2), groups=3, dilation=(2, 2)
    )  # fmt: skip
    x = rng.integers(-9, 9, (2, 6, 6, 7)).astype(np.int32)
    padded = np.zeros((2, 6, 7, 9), np.int32)
    padded[:, :, 1:, :7] = x
    found = unit.output(x)
    assert found.shape == (2, *unit.output_shape((6, 6, 7)))
    for n, m, y, z in np.ndindex(*found.shape):
        window = padded[n, m // 2 * 2 : m // 2 * 2 + 2, 2 * y : 2 * y + 3 : 2, z : z + 5 : 2]
        assert found[n, m, y, z] == (window * weights[m]).sum()
    assert np.array_equal(unit.dense().output(x), found)
    assert np.array_equal(unit.dense([4, 1]).output(x), found[:, [4, 1]])
    for index in [(0, 0, 0, 0), (3, 1, 1, 2), (5, 0, 1, 1)]:
        assert unit.dense().weights[unit.place_of(index)] == weights[index]
    with pytest.raises(ModelError, match="conv0: 6 channels do not make 4 groups"):
        replace(unit, groups=4)


def two_branches(scales: tuple[float, float], operator: str = "Add", deep: str = "") -> GraphBuilder:
    """A convolution on each of two branches, quantised with a scale each, and what joins them."""
    rng = np.random.default_rng(7)
    builder = GraphBuilder([1, 2, 4, 4])
    builder.quant(2.0**-7, 8)
    start = builder.tensor
    ends: list[str] = []
    for scale in scales:
        builder.tensor = start
        builder.node("Conv", builder.quant(0.5, 2, first=rng.normal(0, 1, (3, 2, 1, 1))))
        if deep and ends:
            builder.node(deep, name="culprit")
        builder.quant(scale, 3)
        ends.append(builder.tensor)
    builder.tensor = ends[0]
    builder.node(operator, ends[1], name="join", **({"axis": 1} if operator == "Concat" else {}))
    builder.node("Flatten", axis=1)
    size = 96 if operator == "Concat" else 48
    builder.node("MatMul", builder.quant(0.5, 2, first=rng.normal(0, 1, (size, 4))))
    return builder


@pytest.mark.parametrize(
    ("scales", "operator", "factors"),
    [
        ((0.5, 0.5), "Add", (1, 1)),
        ((0.5, 0.125), "Add", (4, 1)),
        ((0.75, 0.5), "Sub", (3, -2)),
        ((0.3, 0.1), "Add", (3, 1)),
        ((0.5, 1.5), "Concat", (1, 3)),
    ],
)
def test_grids_in_common(scales: tuple[float, float], operator: str, factors: tuple[int, int]) -> None:
    model = two_branches(scales, operator).model()
    network = lower(model, "branches")
    join = next(layer for layer in network.layers if isinstance(layer, Add | Concat))
    assert join.factors == factors
    image = random_images(network, 1)
    found = execute(network, image)[join.name]
    wrapped = ModelWrapper(model).transform(InferShapes())
    values = {"image": image.astype(np.float32) / np.float32(255)}
    tensors = execute_onnx(wrapped, values, return_full_exec_context=True)
    joined = next(node.output[0] for node in model.graph.node if node.name == "join")
    step = scales[0] / factors[0]
    assert np.array_equal(np.rint(tensors[joined] / step), found)
    assert np.abs(tensors[joined] / step - found).max() < 1e-4
    assert np.ptp(found) > 2


REFUSED = {
    "no grid in common": (two_branches((0.5, 0.5 * 2**0.5)), r"'join' \(Add\): it joins multiples of 0.5 and of 0.707"),
    "product": (two_branches((0.5, 0.5), "Mul"), r"'join' \(Mul\): of several streams, only sum, difference and conc"),
    "deep in a branch": (
        two_branches((0.5, 0.5), deep="GlobalLpPool"),
        r"'culprit' \(GlobalLpPool\): unsupported oper",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_names_the_node_of_the_branch(case: str) -> None:
    builder, reason = REFUSED[case]
    with pytest.raises(ModelError, match=reason):
        lower(builder.model(), "branches")


def test_a_branch_that_leads_nowhere_is_left_out() -> None:
    model = two_branches((0.5, 0.5)).model()
    expected = lower(model, "branches")
    model.graph.node.append(onnx.helper.make_node("Sin", [model.graph.node[2].output[0]], ["nowhere"], name="dead"))
    assert lower(model, "branches").fingerprint == expected.fingerprint


def test_two_heads_are_refused() -> None:
    model = two_branches((0.5, 0.5)).model()
    matmul = model.graph.node[-1]
    model.graph.node.append(
        onnx.helper.make_node("MatMul", [matmul.input[0], matmul.input[1]], ["other"], name="other")
    )
    model.graph.output.append(onnx.helper.make_tensor_value_info("other", onnx.TensorProto.FLOAT, None))
    with pytest.raises(ModelError, match=r"several heads, with the outputs .* keep one"):
        lower(model, "branches")


def test_a_cycle_is_refused() -> None:
    model = two_branches((0.5, 0.5)).model()
    join = next(node for node in model.graph.node if node.name == "join")
    after = onnx.helper.make_node("Relu", [join.output[0]], ["round"], name="after")
    model.graph.node.append(after)
    join.input[1] = "round"
    with pytest.raises(ModelError, match="its input 'round' is made by a node after it: the nodes have a cycle"):
        lower(model, "branches")
