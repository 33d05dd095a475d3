"""TiGRU: its size is that of the paper, it learns, and the bundled one is what its card says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fat_fpga.cli import main
from fat_fpga.datasets import Dataset
from fat_fpga.errors import ModelError
from fat_fpga.faults import fault_space
from fat_fpga.models import zoo
from fat_fpga.models.tigru import FEATURES, FILE, STEPS, TiGRU, trained
from fat_fpga.modules import ModuleSubject
from fat_fpga.modules.engine import ModuleEngine
from fat_fpga.network import load_network
from fat_fpga.training.tigru import Settings, shifted, train_tigru

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def rows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (count, FEATURES, STEPS)).astype(np.float32)


def test_the_weights_are_those_of_ares() -> None:
    """Table 1: 143K weights of the GRU, 10M of the fully connected layers."""
    model = TiGRU()
    gru = sum(part.numel() for name, part in model.gru.named_parameters() if name.startswith("weight"))
    assert gru == 143_400
    assert model.fc1.weight.numel() + model.fc2.weight.numel() == 10_162_000
    assert model.eval()(torch.zeros(2, FEATURES, STEPS)).shape == (2, 10)


def test_the_bundled_network_is_that_of_its_card() -> None:
    card, model = zoo.card("tigru"), trained()
    assert sum(part.numel() for part in model.parameters()) == card["weights"]
    assert FILE.stat().st_size < 300_000
    assert all(torch.equal(part, part.half().float()) for part in model.parameters())
    assert card["test_correct"] / card["test_images"] == card["test_accuracy"]
    assert zoo.modules() == ("tigru",)
    with pytest.raises(ModelError, match=r"tigru is a PyTorch module, .* take: module:fat_fpga.models.tigru:trained"):
        load_network("tigru")


@pytest.mark.skipif(not (SHARED / "fsdd").is_dir(), reason="the recordings are not here")
def test_the_bundled_network_on_the_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of the test part, as the whole of it takes its time: 97 % of it is right."""
    import subprocess
    import sys

    from fat_fpga.datasets import load

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    subprocess.run([sys.executable, SHARED / "unpack.py", tmp_path, "fsdd"], check=True, stdout=subprocess.DEVNULL)
    data = load(f"fsdd:{tmp_path}@test[::6]")
    subject = ModuleSubject(trained(), (FEATURES, STEPS), pixels="none")
    found = ModuleEngine().open(subject).run(data.images, data.labels, [])
    assert (found.golden == data.labels).mean() > 0.94


def test_training_learns_and_is_repeatable() -> None:
    labels = np.arange(24) % 2
    images = rows(24) * 0.3
    images[labels == 1, :5] += 1
    data = Dataset("two", images, labels, ("0", "1"))  # type: ignore[arg-type]
    told: list[str] = []
    settings = Settings(hidden=4, units=4, epochs=4, learning_rate=0.02, batch_size=8)
    first, second = (train_tigru(data, settings, told.append) for _ in range(2))
    assert told[:4] == told[4:]
    assert float(told[3].split()[-1]) < 0.7 * float(told[0].split()[-1])
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_words_are_shifted_later() -> None:
    found = shifted(torch.from_numpy(rows(6)), 9, torch.Generator().manual_seed(3))
    for row, moved in zip(rows(6), found.numpy(), strict=True):
        later = next(n for n in range(10) if moved[:, n].any())
        np.testing.assert_array_equal(moved[:, later:], row[:, : STEPS - later])


def test_faults_in_its_hidden_state() -> None:
    images = rows(2)
    subject = ModuleSubject(trained(), (FEATURES, STEPS), pixels="none", formats={"state": "Q1.7"})
    space = fault_space(subject, "state", frames=2)
    assert len(space) == 2 * (STEPS - 1) * 32 * 8
    faults = [space[number] for number in (len(space) // 3, len(space) - 1)]
    fast, plain = (
        ModuleEngine(way, rows=4).open(subject).run(images, np.zeros(2, np.int64), faults, predictions=True)
        for way in (False, True)
    )
    assert fast.predictions is not None
    assert plain.predictions is not None
    np.testing.assert_array_equal(fast.predictions, plain.predictions)


def test_the_list_of_models_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "sweep and faults take it as module:fat_fpga.models.tigru:trained" in capsys.readouterr().out
    assert main(["models", "tigru"]) == 0
    assert "stored_as: float16" in capsys.readouterr().out
