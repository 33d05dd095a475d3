"""How a network is trained: every number that, with the seed and the data, decides the result."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from fat_fpga.arguments import checked
from fat_fpga.errors import TrainingError

Precision = Literal["float32", "bfloat16"]
PAPER_EPOCHS_PER_HALVING = 40


@dataclass(frozen=True)
class Recipe:
    """Standard training after section V of the FAT paper.

    The paper trains 1,000 epochs with Adam at 0.02, halved every 40 epochs (``epochs=1000, halvings=25`` here), no
    weight decay, batches of 100, squared hinge loss. The schedule scales: `halvings` are spread evenly over the
    epochs asked for. Ten of them take the rate to 2e-5, at which the signs of the weights have settled; more would
    leave a short training no time at the rates that learn.

    Attributes:
        epochs: passes over the training set.
        seed: of the weights, the order of the images, and the augmentation.
        learning_rate: of Adam, at the start.
        halvings: how many equal stretches the training is cut into; the rate is halved from each to the next.
        batch_size: images in a step; a last smaller batch is left out of an epoch.
        crop_padding: pixels of zero padding around an image before a random crop of its own size; 0 for none.
        flip: mirror an image left to right with probability 1/2.
        precision: of the matrix products in training. Evaluation is always in float32.
        norm_images: training images on which the statistics of the batch norms are estimated anew, in float32,
            before each evaluation; 0 keeps the running averages. The signs of binary weights flip until the end,
            and an average over the last steps lags behind them.
    """

    epochs: int = 40
    seed: int = 0
    learning_rate: float = 0.02
    halvings: int = 10
    batch_size: int = 100
    crop_padding: int = 4
    flip: bool = True
    precision: Precision = "float32"
    norm_images: int = 2000

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("seed", 0), ("halvings", 1), ("batch_size", 2), ("crop_padding", 0)):
            if getattr(self, name) < least:
                raise TrainingError(f"recipe: {name} must be at least {least}, got {getattr(self, name)}")
        if self.norm_images < 0:
            raise TrainingError(f"recipe: norm_images must be at least 0, got {self.norm_images}")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise TrainingError(f"recipe: learning_rate must be positive, got {self.learning_rate}")
        if self.precision not in ("float32", "bfloat16"):
            raise TrainingError(f"recipe: precision must be float32 or bfloat16, got {self.precision!r}")

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of step ``step`` (from 0) out of ``steps`` in the whole training."""
        return math.ldexp(self.learning_rate, -(self.halvings * step // steps))


@checked
def paper_recipe(seed: int = 0) -> Recipe:
    """The recipe of the paper in full: 1,000 epochs, the rate halved every 40."""
    return Recipe(epochs=1000, seed=seed, halvings=1000 // PAPER_EPOCHS_PER_HALVING, norm_images=0)
