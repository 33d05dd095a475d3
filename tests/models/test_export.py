"""Exported files: what qonnx computes from them, and what they hold."""

from __future__ import annotations

from pathlib import Path

import brevitas.nn as qnn
import numpy as np
import onnx
import pytest
import torch
from brevitas.quant import Int8WeightPerTensorFloat
from onnx import numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes
from torch import nn

from fat_fpga import models
from fat_fpga.errors import ModelError
from fat_fpga.models.export import export_qonnx


def prepared(name: str) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    model = models.build(name)
    images = torch.rand(6, *model.spec.topology.input_shape)
    model.train()(images)
    return model, images


@pytest.mark.parametrize("name", ["tfc-w1a1", "tfc-w2a2", "sfc-w1a2", "cnv-w1a3"])
def test_file_computes_what_the_model_does(tmp_path: Path, name: str) -> None:
    model, images = prepared(name)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    export_qonnx(model, tmp_path / "model.onnx", (1, *images.shape[1:]))
    assert model.training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    with torch.no_grad():
        expected = model.eval()(images).numpy()
    wrapper = ModelWrapper(str(tmp_path / "model.onnx")).transform(InferShapes())
    found = [execute_onnx(wrapper, {"images": image[None]})["scores"][0] for image in images.numpy()]
    np.testing.assert_allclose(np.stack(found), expected, atol=1e-5)
    assert list(tmp_path.iterdir()) == [tmp_path / "model.onnx"]


def test_file_holds_quantised_weights_and_readable_names(tmp_path: Path) -> None:
    model, _ = prepared("cnv-w1a1")
    export_qonnx(model, tmp_path / "model.onnx", (1, 3, 32, 32))
    graph = onnx.load(tmp_path / "model.onnx").graph
    assert [entry.name for entry in graph.input] == ["images"]
    assert [entry.name for entry in graph.output] == ["scores"]
    weights = {
        i.name: numpy_helper.to_array(i) for i in graph.initializer if i.name.endswith(".weight") and len(i.dims) > 1
    }
    assert len(weights) == 9
    assert all(set(np.unique(values)) == {-1.0, 1.0} for values in weights.values())
    names = [node.name for node in graph.node]
    assert len(set(names)) == len(names)
    assert {"input", "conv0", "conv0_norm", "conv0_act", "conv1_pool", "fc6", "fc8"} <= set(names)


def test_weights_that_set_their_own_scale_stay_as_they_are(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(qnn.QuantLinear(4, 3, bias=False, weight_quant=Int8WeightPerTensorFloat))
    with torch.no_grad():
        expected = model(torch.ones(1, 4)).numpy()
    export_qonnx(model, tmp_path / "model.onnx", (1, 4))
    wrapper = ModelWrapper(str(tmp_path / "model.onnx")).transform(InferShapes())
    found = execute_onnx(wrapper, {"images": np.ones((1, 4), np.float32)})["scores"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


class NotExportable(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise ValueError("not today\nnor tomorrow")


def test_errors_leave_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"^the model cannot be exported to QONNX: not today$"):
        export_qonnx(NotExportable(), tmp_path / "model.onnx", (1, 4))
    with pytest.raises(OSError, match="no such folder"):
        export_qonnx(NotExportable(), tmp_path / "nowhere" / "model.onnx", (1, 4))
    assert list(tmp_path.iterdir()) == []
