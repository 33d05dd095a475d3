"""Training: it learns, repeats itself, resumes to the same bits, and refuses what does not fit."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fat_fpga import models
from fat_fpga.datasets import Dataset
from fat_fpga.errors import ModelError, TrainingError
from fat_fpga.models.builder import latent_weights
from fat_fpga.training import Callback, TrainingResult, train
from fat_fpga.training.checkpoint import read_checkpoint
from fat_fpga.training.methods import Method, make_method
from fat_fpga.training.pack import load_trained
from fat_fpga.training.recipe import Recipe
from fat_fpga.training.step import clamp_weights
from tests.training.small import RECIPE, digits, recipe

TRAIN, TEST = digits(200), digits(50, seed=1)


def run(folder: Path, changed: Recipe = RECIPE, *callbacks: Callback, method: Method | None = None) -> TrainingResult:
    return train("tfc-w1a1", TRAIN, TEST, changed, folder, callbacks=callbacks, method=method, progress=False)


FAT2 = make_method("fat2", 20)


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(value, theirs[key]) for key, value in one.state_dict().items())


class Stop(Callback):
    """Ends the process, so to speak, before the checkpoint of an epoch is written."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_epoch_end(self, model: nn.Module, epoch: int, metrics: Mapping[str, float]) -> None:
        if epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("method", [None, FAT2, make_method("dropout2d", 20)])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_resumed_equals_uninterrupted(tmp_path: Path, precision: str, method: Method | None) -> None:
    changed = recipe(precision=precision)
    whole = run(tmp_path / "whole", changed, method=method)
    for epoch in range(changed.epochs):
        torch.manual_seed(epoch)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "parts", changed, Stop(epoch), method=method)
    resumed = run(tmp_path / "parts", changed, method=method)
    assert same_weights(whole.model, resumed.model)
    untimed = [[{**epoch, "seconds": 0} for epoch in result.history] for result in (whole, resumed)]
    assert untimed[0] == untimed[1]
    with (tmp_path / "parts" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2]
    assert [float(row["learning_rate"]) for row in rows] == [0.02, 0.01, 0.005]


def test_a_network_of_any_size_is_continued_with_adadelta(tmp_path: Path) -> None:
    settings = recipe(optimiser="adadelta", learning_rate=1.0, loss="cross_entropy", halvings=1, norm_images=0)

    def trained(folder: Path, *callbacks: Callback) -> TrainingResult:
        return train("cnn-1-5-2-3", TRAIN, TEST, settings, folder, callbacks=callbacks, progress=False)

    whole = trained(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "parts", Stop(1))
    assert same_weights(whole.model, trained(tmp_path / "parts").model)
    assert whole.history[-1]["loss"] < whole.history[0]["loss"]
    assert {epoch["learning_rate"] for epoch in whole.history} == {1.0}
    with pytest.raises(TrainingError, match=r"with recipe\.optimiser = 'adadelta' instead of 'adam'"):
        train("cnn-1-5-2-3", TRAIN, TEST, replace(settings, optimiser="adam"), tmp_path / "parts", progress=False)


def test_learns_and_keeps_what_it_learnt(tmp_path: Path) -> None:
    result = run(tmp_path, recipe(epochs=10, crop_padding=0, flip=False))
    assert result.test_accuracy > 0.7
    assert result.history[-1]["loss"] < result.history[0]["loss"]
    assert all(weight.abs().max() <= 1 for weight in latent_weights(result.model))
    assert same_weights(load_trained(tmp_path, "last")[0], result.model)
    best = load_trained(tmp_path, "best")[1]
    assert best.history[-1]["test_accuracy"] == max(epoch["test_accuracy"] for epoch in result.history)
    again = run(tmp_path, recipe(epochs=10, crop_padding=0, flip=False))
    assert again.history == result.history


def test_the_seed_decides(tmp_path: Path) -> None:
    one, same, other = (run(tmp_path / str(i), recipe(epochs=1, seed=seed)) for i, seed in enumerate((1, 1, 2)))
    assert same_weights(one.model, same.model)
    assert not same_weights(one.model, other.model)


def test_clamping() -> None:
    model = models.build("tfc-w1a1")
    weight = latent_weights(model)[0]
    norm: Any = model.get_submodule("fc0_norm")
    with torch.no_grad():
        weight.copy_(torch.linspace(-3, 3, weight.numel()).view_as(weight))
        norm.weight.fill_(5)
        expected = weight.clamp(-1, 1)
    clamp_weights(model)
    assert torch.equal(weight, expected)
    assert (norm.weight == 5).all()


