"""The bundle of trained networks."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnx
import pytest

from fat_fpga import models
from fat_fpga.errors import ModelError
from fat_fpga.models import zoo


def test_what_is_bundled_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zoo").mkdir()
    monkeypatch.setattr(zoo, "FOLDER", tmp_path / "zoo")
    source = tmp_path / "source.onnx"
    source.write_bytes(bytes(range(256)) * 100)
    zoo.bundle("some_net", source, {"epochs": 3})
    assert zoo.bundled() == ("some_net",)
    zoo.write_onnx("some_net", tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == source.read_bytes()
    assert zoo.card("some_net") == {"epochs": 3}
    with pytest.raises(ModelError, match="no bundled network 'other'; there are: some_net"):
        zoo.write_onnx("other", tmp_path / "other.onnx")
    assert not (tmp_path / "other.onnx").exists()


@pytest.mark.parametrize("name", zoo.bundled())
def test_every_bundled_network(tmp_path: Path, name: str) -> None:
    assert (zoo.FOLDER / f"{name}{zoo.SUFFIX}").stat().st_size < 1_000_000
    card = zoo.card(name)
    assert card["model"] in models.names()
    assert {"data", "epochs", "seed", "recipe", "commit", "date", "test_images", "test_accuracy"} <= card.keys()
    zoo.write_onnx(name, tmp_path / "model.onnx")
    assert hashlib.sha256((tmp_path / "model.onnx").read_bytes()).hexdigest() == card["onnx_sha256"]
    assert [entry.name for entry in onnx.load(tmp_path / "model.onnx").graph.input] == ["images"]
