"""The networks that come with the package, on real images, against qonnx's execution of their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.util.cleanup import cleanup_model

from fat_fpga.datasets.demo import load_demo
from fat_fpga.engines.reference import execute
from fat_fpga.models.zoo import bundled, card, read_onnx, write_onnx
from fat_fpga.network import load_network
from tests.designs.against_file import check_file

COUNT = 30
SCALED = [name for name in bundled() if "formats" in card(name) or name.startswith(("mobilenet", "resnet8"))]
"""Those whose streams have other scales than 1: in fixed point, or with unsigned activations."""


@pytest.mark.parametrize("name", SCALED)
def test_bundled_networks_with_scales_equal_qonnx(name: str) -> None:
    check_file(onnx.load_from_string(read_onnx(name)), images=2)


@pytest.mark.parametrize("name", sorted({*bundled()} - {*SCALED}))
def test_bundled_networks_equal_qonnx_on_real_images(name: str, tmp_path: Path) -> None:
    write_onnx(name, tmp_path / "network.onnx")
    network = load_network(tmp_path / "network.onnx", name)
    channels, height, width = network.input.shape  # of digits: the middle of the red channel
    images = load_demo("cifar10").images[:COUNT, :channels, -height:, -width:]
    outputs = execute(network, images)
    units = [outputs[unit.name] for unit in network.units]

    model = cleanup_model(ModelWrapper(str(tmp_path / "network.onnx")), override_inpsize=COUNT)
    weights = {tensor.name for tensor in model.graph.initializer}
    values = {model.graph.input[0].name: images.astype(np.float32) / np.float32(255)}
    tensors = execute_onnx(model, values, return_full_exec_context=True)
    quantisers = [n for n in model.graph.node if n.op_type in ("Quant", "BipolarQuant") and n.input[0] not in weights]
    products = [n for n in model.graph.node if n.op_type in ("Conv", "MatMul", "Gemm")]
    assert len(quantisers) == len(products) == len(units)
    for node, expected in zip(quantisers[1:], units, strict=False):
        assert np.array_equal(tensors[node.output[0]].reshape(expected.shape), expected), node.name
    scores = units[-1][:, :, 0, 0]
    found = tensors[products[-1].output[0]]
    assert np.array_equal(found * np.sign((found * scores).sum()), scores)  # a decreasing tail turns them round
    assert np.array_equal(tensors[model.graph.output[0].name].argmax(axis=1), scores.argmax(axis=1))
