"""A residual network as Brevitas exports it, against qonnx's execution of the file, under faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from fat_fpga.crosscheck import KINDS, crosscheck, random_images, sample_faults
from fat_fpga.crosscheck.table import crosscheck_text
from fat_fpga.engines import get
from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.network import load_network, write_qonnx
from fat_fpga.network.layers import Add, SumPool, Thresholding

pytest.importorskip("torch")
pytest.importorskip("brevitas")


def test_every_activation_of_resnet8(tmp_path: Path) -> None:
    from fat_fpga.models.export import export_qonnx
    from tests.designs.brevitas_resnet import random_resnet8

    export_qonnx(random_resnet8(2, 2, width=4), path := tmp_path / "resnet8.onnx", (1, 3, 32, 32))
    network = load_network(path)
    kinds = [type(layer) for layer in network.layers]
    assert (kinds.count(Add), kinds.count(SumPool), len(network.units)) == (3, 1, 10)
    assert kinds.count(Thresholding) >= 3
    images = random_images(network, 1)
    faults = sample_faults(network, KINDS, 18, 1)
    engines = {"reference": get("reference"), "torch": get("torch"), "file": FileEngine(path)}
    check = crosscheck(network, images, faults, engines)
    assert check.equal, crosscheck_text(check)
    assert not check.refusals
    assert all(pair.activations >= 30_000 for pair in check.pairs)
    write_qonnx(network, tmp_path / "written.onnx")
    assert load_network(tmp_path / "written.onnx").fingerprint == network.fingerprint


@pytest.mark.parametrize("name", ["resnet8-w2a2", "resnet8-w4a4"])
def test_the_residual_networks_of_the_family(name: str, tmp_path: Path) -> None:
    import torch

    from fat_fpga.models import build
    from fat_fpga.models.export import export_qonnx

    torch.manual_seed(0)
    model = build(name).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for values, low, high in ((module.running_mean, -5, 5), (module.running_var, 1, 200)):
                assert values is not None
                values.uniform_(low, high)
            torch.nn.init.normal_(module.weight, 0.3, 1)
    export_qonnx(model, path := tmp_path / "resnet8.onnx", (1, 3, 32, 32))
    network = load_network(path)
    images = random_images(network, 1)
    faults = sample_faults(network, KINDS, 9, 1)
    check = crosscheck(network, images, faults, {"torch": get("torch"), "file": FileEngine(path)})
    assert check.equal, crosscheck_text(check)
    assert not check.refusals
