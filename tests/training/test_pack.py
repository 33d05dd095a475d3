"""From a training run to a bundled network."""

from __future__ import annotations

from pathlib import Path

import pytest

from fat_fpga.errors import TrainingError
from fat_fpga.models import zoo
from fat_fpga.training import train
from fat_fpga.training.checkpoint import read_checkpoint
from fat_fpga.training.methods import make_method
from fat_fpga.training.pack import main, pack
from fat_fpga.training.start import start_from
from tests.training.small import digits, recipe

METHOD = ("method", "p", "error_model", "schedule")
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
    assert [card[key] for key in METHOD] == ["sat", None, None, None]
    zoo.write_onnx("tfc_w1a1", tmp_path / "model.onnx")
    with pytest.raises(TrainingError, match="not the test data that"):
        pack(run, TRAIN)


def test_the_card_says_by_which_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    method = make_method("fat2", 10, "pixel", "linear:5")
    train("tfc-w1a1", TRAIN, TEST, recipe(), tmp_path / "run", method=method, progress=False)
    card = pack(tmp_path / "run", TEST, "robust")
    assert [card[key] for key in METHOD] == ["fat2", 10.0, "pixel", "linear:5"]


def test_a_run_from_before_there_were_methods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    train("tfc-w1a1", TRAIN, TEST, recipe(epochs=1), tmp_path / "run", progress=False)
    checkpoint = read_checkpoint(tmp_path / "run" / "last.pt")
    for key in METHOD[1:]:
        del checkpoint.identity[key]
    checkpoint.write(tmp_path / "run", best=False)
    card = pack(tmp_path / "run", TEST)
    assert [card[key] for key in METHOD] == ["sat", None, None, None]


def test_command_line_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--data", "npz:nowhere.npz"]) == 2
    assert capsys.readouterr().err == "error: nowhere.npz: no such file\n"


def test_a_card_names_no_folders_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    train("tfc-w1a1", TRAIN, TEST, recipe(epochs=1), tmp_path / "first", progress=False)
    start = start_from(tmp_path / "first" / "last.pt")
    train("tfc-w1a1", TRAIN, TEST, recipe(epochs=1), tmp_path / "tuned", progress=False, start=start)
    card = pack(tmp_path / "tuned", TEST)
    assert card["started_from"] == "first/last.pt"
    assert str(tmp_path) not in str(card)
