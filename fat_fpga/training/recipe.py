"""How a network is trained: every number that, with the seed and the data, decides the result."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from fat_fpga.arguments import checked
from fat_fpga.errors import TrainingError

Precision = Literal["float32", "bfloat16"]
RateShape = Literal["halvings", "cosine"]
Loss = Literal["squared_hinge", "cross_entropy"]
Optimiser = Literal["adam", "adadelta"]
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
        learning_rate: of the optimiser, the highest.
        halvings: how many equal stretches the training is cut into; the rate is halved from each to the next. Only
            where ``rate_shape`` is ``"halvings"``.
        batch_size: images in a step; a last smaller batch is left out of an epoch.
        crop_padding: pixels of zero padding around an image before a random crop of its own size; 0 for none.
        flip: mirror an image left to right with probability 1/2.
        precision: of the matrix products in training. Evaluation is always in float32.
        norm_images: training images on which the statistics of the batch norms are estimated anew, in float32,
            before each evaluation; 0 keeps the running averages. The signs of binary weights flip until the end,
            and an average over the last steps lags behind them.
        rate_shape: ``"halvings"``, or ``"cosine"``: half a cosine from the highest rate to zero.
        warm_up: fraction of all steps in which the rate first rises from zero, in proportion.
        erase: probability that a weight or an activation of a network of floats is 0 in a step, see `Erasure`.
        optimiser: ``"adam"``, or ``"adadelta"`` (Zeiler 2012; decay 0.9).
        loss: ``"squared_hinge"`` (see `squared_hinge`), or ``"cross_entropy"`` of the softmax of the scores.
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
    rate_shape: RateShape = "halvings"
    warm_up: float = 0.0
    loss: Loss = "squared_hinge"
    erase: float = 0.0
    optimiser: Optimiser = "adam"

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("seed", 0), ("halvings", 1), ("batch_size", 2), ("crop_padding", 0)):
            if getattr(self, name) < least:
                raise TrainingError(f"recipe: {name} must be at least {least}, got {getattr(self, name)}")
        if self.norm_images < 0:
            raise TrainingError(f"recipe: norm_images must be at least 0, got {self.norm_images}")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise TrainingError(f"recipe: learning_rate must be positive, got {self.learning_rate}")
        if not 0 <= self.warm_up < 1:
            raise TrainingError(f"recipe: warm_up must be a fraction, from 0 to below 1, got {self.warm_up}")
        if not 0 <= self.erase < 1:
            raise TrainingError(f"recipe: erase must be a probability, from 0 to below 1, got {self.erase}")
        for name, known in (
            ("precision", Precision),
            ("rate_shape", RateShape),
            ("loss", Loss),
            ("optimiser", Optimiser),
        ):
            if getattr(self, name) not in get_args(known):
                expected = " or ".join(get_args(known))
                raise TrainingError(f"recipe: {name} must be {expected}, got {getattr(self, name)!r}")

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of step ``step`` (from 0) out of ``steps`` in the whole training."""
        if step < self.warm_up * steps:
            return self.learning_rate * (step + 1) / (self.warm_up * steps + 1)
        if self.rate_shape == "halvings":
            return math.ldexp(self.learning_rate, -(self.halvings * step // steps))
        start = self.warm_up * steps
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - start) / (steps - start)))


NAMES = ("paper", "fast", "float", "adadelta")
"""Recipes that have a name, for `settings_of_recipe`."""


def settings_of_recipe(name: str, weight_bits: int) -> dict[str, Any]:
    """The settings of a recipe by its name, those of `Recipe` that differ from their defaults.

    ``"paper"`` is `Recipe` as it is. ``"fast"`` was found by a search: half a cosine from a high rate, cross-entropy.
    In 46 epochs it takes CNV W1A1 to 81 % and CNV W2A2 to 86 % of CIFAR-10's test images; docs/training.md says more.
    ``"float"`` is for networks of floats: the same at the usual rate of Adam. ``"adadelta"`` is for networks of floats,
    too: that of Vialatte and Leduc-Primeau (2017, section III), 15 epochs at a rate of 1.

    Args:
        weight_bits: of the network. Weights of one bit learn at a higher rate.

    Raises:
        TrainingError: no recipe of that name.
    """
    if name not in NAMES:
        raise TrainingError(f"unknown recipe {name!r}; known recipes: {', '.join(NAMES)}")
    if name == "paper":
        return {}
    if name == "float":
        return {"epochs": 20, "learning_rate": 0.001, "rate_shape": "cosine", "warm_up": 0.05, "loss": "cross_entropy"}
    if name == "adadelta":
        return {
            "epochs": 15, "learning_rate": 1.0, "halvings": 1, "batch_size": 128, "loss": "cross_entropy",
            "optimiser": "adadelta", "norm_images": 0,
        }  # fmt: skip
    return {
        "epochs": 46,
        "learning_rate": 0.03 if weight_bits == 1 else 0.02,
        "precision": "bfloat16",
        "norm_images": 4000,
        "rate_shape": "cosine",
        "warm_up": 0.05,
        "loss": "cross_entropy",
    }


@checked
def paper_recipe(seed: int = 0) -> Recipe:
    """The recipe of the paper in full: 1,000 epochs, the rate halved every 40."""
    return Recipe(epochs=1000, seed=seed, halvings=1000 // PAPER_EPOCHS_PER_HALVING, norm_images=0)
