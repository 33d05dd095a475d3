"""Real Brevitas networks: the three forms of a file, against each other and against qonnx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.cleanup import cleanup

from fat_fpga.engines.reference import execute
from fat_fpga.network import load_network, write_qonnx
from tests.designs.finn_form import finn_form
from tests.designs.random_network import random_images
from tests.network.test_lowering import qonnx_tensors

torch = pytest.importorskip("torch")
pytest.importorskip("brevitas")

SHAPES = {"cnv": (1, 3, 32, 32), "tfc": (1, 1, 28, 28), "lfc": (1, 1, 28, 28)}


def exported(name: str, path: Path, seed: int = 0) -> None:
    """Export a network of the family with random weights and random batch norm, gamma of either sign."""
    from fat_fpga.models import build
    from fat_fpga.models.export import export_qonnx

    torch.manual_seed(seed)
    model = build(name).eval()
    module: Any
    for module in model.modules():
        if hasattr(module, "running_var"):
            module.running_mean.normal_(0, 5)
            module.running_var.uniform_(0.5, 200)
            module.weight.data.normal_(0.3, 1)
            module.bias.data.normal_(0, 0.5)
    export_qonnx(model, path, SHAPES[name[:3]])


@pytest.mark.parametrize("name", ["cnv-w1a1", "cnv-w2a2", "cnv-w1a3", "tfc-w1a1", "tfc-w1a2", "lfc-w1a1"])
def test_the_three_forms_of_a_file_are_one_network(name: str, tmp_path: Path) -> None:
    exported(name, tmp_path / "export.onnx")
    network = load_network(tmp_path / "export.onnx", name)
    cleanup(str(tmp_path / "export.onnx"), out_file=str(tmp_path / "clean.onnx"))
    assert load_network(tmp_path / "clean.onnx").fingerprint == network.fingerprint
    onnx.save(finn_form(onnx.load(tmp_path / "export.onnx")), tmp_path / "finn.onnx")
    assert load_network(tmp_path / "finn.onnx").fingerprint == network.fingerprint
    write_qonnx(network, tmp_path / "written.onnx")
    assert load_network(tmp_path / "written.onnx").fingerprint == network.fingerprint
    if name.startswith("cnv"):
        names = ["conv0", "conv1", "conv1.pool", "conv2", "conv3", "conv3.pool", "conv4", "conv5", "fc6", "fc7", "fc8"]
        assert [layer.name for layer in network.layers] == names
        assert network.input.shape == (3, 32, 32)
    else:
        assert [layer.name for layer in network.layers] == ["fc0", "fc1", "fc2", "fc3"]
        assert network.input.shape == (1, 28, 28)


@pytest.mark.parametrize("name", ["cnv-w1a1", "cnv-w2a2", "tfc-w1a1", "lfc-w1a1"])
def test_activations_and_class_scores_equal_qonnx(name: str, tmp_path: Path) -> None:
    exported(name, tmp_path / "export.onnx", seed=1)
    network = load_network(tmp_path / "export.onnx", name)
    cleanup(str(tmp_path / "export.onnx"), out_file=str(tmp_path / "clean.onnx"))
    model = ModelWrapper(str(tmp_path / "clean.onnx"))
    weights = {tensor.name for tensor in model.graph.initializer}
    quantisers = [n for n in model.graph.node if n.op_type in ("Quant", "BipolarQuant") and n.input[0] not in weights]
    products = [n for n in model.graph.node if n.op_type in ("Conv", "MatMul", "Gemm")]
    images = random_images(network, 3)
    outputs = execute(network, images)
    units = [outputs[unit.name] for unit in network.units]
    for n, image in enumerate(images):
        tensors = qonnx_tensors(model, image)
        for node, expected in zip(quantisers[1:], units, strict=False):
            assert np.array_equal(tensors[node.output[0]].ravel(), expected[n].ravel()), node.name
        scores = units[-1][n].ravel()
        found = tensors[products[-1].output[0]].ravel()
        assert np.array_equal(found * np.sign(found @ scores), scores)  # a decreasing tail turns them round
        assert tensors[model.graph.output[0].name].argmax() == scores.argmax()
