"""Lowered networks against qonnx's own execution of the file."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.cleanup import cleanup_model

from fat_fpga.engines.reference import execute
from fat_fpga.network import Network
from fat_fpga.network.lowering.chain import Chain
from fat_fpga.network.lowering.walk import lower
from tests.designs.finn_form import finn_form
from tests.designs.float_graph import FloatGraph, random_float_graph
from tests.designs.random_network import random_images

Image = npt.NDArray[np.uint8]


@st.composite
def float_graphs(draw: st.DrawFn) -> FloatGraph:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed of weights"))
    return random_float_graph(lambda options: draw(st.sampled_from(options)), rng)


def qonnx_tensors(model: Any, image: Image) -> dict[str, npt.NDArray[np.float32]]:
    """Every tensor of qonnx's execution of a model on one image [C, H, W], pixels divided by 255."""
    name = model.graph.input[0].name
    values = {name: image[None].astype(np.float32) / np.float32(255)}
    tensors: dict[str, npt.NDArray[np.float32]] = execute_onnx(model, values, return_full_exec_context=True)
    return tensors


def check_against_qonnx(network: Network, graph: FloatGraph, exact: bool = True) -> None:
    """Every activation, the last accumulators and the predicted class must agree on random images."""
    model = ModelWrapper(graph.model).transform(InferShapes())
    images = random_images(network, 2)
    outputs = execute(network, images)
    units = [outputs[unit.name] for unit in network.units]
    for n, image in enumerate(images):
        tensors = qonnx_tensors(model, image)
        for (tensor, scale), expected in zip(graph.activations, units, strict=False):
            found = tensors[tensor].reshape(expected[n].shape) / np.float32(scale)
            assert np.array_equal(np.rint(found), expected[n]), tensor
        tensor, scale = graph.accumulators
        assert np.allclose(tensors[tensor].ravel() / scale, units[-1][n].ravel(), rtol=1e-5, atol=1e-3)
        scores = units[-1][n].ravel()
        if exact or (scores == scores.max()).sum() == 1:  # rounding may break a tie of class scores
            assert tensors[graph.model.graph.output[0].name].argmax() == scores.argmax()


@given(float_graphs())
def test_random_chains_equal_qonnx_before_and_after_cleanup(graph: FloatGraph) -> None:
    network = lower(graph.model, "random")
    check_against_qonnx(network, graph)
    assert network.canonical.fingerprint == network.fingerprint
    cleaned = cleanup_model(ModelWrapper(graph.model, make_deepcopy=True))
    assert lower(cleaned.model, "random").fingerprint == network.fingerprint
    assert lower(finn_form(graph.model), "random").fingerprint == network.fingerprint


@pytest.mark.parametrize("seed", range(15))
def test_scales_that_are_no_powers_of_two(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_float_graph(lambda options: options[int(rng.integers(len(options)))], rng, exact=False)
    check_against_qonnx(lower(graph.model, "random"), graph, exact=False)


@pytest.mark.parametrize("seed", range(10))
def test_scores_of_one_class_stand_for_all(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    graph = random_float_graph(lambda options: options[int(rng.integers(len(options)))], rng)
    network = lower(graph.model, "random")
    monkeypatch.setattr(Chain, "of_one_channel", lambda chain: None)  # then every class is evaluated
    assert lower(graph.model, "random").fingerprint == network.fingerprint
