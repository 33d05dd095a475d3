"""The search on a few images: trained, measured, stopped and continued to the same bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.errors import CampaignError, ModelError, TrainingError
from fat_fpga.sizes import Question, Space, search

QUESTION = Question((0.01, 0.2), epochs=1, samples=2)
SPACE = Space("mlp", (1, 2), (8, 16))


def digits(count: int, seed: int) -> Dataset:
    """Images of noise with a bright row that tells the class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count)
    images = rng.integers(0, 60, (count, 1, 28, 28), np.uint8)
    images[np.arange(count), 0, 2 * labels + 4] = 255
    return Dataset(f"rows{seed}", images, labels.astype(np.int64), tuple("0123456789"))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("*/measured.json")}


def test_a_search_that_was_stopped_ends_with_the_same_networks(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    parts = digits(512, 0), digits(200, 1)
    whole = list(search(SPACE, *parts, QUESTION, tmp_path / "whole", 3, progress=False))
    for found in search(SPACE, *parts, QUESTION, tmp_path / "stopped", 3, progress=False):
        assert found == whole[0]
        break
    again = list(search(SPACE, *parts, QUESTION, tmp_path / "stopped", 3, progress=False))
    assert again == whole
    assert content(tmp_path / "stopped") == content(tmp_path / "whole")
    for one in whole:
        assert one.errors.keys() == {"uniform", "erase"}
        # a deviation of a fifth of all results costs more than one of a hundredth
        assert one.error("uniform", 0.2) > one.error("uniform", 0.01)
    with pytest.raises(TrainingError, match="holds a search with another samples, epochs"):
        next(search(SPACE, *parts, Question((0.01, 0.2)), tmp_path / "whole", 3, progress=False))
    with pytest.raises(TrainingError, match="holds a search with another kind"):
        next(search(Space.of("cnn"), *parts, QUESTION, tmp_path / "whole", 3, progress=False))


def test_training_in_bfloat16_is_another_search(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    parts = digits(256, 0), digits(100, 1)
    question = replace(QUESTION, deviations=("uniform",))
    half = replace(question, precision="bfloat16")
    first = next(search(SPACE, *parts, question, tmp_path / "float32", 1, progress=False))
    second = next(search(SPACE, *parts, half, tmp_path / "bfloat16", 1, progress=False))
    assert first.candidate == second.candidate
    assert "precision" not in (tmp_path / "float32/search.json").read_text()  # as searches of before
    with pytest.raises(TrainingError, match="holds a search with another precision"):
        next(search(SPACE, *parts, half, tmp_path / "float32", 1, progress=False))
    models = [
        torch.load(tmp_path / name / first.candidate.name / "last.pt")["model"] for name in ("float32", "bfloat16")
    ]
    assert any(not torch.equal(models[0][name], models[1][name]) for name in models[0])


def test_bad_questions() -> None:
    with pytest.raises(TrainingError, match="unknown deviation 'flip': known are uniform, erase"):
        Question(deviations=("flip",))
    with pytest.raises(TrainingError, match="precision must be float32 or bfloat16, got 'half'"):
        Question(precision="half")  # type: ignore[arg-type]
    with pytest.raises(CampaignError, match="at least one rate"):
        Question(rates=())
    with pytest.raises(ModelError, match="unknown format 'Q'"):
        next(search(SPACE, digits(10, 0), digits(10, 1), Question(format="Q"), Path("nowhere"), 1))
    assert not Path("nowhere").exists()