class Record(Callback):
    def __init__(self) -> None:
        self.calls: list[str] = []

    def on_train_start(self, model: nn.Module) -> None:
        self.calls.append("train")

    def on_epoch_start(self, model: nn.Module, epoch: int) -> None:
        self.calls.append(f"start {epoch} {torch.rand(()):.6f}")

    def on_epoch_end(self, model: nn.Module, epoch: int, metrics: Mapping[str, float]) -> None:
        self.calls.append(f"end {epoch} {metrics['epoch']}")


def test_callbacks(tmp_path: Path) -> None:
    one, other = Record(), Record()
    run(tmp_path / "one", recipe(epochs=2), one)
    run(tmp_path / "other", recipe(epochs=2), other)
    assert [call.rsplit(" ", 1)[0] for call in one.calls] == ["train", "start 0", "end 0", "start 1", "end 1"]
    assert one.calls == other.calls


@pytest.mark.parametrize(
    ("changed", "method", "message"),
    [
        (recipe(learning_rate=0.01), None, r"with recipe.learning_rate = 0.02 instead of 0.01; choose another folder"),
        (recipe(epochs=9), None, "with recipe.epochs = 3 instead of 9"),
        (RECIPE, FAT2, "with method = 'sat' instead of 'fat2'"),
    ],
)
def test_another_training_is_not_continued(
    tmp_path: Path, changed: Recipe, method: Method | None, message: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, RECIPE, Stop(1))
    before = (tmp_path / "last.pt").read_bytes()
    with pytest.raises(TrainingError, match=message):
        run(tmp_path, changed, method=method)
    assert (tmp_path / "last.pt").read_bytes() == before


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (make_method("fat2", 10), "with p = 20.0 instead of 10.0"),
        (make_method("fat2", 20, "pixel"), "with error_model = 'channel' instead of 'pixel'"),
        (make_method("fat2", 20, "channel", "linear:5"), "with schedule = 'constant' instead of 'linear:5'"),
        (make_method("fat1", 20), "with method = 'fat2' instead of 'fat1'"),
        (None, "with method = 'fat2' instead of 'sat'"),
    ],
)
def test_another_method_is_not_continued(tmp_path: Path, method: Method | None, message: str) -> None:
    run(tmp_path, recipe(epochs=1), method=FAT2)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(TrainingError, match=message):
        run(tmp_path, recipe(epochs=1), method=method)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_another_model_is_not_continued(tmp_path: Path) -> None:
    run(tmp_path, recipe(epochs=1), method=FAT2)
    with pytest.raises(TrainingError, match="with model = 'tfc-w1a1' instead of 'tfc-w2a2'"):
        train("tfc-w2a2", TRAIN, TEST, recipe(epochs=1), tmp_path, method=FAT2, progress=False)


def test_a_checkpoint_from_before_there_were_methods_is_continued(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", RECIPE, Stop(1))
    checkpoint = read_checkpoint(tmp_path / "parts" / "last.pt")
    for key in ("p", "error_model", "schedule"):
        del checkpoint.identity[key]
    checkpoint.write(tmp_path / "parts", best=False)
    assert same_weights(run(tmp_path / "parts").model, whole.model)


def test_other_data_is_refused(tmp_path: Path) -> None:
    run(tmp_path, recipe(epochs=1))
    with pytest.raises(TrainingError, match="with train_data = "):
        train("tfc-w1a1", TEST, TEST, recipe(epochs=1), tmp_path, progress=False)


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="unknown model"):
        train("nothing", TRAIN, TEST, RECIPE, tmp_path / "run")
    with pytest.raises(TrainingError, match=r"digits: images are \[1, 28, 28\], cnv-w1a1 takes \[3, 32, 32\]"):
        train("cnv-w1a1", TRAIN, TEST, RECIPE, tmp_path / "run")
    renamed = Dataset("other", TEST.images, TEST.labels, ("p", "q", "r", "s"))
    with pytest.raises(TrainingError, match="other: its classes are not those of digits"):
        train("tfc-w1a1", TRAIN, renamed, RECIPE, tmp_path / "run")
    with pytest.raises(TrainingError, match="device 'abacus' cannot be used here"):
        train("tfc-w1a1", TRAIN, TEST, RECIPE, tmp_path / "run", device="abacus")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="it is a file"):
        run(tmp_path / "file")


def test_damaged_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "last.pt").write_bytes(b"no checkpoint")
    with pytest.raises(TrainingError, match=r"last\.pt: not a readable checkpoint"):
        run(tmp_path)
