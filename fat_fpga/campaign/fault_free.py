"""The network without a fault on a data set: its accuracy, and whether that is more than guessing.

A campaign on images that the network does not recognise says nothing: wrong normalisation, another order of classes
or channels, another data set. All of these leave an accuracy near chance, which is noticed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign.intervals import wilson
from fat_fpga.errors import CampaignError

Z99 = 2.5758293035489004
"""Of the normal distribution for 99 %: 0.5 % lie above."""
NEAR = Fraction(1, 5)
"""An accuracy is near chance below so much of the way from chance to 100 %."""
MOSTLY = 0.9
"""A class that is predicted for more than so much of the images is predicted for nearly all."""


@dataclass(frozen=True, eq=False)
class FaultFree:
    """Predictions of the fault-free network beside the labels.

    Attributes:
        labels: int64 [N], N at least 1.
        predicted: int32 [N].
        classes: number of classes of the network.
    """

    labels: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int32]
    classes: int

    @property
    def images(self) -> int:
        """Number of images N."""
        return len(self.labels)

    @cached_property
    def correct(self) -> int:
        """Images whose predicted class is their label."""
        return int((self.labels == self.predicted).sum())

    @property
    def accuracy(self) -> Fraction:
        """In percent, exact."""
        return Fraction(100 * self.correct, self.images)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval (Wilson 1927) of the accuracy in percent on more images of this kind."""
        return wilson(self.correct, self.images)

    @cached_property
    def confusion(self) -> npt.NDArray[np.int64]:
        """Images by predicted class and label, [classes, classes]."""
        table = np.zeros((self.classes, self.classes), np.int64)
        np.add.at(table, (self.predicted, self.labels), 1)
        return table

    @cached_property
    def chance(self) -> Fraction:
        """Accuracy in percent that the same predictions reach if they are dealt out to the images at random.

        It is 100 / classes where the labels are balanced, whatever is predicted; where one class is predicted for all
        images it is the share of that class. The agreement by chance of Cohen (1960).
        """
        by_class = zip(self.confusion.sum(axis=1).tolist(), self.confusion.sum(axis=0).tolist(), strict=True)
        return Fraction(100 * sum(predicted * labelled for predicted, labelled in by_class), self.images**2)

    @property
    def near_chance(self) -> bool:
        """Whether the accuracy is surely near chance: the upper end of its 99 % confidence interval (Wilson 1927) lies
        below a fifth of the way from chance to 100 %. For 10 balanced classes that is 28 %.

        So a network that works is not called near chance because there are few images. Of 200 images or more, those
        that guess are recognised; on fewer, some pass.
        """
        return wilson(self.correct, self.images, Z99)[1] < self.chance + NEAR * (100 - self.chance)

    def expect(self, percent: float | Fraction) -> None:
        """CampaignError if the accuracy is below ``percent``; the comparison is exact, 73.85 is 7385 / 100."""
        if self.accuracy < Fraction(str(percent)):
            raise CampaignError(f"{self}, and at least {float(percent):g} % are expected: {self.causes()}")

    def warning(self) -> str | None:
        """One line for an accuracy near chance, with likely causes; None for one that is not."""
        if not self.near_chance:
            return None
        return (
            f"{self}, which is near chance ({float(self.chance):.2f} %), so what faults cost says little: "
            f"{self.causes()}"
        )

    def __str__(self) -> str:
        return (
            f"without injected faults {self.correct:,} of {self.images:,} images are classified correctly "
            f"({float(self.accuracy):.2f} %)"
        )

    def causes(self) -> str:
        """What the predictions say about why so few are right, else the causes to look for."""
        if len(np.unique(self.labels)) == 1 and self.images > 1:
            return f"all images are of class {self.labels[0]}; take images of all classes"
        most = int(self.confusion.sum(axis=1).argmax())
        share = int(self.confusion[most].sum()) / self.images
        order = self.renamed()
        if order is not None:
            # dealt with first: a network that has learnt these classes predicts no class for nearly all images
            return order
        if share > MOSTLY and self.images > 1:
            return (
                f"it predicts class {most} for {100 * share:.0f} % of them, as with pixels of another range or "
                "normalisation than in training (--pixels), or a network without training"
            )
        return (
            "look for another data set, range or normalisation of pixels (--pixels), order of classes, order of "
            "colours (RGB or BGR) or image shape than in training"
        )

    def renamed(self) -> str | None:
        """That the classes are in another order, where they would fit the labels under other numbers.

        Each predicted class takes the label that most of its images have. The order counts as found where no label is
        taken twice and at least half of the images, and twice as many as now, are right then.
        """
        used = self.confusion.sum(axis=1) > 0
        best = self.confusion.argmax(axis=1)
        right = int(self.confusion.max(axis=1).sum())
        moved = [(p, int(best[p])) for p in np.flatnonzero(used) if best[p] != p]
        distinct = len(set(best[used].tolist())) == int(used.sum()) > 1
        if not distinct or not moved or right < 2 * max(self.correct, 1) or 2 * right < self.images:
            return None
        shown = ", ".join(f"{p} is {q}" for p, q in moved[:4]) + (", ..." if len(moved) > 4 else "")
        return (
            f"the order of classes differs: {100 * right / self.images:.1f} % are right if the network's class {shown} "
            "in the data; bring the labels into the order of training"
        )
