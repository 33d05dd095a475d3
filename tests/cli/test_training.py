"""From a training to a campaign, by command line alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run
from fat_fpga.cli import main
from fat_fpga.cli.main import build_parser
from fat_fpga.cli.train import settings_of
from fat_fpga.network import load_network

from .conftest import Refused

pytest.importorskip("torch")
pytest.importorskip("brevitas")

TRAIN = ("train", "--model", "tfc-w1a1", "--data", "npz:digits.npz", "-o", "out", "-q")


@pytest.fixture
def digits(folder: Path) -> Path:
    images = np.random.default_rng(0).integers(0, 256, (100, 1, 28, 28)).astype(np.uint8)
    np.savez(folder / "digits.npz", images=images, labels=np.arange(100) % 10)
    return folder


def test_train_export_campaign(digits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TRAIN, "--epochs", "1", "--batch-size", "50"]) == 0
    assert "of 100 test images after 1 epoch\n" in capsys.readouterr().out
    assert main(["export", "out/best.pt", "-o", "tfc.onnx"]) == 0
    campaign = ("campaign", "tfc.onnx", "--data", "npz:digits.npz", "--layers", "fc2", "--images", "20", "-q")
    assert main([*campaign, "-o", "tfc.run", "--engine", "reference"]) == 0
    run = Run.open("tfc.run")
    assert (run.done, run.complete) == (128, True)


def test_images_of_a_folder_are_brought_to_the_size_of_the_network(folder: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for name in ("cat/0", "cat/1", "dog/0", "dog/1"):
        (folder / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (40 + rng.integers(5), 50, 3)).astype(np.uint8)
        image.fromarray(pixels).save(folder / "pictures" / f"{name}.png")
    train = ("train", "--model", "cnv-w1a1", "--data", "folder:pictures", "--epochs", "1", "--batch-size", "2")
    assert main([*train, "-o", "out", "-q"]) == 0
    assert main(["export", "out/last.pt", "-o", "pets.onnx"]) == 0
    network = load_network("pets.onnx")
    assert (network.input.shape, network.classes) == ((3, 32, 32), 2)


def test_fault_aware_training(digits: Path) -> None:
    (digits / "recipe.toml").write_text('method = "fat1"\np = 50\nerror-model = "element"\nepochs = 1\n')
    assert main([*TRAIN, "--recipe", "recipe.toml", "--batch-size", "50", "--method", "fat2"]) == 0
    header, row = Path("out/metrics.csv").read_text().splitlines()
    assert header.endswith(",p,enabled")
    assert row.rsplit(",", 2)[1:] in ([p, name] for p in ("50.0",) for name in ("fc0_act", "fc1_act", "fc2_act"))


def test_fault_aware_training_refuses_in_one_line(digits: Path, refused: Refused) -> None:
    assert "unknown method 'fat9'; known methods: sat, fat1, fat2" in refused(*TRAIN, "--method", "fat9")
    assert "method fat2 needs p" in refused(*TRAIN, "--method", "fat2")
    for p in ("-1", "100.5", "nan"):
        assert "expected a percentage, 0 to 100" in refused(*TRAIN, "--method", "fat2", "--p", p)
    assert "known error models: channel, pixel" in refused(*TRAIN, "--method", "fat1", "--p", "5", "--error-model", "x")
    assert "unknown schedule" in refused(*TRAIN, "--method", "fat1", "--p", "5", "--schedule", "x")
    assert "sat injects no errors" in refused(*TRAIN, "--p", "5")
    assert "a training needs --output" in refused(*TRAIN[:-3])
    (digits / "recipe.toml").write_text("layers = 3\n")
    assert "recipe.toml: unknown setting 'layers'; known settings: model, data" in refused(
        *TRAIN, "--recipe", "recipe.toml"
    )
    expected = r"nowhere.toml: no recipe of that name (paper, fast, float, adadelta), and no such file"
    assert expected in refused(*TRAIN, "--recipe", "nowhere.toml")


def test_a_run_of_another_training_is_refused(digits: Path, refused: Refused) -> None:
    fat2 = (*TRAIN, "--epochs", "1", "--batch-size", "50", "--method", "fat2", "--p", "5")
    assert main(fat2) == 0
    assert "out: holds another training, with p = 5.0 instead of 10.0" in refused(*fat2[:-1], "10")
    assert "with model = 'tfc-w1a1' instead of 'tfc-w2a2'" in refused(*fat2, "--model", "tfc-w2a2")
    assert "with error_model = 'channel' instead of 'pixel'" in refused(*fat2, "--error-model", "pixel")


def test_training_refuses_in_one_line(digits: Path, refused: Refused) -> None:
    assert "known models" in refused("train", "--model", "tfc-w9a9", *TRAIN[3:])
    assert "argument --epochs: expected a whole number, 1 or more" in refused(*TRAIN, "--epochs", "0")
    assert "takes [3, 32, 32]" in refused("train", "--model", "cnv-w1a1", *TRAIN[3:])
    assert "not a readable checkpoint" in refused("export", "digits.npz", "-o", "a.onnx")
    assert "has 1 image; batch norms need at least 2 images" in refused(*TRAIN, "--images", "1")
    assert not Path("out").exists()


@pytest.mark.parametrize(("epochs", "halvings", "expected"), [(1, (), 1), (3, (), 3), (40, (), 10), (1, ("7",), 7)])
def test_a_short_training_halves_the_rate_once_an_epoch(epochs: int, halvings: tuple[str, ...], expected: int) -> None:
    parser = build_parser()
    given = [part for value in halvings for part in ("--halvings", value)]
    settings = settings_of(parser.parse_args([*TRAIN, "--epochs", str(epochs), *given]))
    assert settings.halvings == expected
