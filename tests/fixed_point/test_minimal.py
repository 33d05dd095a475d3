"""The smallest formats against all formats, each tried as the integer program that it gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from onnx import TensorProto

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import get
from fat_fpga.engines.reference import execute
from fat_fpga.errors import DataError, ModelError
from fat_fpga.fixed_point import FloatModel, Formats, QFormat, minimal, quantise
from fat_fpga.fixed_point.float_model import read_float_model
from fat_fpga.fixed_point.minimal import Search, bits_before
from fat_fpga.fixed_point.simulation import Simulation
from fat_fpga.network import load_network
from tests.designs.float_graph import GraphBuilder
from tests.designs.float_network import random_float_network

MOST = 6
RNG = np.random.default_rng(3)


def tiny() -> FloatModel:
    builder = GraphBuilder([1, 1, 4, 4])
    builder.node("Conv", RNG.normal(0, 0.6, (3, 1, 3, 3)), RNG.normal(0, 0.3, 3), name="conv")
    builder.node("Relu")
    builder.node("Flatten", axis=1)
    builder.node("Gemm", RNG.normal(0, 0.6, (12, 3)), RNG.normal(0, 0.3, 3), name="fc")
    return read_float_model(builder.model(), "tiny")


def data_of(images: int = 40, shape: tuple[int, int, int] = (1, 4, 4), classes: int = 3) -> Dataset:
    pixels = RNG.integers(0, 256, (images, *shape)).astype(np.uint8)
    return Dataset("tiny", pixels, RNG.integers(0, classes, images).astype(np.int64), tuple("abcd"[:classes]))


def on_integers(model: FloatModel, data: Dataset) -> Callable[[Formats], int]:
    """How many images the integer program of some formats classifies correctly."""

    @cache
    def correct(weights: QFormat, activations: QFormat) -> int:
        network = load_network(quantise(model, Formats(weights, activations)).model, "tiny", pixels="unit")
        scores = execute(network, data.images)[network.scores].reshape(len(data), -1)
        return int(np.sum(scores.argmax(axis=1) == data.labels))

    return lambda formats: correct(formats.weights, formats.activations)


@pytest.fixture
def few_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minimal, "MOST_BITS", MOST)


@pytest.mark.filterwarnings("ignore::fat_fpga.errors.ModelWarning")
def test_a_search_finds_the_smallest_of_all(few_bits: None) -> None:
    model, data = tiny(), data_of()
    correct = on_integers(model, data)
    every = [QFormat(m, n) for m in range(1, MOST + 1) for n in range(MOST - m + 1) if m + n >= 2]
    table = {(w, a): correct(Formats(w, a)) for w in every for a in every}
    wide = [QFormat(m, MOST - m) for m in range(1, MOST)]
    simulation = Simulation(model, data, pixels="unit")
    for (weights, activations), count in list(table.items())[::7]:
        assert simulation.correct(Formats(weights, activations)) == count
    before = QFormat(bits_before(model), MOST - bits_before(model))
    needed = sorted(table[before, form] for form in wide)[-2]
    found = Search(simulation.correct, needed).network(model)
    a = next(form for form in wide if table[before, form] >= needed)
    w = next(form for form in wide if table[form, a] >= needed)
    w = next(form for form in every if form.integer_bits == w.integer_bits and table[form, a] >= needed)
    a = next(form for form in every if form.integer_bits == a.integer_bits and table[w, form] >= needed)
    assert (found.weights, found.activations) == (w, a)
    assert w.bits < MOST or a.bits < MOST, "nothing was saved: the test tells nothing"


def test_layer_by_layer_no_format_is_larger_than_the_network_s(few_bits: None) -> None:
    model, data = tiny(), data_of()
    simulation = Simulation(model, data, pixels="unit")
    search = Search(simulation.correct, simulation.float_correct() - 4)
    whole = search.network(model)
    found = search.layers(model, whole)
    assert simulation.correct(found) >= search.needed
    for layer in model.products:
        form = found.weights_of(layer)
        assert (form.integer_bits, form.fraction_bits) <= (whole.weights.integer_bits, whole.weights.fraction_bits)
        if form.fraction_bits and form.bits > 2:  # one bit less is not enough, with what was found before it
            assert any(
                not trial.enough
                and trial.formats.weights_of(layer) == QFormat(form.integer_bits, form.fraction_bits - 1)
                for trial in search.trials
            )


def test_no_format_is_enough(few_bits: None) -> None:
    with pytest.raises(
        ModelError, match="no format of 6 bits keeps the accuracy: at most 7 images are correct, 9 have"
    ):
        Search(lambda formats: 7, 9).network(tiny())


@pytest.mark.parametrize(("largest", "bits"), [(0.3, 1), (1.0, 1), (1.01, 2), (2.0, 2), (4.5, 4)])
def test_bits_before_the_point_hold_every_weight(largest: float, bits: int) -> None:
    builder = GraphBuilder([1, 4])
    builder.node("MatMul", np.array([[largest, 0.1]] * 4), name="fc")
    assert bits_before(read_float_model(builder.model(), "net")) == bits


@pytest.mark.parametrize("seed", range(6))
def test_what_is_simulated_is_what_integers_compute(seed: int) -> None:
    found = random_float_network(seed)
    model = read_float_model(found.model, "net")
    network = load_network(quantise(model, found.formats).model, "net", pixels="unit")
    data = data_of(50, network.input.shape, 4)
    scores = execute(network, data.images)[network.scores].reshape(len(data), -1)
    correct = int(np.sum(scores.argmax(axis=1) == data.labels))
    assert Simulation(model, data, pixels="unit").correct(found.formats) == correct


def test_images_of_another_shape_are_refused() -> None:
    with pytest.raises(DataError, match=r"tiny: images are \[1, 5, 5\], tiny takes \[1, 4, 4\]"):
        Simulation(tiny(), data_of(5, (1, 5, 5)))


ENDS: list[tuple[str, int, list[tuple[str, dict[str, int]]]]] = [
    ("scores", 3, []),
    ("probabilities", 3, [("Softmax", {"axis": 1})]),
    ("number", 3, [("ArgMax", {"axis": 1, "keepdims": 0})]),
    ("number in an axis", 3, [("ArgMax", {"axis": 1, "keepdims": 1})]),
    ("logit", 1, []),
    ("probability", 1, [("Sigmoid", {})]),
    ("below", 1, [("Neg", {})]),
    ("from -1 to 1", 1, [("Tanh", {})]),
]


@pytest.mark.parametrize(("outputs", "end"), [end[1:] for end in ENDS], ids=[end[0] for end in ENDS])
def test_the_search_decides_for_the_classes_that_the_integers_decide_for(
    outputs: int, end: list[tuple[str, dict[str, int]]]
) -> None:
    builder, rng = GraphBuilder([1, 1, 4, 4]), np.random.default_rng(4)
    builder.node("Flatten", axis=1)
    builder.node("Gemm", rng.normal(0, 0.6, (16, 6)), rng.normal(0, 0.3, 6), name="a")
    builder.node("Relu")
    builder.node("Gemm", rng.normal(0, 0.6, (6, outputs)), rng.normal(0, 0.1, outputs), name="fc")
    for operator, options in end:
        builder.node(operator, **options)
    file = builder.model()
    if end and end[0][0] == "ArgMax":
        kind = file.graph.output[0].type.tensor_type
        kind.elem_type = TensorProto.INT64
        if not end[0][1]["keepdims"]:
            kind.ClearField("shape")
    model, data = read_float_model(file, "tiny"), data_of(200, classes=max(2, outputs))
    formats = Formats(QFormat(2, 4), QFormat(3, 4))
    network = load_network(quantise(model, formats).model, "tiny", pixels="unit")
    golden = get("torch").open(network).run(data.images, data.labels, []).golden
    found = Dataset("golden", data.images, golden.astype(np.int64), data.classes)
    assert len(set(golden.tolist())) > 1
    assert Simulation(model, found, pixels="unit", threads=1).correct(formats) == len(found)


def test_one_output_of_a_function_whose_middle_is_not_known() -> None:
    builder, rng = GraphBuilder([1, 1, 4, 4]), np.random.default_rng(4)
    builder.node("Flatten", axis=1)
    builder.node("Gemm", rng.normal(0, 0.6, (16, 1)), rng.normal(0, 0.3, 1), name="fc")
    builder.node("Softplus")
    simulation = Simulation(read_float_model(builder.model(), "tiny"), data_of(5, classes=2), pixels="unit", threads=1)
    with pytest.raises(ModelError, match="tiny: its one output is made by Softplus: expected a product, or Sigmoid"):
        simulation.float_correct()
