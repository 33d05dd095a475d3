"""A data set and a recipe small enough to train in a second."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fat_fpga.datasets import Dataset
from fat_fpga.training import Recipe

RECIPE = Recipe(epochs=3, seed=5, halvings=3, batch_size=20, crop_padding=2, flip=True, norm_images=40)


def digits(count: int, seed: int = 0) -> Dataset:
    """Images of one bright square, whose place is their class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, count)
    images = rng.integers(0, 100, (count, 1, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = 14 * (label // 2), 14 * (label % 2)
        image[0, row + 2 : row + 12, column + 2 : column + 12] += 150
    return Dataset("digits", images, labels, ("a", "b", "c", "d"))


def recipe(**changes: object) -> Recipe:
    """`RECIPE` with some values changed."""
    return replace(RECIPE, **changes)  # type: ignore[arg-type]
