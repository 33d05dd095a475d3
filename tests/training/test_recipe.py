"""Recipes and their schedule."""

from __future__ import annotations

import pytest

from fat_fpga.errors import TrainingError
from fat_fpga.training import Recipe, paper_recipe


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
    ],
)
def test_values_outside_their_range(name: str, value: object) -> None:
    with pytest.raises(TrainingError, match=f"recipe: {name} must be .*, got {value!r}"):
        Recipe(**{name: value})  # type: ignore[arg-type]
