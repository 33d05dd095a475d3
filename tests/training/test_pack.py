"""From a training run to a bundled network."""

from __future__ import annotations

from pathlib import Path

import pytest

from fat_fpga.errors import TrainingError
from fat_fpga.models import zoo
from fat_fpga.training import train
from fat_fpga.training.pack import main, pack
from tests.training.small import digits, recipe

TRAIN, TEST = digits(200), digits(50, seed=1)


def test_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, run = tmp_path / "bundle", tmp_path / "run"
    bundle.mkdir()
    monkeypatch.setattr(zoo, "FOLDER", bundle)
    result = train("tfc-w1a1", TRAIN, TEST, recipe(), run, progress=False)
    card = pack(run, TEST)
    assert zoo.bundled() == ("tfc_w1a1",)
    assert zoo.card("tfc_w1a1") == card
    assert card["test_accuracy"] == result.test_accuracy
    assert (card["epochs"], card["seed"], card["test_images"]) == (3, 5, 50)
    assert card["recipe"]["learning_rate"] == 0.02
    zoo.write_onnx("tfc_w1a1", tmp_path / "model.onnx")
    with pytest.raises(TrainingError, match="not the test data that"):
        pack(run, TRAIN)


def test_command_line_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--data", "npz:nowhere.npz"]) == 2
    assert capsys.readouterr().err == "error: nowhere.npz: no such file\n"
