"""Networks by name and from memory are those from files."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import external_data_helper
from qonnx.core.modelwrapper import ModelWrapper

from fat_fpga import foreign
from fat_fpga.errors import ArgumentError, ModelError
from fat_fpga.models import zoo
from fat_fpga.network import load_network, write_qonnx
from fat_fpga.network.network_file import write_network
from tests.campaign.tiny import tiny_network


def test_bundled_names_are_networks_and_files_go_before_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    network = load_network("tfc_w2a2")
    assert (network.name, load_network("tfc-w2a2", "mine").name) == ("tfc_w2a2", "mine")
    zoo.write_onnx("tfc_w2a2", "tfc.onnx")
    assert load_network("tfc.onnx").fingerprint == network.fingerprint
    (tmp_path / "lfc_w1a1").mkdir()
    assert load_network("lfc_w1a1").fingerprint == load_network(Path("lfc-w1a1")).fingerprint
    write_qonnx(tiny_network(), "tfc_w2a2")
    assert load_network("tfc_w2a2").fingerprint == tiny_network().fingerprint
    write_network(tiny_network(), "board.npz")
    assert load_network("board.npz").fingerprint == tiny_network().fingerprint
    with pytest.raises(ModelError, match=r"^no file 'tfc_w2a3', and no bundled network .*; did you mean tfc_w2a2\?$"):
        load_network("tfc_w2a3")
    Path("a.pt").write_bytes(b"")
    with pytest.raises(ModelError, match=r"^a.pt is a checkpoint of PyTorch: write a model file first"):
        load_network("a.pt")


def test_models_of_onnx_and_qonnx(tmp_path: Path) -> None:
    write_qonnx(tiny_network(), path := tmp_path / "tiny.onnx")
    network, model = load_network(path), onnx.load(path)
    wrapper = ModelWrapper(model)
    before = model.SerializeToString()
    assert load_network(model).fingerprint == network.fingerprint
    assert load_network(wrapper, "mine").name == "mine"
    assert load_network(wrapper).fingerprint == network.fingerprint
    assert model.SerializeToString() == before
    external_data_helper.convert_model_to_external_data(model, location="beside.bin", size_threshold=0)
    onnx.save(model, tmp_path / "big.onnx")
    assert load_network(onnx.load(tmp_path / "big.onnx")).fingerprint == network.fingerprint
    with pytest.raises(ModelError, match=r"are in a file beside the model's: read the model with onnx.load"):
        load_network(onnx.load(tmp_path / "big.onnx", load_external_data=False))
    with pytest.raises(ModelError, match=r"^empty: "):
        load_network(onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], [])))


def test_a_brevitas_network() -> None:
    torch = pytest.importorskip("torch")
    from fat_fpga import models

    torch.manual_seed(0)
    module = models.build("tfc-w2a2")
    module.train()
    network = load_network(module, image_shape=(1, 28, 28))
    assert (network.name, network.input.shape, network.classes) == ("QuantisedNetwork", (1, 28, 28), 10)
    assert module.training
    with pytest.raises(ModelError, match=r"does not tell the shape of an image: give image_shape=\(3, 32, 32\)"):
        load_network(module)
    with pytest.raises(ModelError, match=r"^the model cannot be exported to QONNX|^Linear: "):
        load_network(torch.nn.Linear(4, 2), image_shape=(1, 2, 4))


def test_classes_are_told_by_name() -> None:
    torch = pytest.importorskip("torch")
    assert isinstance(torch.nn.Linear(1, 1), foreign.Module)
    assert isinstance(onnx.ModelProto(), foreign.ModelProto)
    assert not isinstance(onnx.GraphProto(), foreign.Model)
    assert isinstance(torch.utils.data.TensorDataset(torch.zeros(1)), foreign.TorchDataset)
    for wrong in (3, object(), torch.zeros(1), torch.utils.data.TensorDataset(torch.zeros(1))):
        with pytest.raises(ArgumentError, match=r"source: expected text or path or onnx.ModelProto or"):
            load_network(wrong)  # type: ignore[arg-type]
