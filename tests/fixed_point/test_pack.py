"""From a training of a float network to a bundled network in fixed point."""

from __future__ import annotations

from pathlib import Path

import pytest

from fat_fpga.errors import ModelError
from fat_fpga.fixed_point import Formats, QFormat, write_formats
from fat_fpga.fixed_point.pack import main, pack
from fat_fpga.models import zoo
from fat_fpga.network import load_network
from fat_fpga.training import train
from tests.training.small import digits, recipe

TRAIN, TEST = digits(200), digits(50, seed=1)


def test_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    result = train("lenet-fc", TRAIN, TEST, recipe(epochs=1), tmp_path / "run", progress=False)
    formats = Formats(QFormat(2, 6), QFormat(4, 4))
    card = pack(tmp_path / "run", TEST, formats)
    assert zoo.bundled() == ("lenet_fc",)
    assert zoo.card("lenet_fc") == card
    assert card["formats"] == formats.to_dict()
    assert card["float_correct"] == round(result.test_accuracy * 50)
    assert abs(card["test_correct"] - card["float_correct"]) <= 5
    assert load_network("lenet_fc").units[0].weight_type == "INT8"
    write_formats(formats, tmp_path / "q.json")
    assert main([str(tmp_path / "run"), "--data", "npz:none.npz", "--formats", str(tmp_path / "q.json")]) == 2
    assert capsys.readouterr().err == "error: none.npz: no such file\n"
    (tmp_path / "half.json").write_text('{"weights": "Q2.6"}')
    assert main([str(tmp_path / "run"), "--data", "npz:none.npz", "--formats", str(tmp_path / "half.json")]) == 2
    assert "expected a format of all weights and one of all activations" in capsys.readouterr().err


def test_a_quantised_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    train("tfc-w1a1", TRAIN, TEST, recipe(epochs=1), tmp_path / "run", progress=False)
    with pytest.raises(ModelError, match="the network tfc-w1a1 is quantised already"):
        pack(tmp_path / "run", TEST, Formats(QFormat(2, 6), QFormat(4, 4)))
