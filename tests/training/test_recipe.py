"""Recipes and their schedule."""

from __future__ import annotations

import pytest

from fat_fpga.errors import TrainingError
from fat_fpga.training import Recipe, paper_recipe
from fat_fpga.training.recipe import settings_of_recipe


def test_the_paper_halves_every_40_epochs() -> None:
    recipe, batches = paper_recipe(), 500
    steps = recipe.epochs * batches
    for epoch in (0, 1, 39, 40, 79, 80, 400, 999):
        for step in (epoch * batches, (epoch + 1) * batches - 1):
            assert recipe.rate(step, steps) == 0.02 / 2 ** (epoch // 40)


def test_the_schedule_scales() -> None:
    recipe = Recipe(epochs=20, halvings=10)
    rates = [recipe.rate(epoch, 20) for epoch in range(20)]
    assert rates == [0.02 / 2 ** (epoch // 2) for epoch in range(20)]
    assert len({Recipe(epochs=3, halvings=10).rate(step, 30) for step in range(30)}) == 10


def test_half_a_cosine_after_a_warm_up() -> None:
    recipe = Recipe(learning_rate=0.8, rate_shape="cosine", warm_up=0.1)
    rates = [recipe.rate(step, 100) for step in range(100)]
    assert rates[:10] == pytest.approx([0.8 * (step + 1) / 11 for step in range(10)])
    assert rates[10] == 0.8
    assert rates[55] == pytest.approx(0.4)  # half way
    assert rates[40] == pytest.approx(0.6)  # cos(60 degrees) is 1/2
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[99] < 0.001
    assert Recipe(warm_up=0.5, halvings=2).rate(75, 100) == 0.01


def test_recipes_by_name() -> None:
    assert Recipe(**settings_of_recipe("paper", 1)) == Recipe()
    assert Recipe(**settings_of_recipe("fast", 1)) == Recipe(
        epochs=46,
        learning_rate=0.03,
        precision="bfloat16",
        norm_images=4000,
        rate_shape="cosine",
        warm_up=0.05,
        loss="cross_entropy",
    )
    assert settings_of_recipe("fast", 2)["learning_rate"] == 0.02
    with pytest.raises(TrainingError, match="unknown recipe 'slow'; known recipes: paper, fast"):
        settings_of_recipe("slow", 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("seed", -1),
        ("halvings", 0),
        ("batch_size", 1),
        ("crop_padding", -1),
        ("norm_images", -1),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("precision", "float16"),
        ("rate_shape", "line"),
        ("loss", "hinge"),
        ("warm_up", 1.0),
        ("warm_up", -0.1),
    ],
)
def test_values_outside_their_range(name: str, value: object) -> None:
    with pytest.raises(TrainingError, match=f"recipe: {name} must be .*, got {value!r}"):
        Recipe(**{name: value})  # type: ignore[arg-type]
