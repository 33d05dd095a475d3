"""Trainings that begin with a finished network."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fat_fpga import models
from fat_fpga.cli.main import main
from fat_fpga.errors import TrainingError
from fat_fpga.models.builder import FamilyNetwork
from fat_fpga.models.export import export_qonnx
from fat_fpga.models.weights import OwnLayer, quantised_weight
from fat_fpga.network import load_network, write_qonnx
from fat_fpga.training import train
from fat_fpga.training.checkpoint import read_checkpoint
from fat_fpga.training.norm_fit import lines_through
from fat_fpga.training.start import start_from
from tests.training.small import digits, recipe

TRAIN, TEST = digits(200), digits(50, seed=1)


def random_model(name: str, seed: int) -> FamilyNetwork:
    """A model of the family whose norms have random statistics, and gains of either sign."""
    torch.manual_seed(seed)
    model = models.build(name)
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.normal_(module.weight, 0, 1)
            nn.init.normal_(module.bias, 0, 1)
    with torch.no_grad():
        model.train()(torch.rand(4, *model.spec.topology.input_shape))
    return model.eval()


@pytest.mark.parametrize("name", ["tfc-w1a1", "tfc-w1a2", "tfc-w2a2", "resnet8-w2a2", "mobilenet-w4a4"])
def test_a_file_begins_as_the_same_network(name: str, tmp_path: Path) -> None:
    """Weights and norms that were made from an integer network are lowered to that integer network."""
    model = random_model(name, 1)
    shape = model.spec.topology.input_shape
    export_qonnx(model, path := tmp_path / "given.onnx", (1, *shape))
    given_network = load_network(path)
    if name.startswith("tfc"):  # in the form without norms
        write_qonnx(given_network, path := tmp_path / "integers.onnx")
    other = models.build(name)
    start_from(path).put_into(other, torch.rand(4, *shape))
    export_qonnx(other, tmp_path / "other.onnx", (1, *shape))
    assert load_network(tmp_path / "other.onnx").fingerprint == given_network.fingerprint
    if any(module.bits == 1 for module in other.modules() if isinstance(module, OwnLayer)):
        latent = next(module.weight for module in other.modules() if isinstance(module, OwnLayer))
        assert latent.abs().max() < 1  # a step can still flip a sign


@given(st.integers(0, 2**32 - 1), st.integers(1, 16))
def test_lines_through_thresholds_of_a_norm(seed: int, count: int) -> None:
    """Thresholds that a line and even boundaries give are met by the same integers again."""
    random = np.random.default_rng(seed)
    boundaries = np.arange(count, dtype=np.float64) * random.uniform(0.1, 2) - random.uniform(-1, 5)
    gain, offset = random.uniform(0.001, 2, 5), random.uniform(-100, 100, 5)
    thresholds = np.ceil((boundaries - offset[:, None]) / gain[:, None]).astype(np.int32)
    lines = lines_through(thresholds, boundaries)
    assert lines.exact
    for offset_of_threshold, met in ((0, True), (-1, False)):
        value = lines.gain[:, None] * (thresholds + offset_of_threshold - lines.place[:, None]) + lines.at[:, None]
        assert bool(np.all((value >= boundaries) == met))


def test_thresholds_of_no_norm() -> None:
    uneven = np.array([[0, 1, 100]], np.int32)
    assert not lines_through(uneven, np.array([-1.0, 0.0, 1.0])).exact
    never = np.array([[-(2**31), -(2**31)], [2**31 - 1, 2**31 - 1], [-(2**31), 7]], np.int32)
    lines = lines_through(never, np.array([-0.5, 0.5]))
    assert lines.exact
    sums = np.array([-1000.0, 6, 7, 1000])
    values = lines.gain[:, None] * (sums - lines.place[:, None]) + lines.at[:, None]
    assert (values[0] > 0.5).all()
    assert (values[1] < -0.5).all()
    assert ((values[2] >= 0.5) == [False, False, True, True]).all()


def test_from_a_checkpoint_and_on(tmp_path: Path) -> None:
    """The weights are those of the checkpoint, the training is another, and it is continued only with its start."""
    first = train("tfc-w1a1", TRAIN, TEST, recipe(epochs=2), tmp_path / "first", progress=False)
    start = start_from(tmp_path / "first")
    model = models.build("tfc-w1a1", 4)
    start.put_into(model, torch.zeros(1, 1, 28, 28))
    for key, value in first.model.state_dict().items():
        assert torch.equal(model.state_dict()[key], value)
    tune = recipe(epochs=1, learning_rate=1e-9, norm_images=0)
    tuned = train("tfc-w1a1", TRAIN, TEST, tune, tmp_path / "tuned", progress=False, start=start)
    layers = [module for module in tuned.model.modules() if isinstance(module, OwnLayer)]
    before = [module for module in first.model.modules() if isinstance(module, OwnLayer)]
    assert all(torch.equal(quantised_weight(a), quantised_weight(b)) for a, b in zip(layers, before, strict=True))
    checkpoint = read_checkpoint(tmp_path / "tuned" / "last.pt")
    assert checkpoint.identity["start"] == start.fingerprint
    assert checkpoint.notes["started_from"] == str(tmp_path / "first")
    with pytest.raises(TrainingError, match=r"holds another training, with start = '[0-9a-f]{64}' instead of None"):
        train("tfc-w1a1", TRAIN, TEST, tune, tmp_path / "tuned", progress=False)


@pytest.mark.parametrize(
    ("model", "source", "message"),
    [
        ("tfc-w1a1", "lfc_w1a1", r"lfc_w1a1: it is the network of another model: fc0 has weights \[1024, 1, 28, 28\]"),
        ("tfc-w1a1", "cnv_w1a1", "cnv_w1a1: it is the network of another model: it has 9 layers with weights, not 4"),
        ("tfc-w1a1", "tfc_w2a2", "fc0 has weights that fc0, of 1 bits, cannot have; --model says which one"),
        ("tfc-w1a2", "missing.onnx", "no file 'missing.onnx', and no bundled network of that name"),
    ],
)
def test_mistakes(model: str, source: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(data := tmp_path / "digits.npz", images=TRAIN.images, labels=TRAIN.labels)
    arguments = ["train", "--model", model, "--from", source, "--data", f"npz:{data}", "-o", str(tmp_path / "out")]
    assert main([*arguments, "--epochs", "1", "-q"]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out" / "last.pt").exists()


def test_other_precision_of_activations(tmp_path: Path) -> None:
    export_qonnx(random_model("tfc-w1a2", 0), tmp_path / "net.onnx", (1, 1, 28, 28))
    with pytest.raises(TrainingError, match="fc0 has 3 levels, not 2"):
        start_from(tmp_path / "net.onnx").put_into(models.build("tfc-w1a1"), torch.rand(4, 1, 28, 28))
