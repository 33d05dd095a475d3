"""A bundled network is trained again by its card, to the same weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fat_fpga.errors import TrainingError
from fat_fpga.models import zoo
from fat_fpga.training import train
from fat_fpga.training.methods import make_method
from fat_fpga.training.pack import pack
from fat_fpga.training.recipe import Recipe
from fat_fpga.training.reproduce import main, reproduce
from fat_fpga.training.start import start_from
from tests.training.small import digits, recipe

TRAIN, TEST = digits(200), digits(50, seed=1)


@pytest.mark.parametrize("method", [("sat",), ("fat2", 10, "pixel", "linear:5"), ("dropout2d", 2.5)])
def test_the_same_weights(method: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    made = make_method(*method)  # type: ignore[arg-type]
    first = train("tfc-w1a1", TRAIN, TEST, recipe(), tmp_path / "run", method=made, progress=False)
    pack(tmp_path / "run", TEST, "small")
    again = reproduce("small", TRAIN, TEST, tmp_path / "again", progress=False)
    for name, values in first.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], values), name
    with pytest.raises(TrainingError, match="small was made with data of fingerprint"):
        reproduce("small", TEST, TEST, tmp_path / "other", progress=False)
    other = reproduce("small", TEST, TEST, tmp_path / "other", progress=False, other_data=True)
    assert len(other.history) == recipe().epochs


def test_a_start_that_does_not_come_with_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    train("tfc-w1a1", TRAIN, TEST, recipe(epochs=1), tmp_path / "first", progress=False)
    start = start_from(tmp_path / "first" / "last.pt")
    train("tfc-w1a1", TRAIN, TEST, recipe(epochs=1), tmp_path / "run", progress=False, start=start)
    pack(tmp_path / "run", TEST, "small")
    with pytest.raises(TrainingError, match=r"small: was trained from first/last.pt, which does not come with"):
        reproduce("small", TRAIN, TEST, tmp_path / "again", progress=False)


def test_every_card_can_be_followed() -> None:
    for name in zoo.bundled():
        card = zoo.card(name)
        make_method(card["method"], card.get("p"), card.get("error_model"), card.get("schedule"))
        assert Recipe(**card["recipe"]).epochs == card["epochs"]


def test_command_line_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing", "--data", "cifar10:nowhere", "-o", str(tmp_path / "run")]) == 2
    assert "no bundled network 'nothing'" in capsys.readouterr().err
    assert main(["cnv_w1a1", "--data", "npz:nowhere.npz", "-o", str(tmp_path / "run")]) == 2
    assert "nowhere.npz: no such file" in capsys.readouterr().err
