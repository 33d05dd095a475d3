"""An export of torch's default exporter: other names for the same things, and weights in a file beside."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch

from fat_fpga.network import load_network
from tests.designs.against_qonnx import check_scores

pytest.importorskip("onnxscript")


class Small(torch.nn.Module):
    """Integer weights, fake quantisation between, and the maximum over the whole image."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(1, 8, 3, padding=1)
        self.second = torch.nn.Conv2d(8, 8, 3, bias=False)
        self.last = torch.nn.Linear(8, 5, bias=False)
        for layer in (self.first, self.second, self.last):
            layer.weight.data = torch.randint(-7, 8, layer.weight.shape).float()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.fake_quantize_per_tensor_affine(x, 1 / 128, 0, -128, 127)
        x = torch.nn.functional.elu(self.first(x))
        x = torch.fake_quantize_per_tensor_affine(x, 0.25, -3, -128, 127)
        x = torch.nn.functional.max_pool2d(self.second(x), 2)
        x = torch.fake_quantize_per_tensor_affine(x, 16.0, 0, 0, 255)
        scores: torch.Tensor = self.last(x.amax((2, 3)))
        return scores


@pytest.mark.filterwarnings("ignore")
def test_an_export_of_dynamo(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = tmp_path / "small.onnx"
    torch.onnx.export(Small().eval(), (torch.rand(1, 1, 10, 10),), str(path), dynamo=True, verbose=False)
    model = onnx.load(path)
    assert {"QuantizeLinear", "DequantizeLinear", "ReduceMax", "Elu"} <= {node.op_type for node in model.graph.node}
    network = check_scores(model)
    names = ["conv0", "conv1", "conv1.pool", "conv1.pool2", "fc2"]
    assert [layer.name for layer in network.layers] == names
    assert load_network(path).fingerprint == network.fingerprint
