"""What a plan promises to be low under its worst fault."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from fat_fpga.campaign.counted import COST, TOP5
from fat_fpga.campaign.measures import ACCURACY, CLASS
from fat_fpga.errors import PlanError
from fat_fpga.text import percent

ERRORS = {
    ACCURACY: "worst-case error",
    TOP5: "worst-case top-5 error",
    CLASS: "worst-case error of a class",
    COST: "worst-case mean cost of an image",
}
"""What plans can promise to be low, by the measure that it is about."""


@dataclass(frozen=True)
class Target:
    """What a promise is about: a measure of a campaign (`fat_fpga.campaign.measures`), of which more is better.

    Attributes:
        name: ``accuracy``, ``top5``, ``class`` (lowest accuracy of a class) or ``cost``.
        most: the measure where nothing is wrong; of accuracies the number of images.
        full: the error where everything is: 100 percent, or the highest cost of an image.
        matrix: the cost matrix, as campaigns count it; empty for other measures.
    """

    name: str
    most: int
    full: Fraction = Fraction(100)
    matrix: str = ""

    def __post_init__(self) -> None:
        if self.name not in ERRORS:
            raise PlanError(f"target must be one of {', '.join(ERRORS)}, got '{self.name}'")
        if self.most < 1 or self.full <= 0 or bool(self.matrix) != (self.name == COST):
            raise PlanError(f"target '{self.name}' needs what it is at most, and a cost matrix where it is {COST}")

    @property
    def title(self) -> str:
        """What is promised to be low: ``worst-case error``."""
        return ERRORS[self.name]

    @property
    def costs(self) -> bool:
        """Whether its error is a cost, and no share."""
        return self.name == COST

    @property
    def about_images(self) -> bool:
        """Whether the measure is a number of images, so that intervals for other images are known."""
        return self.name not in (CLASS, COST)

    def error(self, value: float) -> float:
        """The error in percent that a value of the measure is; of costs the mean cost of an image."""
        return float(self.full) * (self.most - value) / self.most

    def text(self, value: float) -> str:
        """The error for people, with its unit."""
        return f"{self.error(value):.4g}" if self.costs else f"{percent(self.error(value))} %"
