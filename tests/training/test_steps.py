"""Steps on a GPU are those of a CPU; trainings at once end as they do alone; other losses and rates are learnt with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fat_fpga.training.checkpoint import read_checkpoint
from fat_fpga.training.methods import Method, make_method
from fat_fpga.training.run import TrainingRun
from fat_fpga.training.together import train_together
from fat_fpga.training.trainer import train, training_run
from tests.training.small import digits, recipe

TRAIN, TEST = digits(200), digits(50, seed=1)
METHODS = (None, make_method("fat2", 20), make_method("dropout2d", 20))
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def begun(folder: Path, method: Method | None, device: str = "cpu", every: int = 1, epochs: int = 3) -> TrainingRun:
    settings = recipe(rate_shape="cosine", warm_up=0.1, loss="cross_entropy", epochs=epochs)
    return training_run("tfc-w1a1", TRAIN, TEST, settings, folder, device, method=method, evaluate_every=every)


def same(one: TrainingRun, other: TrainingRun) -> bool:
    theirs = other.model.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in one.model.state_dict().items())


def test_at_once_as_alone(tmp_path: Path) -> None:
    """Dropout and injected errors included."""
    lengths = (3, 2, 1)
    alone = [begun(tmp_path / f"alone{n}", METHODS[n - 1], epochs=n) for n in lengths]
    for run in alone:
        train_together([run])
    at_once = [begun(tmp_path / f"at_once{n}", METHODS[n - 1], epochs=n) for n in lengths]
    told: list[tuple[int, int]] = []
    train_together(at_once, lambda run, metrics: told.append((run.recipe.epochs, metrics["epoch"])))
    assert all(same(*pair) for pair in zip(alone, at_once, strict=True))
    assert sorted(told) == [(n, epoch) for n in sorted(lengths) for epoch in range(n)]


def test_evaluated_every_second_epoch(tmp_path: Path) -> None:
    run = begun(tmp_path, None, every=2)
    accuracies = [metrics["test_accuracy"] for metrics in run.go_on() if metrics]
    assert [accuracy == accuracy for accuracy in accuracies] == [False, True, True]  # nan is not itself
    assert len(read_checkpoint(tmp_path / "last.pt").history) == 3
    best = read_checkpoint(tmp_path / "best.pt").history[-1]["test_accuracy"]
    assert best == max(accuracies[1:])


def test_learns_with_cross_entropy_and_a_cosine(tmp_path: Path) -> None:
    settings = recipe(
        epochs=12,
        crop_padding=0,
        flip=False,
        rate_shape="cosine",
        warm_up=0.1,
        loss="cross_entropy",
        precision="bfloat16",
    )
    result = train("tfc-w1a1", TRAIN, TEST, settings, tmp_path, progress=False)
    assert result.test_accuracy > 0.7
    assert result.history[-1]["loss"] < 0.7 * result.history[0]["loss"]


def test_a_checkpoint_from_before_there_were_shapes_of_rates(tmp_path: Path) -> None:
    train("tfc-w1a1", TRAIN, TEST, recipe(epochs=1), tmp_path, progress=False)
    content = torch.load(tmp_path / "last.pt", weights_only=True)
    for name in ("rate_shape", "warm_up", "loss"):
        del content["identity"]["recipe"][name]
    torch.save(content, tmp_path / "last.pt")
    assert len(train("tfc-w1a1", TRAIN, TEST, recipe(epochs=1), tmp_path, progress=False).history) == 1


@CUDA
@pytest.mark.parametrize("method", METHODS)
def test_recorded_steps_learn_as_called_ones(method: Method | None, tmp_path: Path) -> None:
    """Losses are close and not equal: sums have no fixed order on a GPU, and errors come from another generator."""
    cpu, cuda = (begun(tmp_path / device, method, device, epochs=8) for device in ("cpu", "cuda"))
    train_together([cpu])
    train_together([cuda])
    for ours, theirs in zip(cuda.history, cpu.history, strict=True):
        assert ours["learning_rate"] == theirs["learning_rate"]
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=0.15)
    resumed = begun(tmp_path / "cuda", method, "cpu", epochs=8)  # a checkpoint of one device is good for another
    assert len(resumed.history) == 8
