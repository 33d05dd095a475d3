"""Recipe files: what is read from them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from fat_fpga.cli.main import build_parser
from fat_fpga.cli.train import settings_of
from fat_fpga.errors import TrainingError
from fat_fpga.training.recipe_file import read_recipe_file

KNOWN = {"model": str, "p": float, "epochs": int, "flip": bool, "error_model": str}


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return tmp_path / "recipe.toml"


def test_values_have_the_types_of_the_options(recipe: Path) -> None:
    recipe.write_text('model = "tfc-w1a1"  # a comment\np = 5\nepochs = 3\nflip = false\nerror-model = "pixel"\n')
    settings = read_recipe_file(recipe, KNOWN)
    assert settings == {"model": "tfc-w1a1", "p": 5.0, "epochs": 3, "flip": False, "error_model": "pixel"}
    assert isinstance(settings["p"], float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 3", "unknown setting 'colour'; known settings: model, p, epochs, flip, error_model"),
        ("[training]\np = 5", "unknown setting 'training'"),
        ('p = "5"', "p must be a number, got '5'"),
        ("p = true", "p must be a number, got True"),
        ("epochs = 2.5", "epochs must be a whole number, got 2.5"),
        ("epochs = true", "epochs must be a whole number"),
        ("flip = 1", "flip must be true or false, got 1"),
        ("model = 5", "model must be text in quotes, got 5"),
        ("model = tfc", "not a TOML file"),
    ],
)
def test_refusals(recipe: Path, text: str, message: str) -> None:
    recipe.write_text(text)
    with pytest.raises(TrainingError, match=message) as caught:
        read_recipe_file(recipe, KNOWN)
    assert str(caught.value).startswith(f"{recipe}: ")


def test_no_file(recipe: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read as a recipe file"):
        read_recipe_file(recipe, KNOWN)
    recipe.write_bytes(b"\xff\xfe")
    with pytest.raises(TrainingError, match="not a TOML file"):
        read_recipe_file(recipe, KNOWN)


def test_the_command_line_goes_before_the_file(recipe: Path) -> None:
    recipe.write_text('model = "tfc_w1a1"\ndata = "mnist:data"\noutput = "run"\nmethod = "fat2"\np = 5\nseed = 3\n')
    parser = build_parser()
    asked = settings_of(parser.parse_args(["train", "--recipe", str(recipe), "--p", "10", "--seed", "0"]))
    assert (asked.model, asked.method, asked.p, asked.seed, asked.epochs) == ("tfc-w1a1", "fat2", 10, 0, 40)
    assert (asked.output, asked.flip, asked.error_model, asked.device) == ("run", False, None, "cpu")
    assert asked.crop_padding == 0
    asked = settings_of(parser.parse_args(["train", "--recipe", str(recipe), "--flip", "--data", "cifar10:data"]))
    assert (asked.data, asked.flip, asked.crop_padding) == ("cifar10:data", True, 4)
    with pytest.raises(TrainingError, match="a training needs --model, or model in a recipe file"):
        settings_of(parser.parse_args(["train", "--data", "cifar10:data"]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs = " + "[" * 5000, "it is nested too deeply"),
        ("epochs = " + "9" * 5000, "not a TOML file"),
        ("rate = 1" + "0" * 400, "rate is too large for a number of 64 bits"),
        ("\x00", "not a TOML file"),
    ],
)
def test_hostile_files(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(TrainingError, match=rf"recipe\.toml: .*{message}"):
        read_recipe_file(tmp_path / "recipe.toml", {"epochs": int, "rate": float})
