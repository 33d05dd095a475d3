"""How resilient a module is: correct images under errors at some rates, and the area under the curve (AUC)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

import numpy as np

from fat_fpga.campaign.sweep import Sweep
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import get
from fat_fpga.errors import CampaignError
from fat_fpga.modules import ModuleSubject
from fat_fpga.reports.area import mean_height

AXES = ("linear", "log")


@dataclass(frozen=True)
class Correct:
    """Correct images.

    Attributes:
        images: how many there are.
        error_free: without errors.
        samples: of each rate, in the order of the rates, those of each sample.
    """

    images: int
    error_free: int
    samples: tuple[tuple[int, ...], ...]

    def means(self) -> list[float]:
        """Mean accuracy at each rate, 0 to 1."""
        return [float(np.mean(own)) / self.images for own in self.samples]

    def area(self, rates: Sequence[float], axis: str) -> float:
        """Area under the accuracy, both axes normalised: 1 where all images are right at all rates.

        On the ``linear`` axis the curve starts with the accuracy without errors at rate 0 (FT-ClipAct, section IV-B);
        on the ``log`` axis it starts at the lowest rate.
        """
        if axis == "linear":
            return mean_height([0.0, *rates], [self.error_free / self.images, *self.means()])
        return mean_height([log10(rate) for rate in rates], self.means())


class Resilience:
    """Measures a module under the same errors again and again, whatever its bounds are.

    Args:
        subject: what is measured; its bounds may change from one measurement to the next.
        data: with labels.
        sweep: which errors; one curve.
        axis: of the area.
        threads: of PyTorch; 0 leaves them as they are.

    Raises:
        CampaignError: too few rates for an area; the sweep has several curves.
        FaultError: the module has no such cells.
    """

    def __init__(self, subject: ModuleSubject, data: Dataset, sweep: Sweep, axis: str = "linear") -> None:
        check_axis(sweep, axis)
        data.need_labels("clip")
        self.subject, self.data, self.sweep, self.axis = subject, data, sweep, axis
        self._patterns = sweep.patterns(subject)
        self._session = get("module").open(subject)

    def correct(self) -> Correct:
        """Correct images now."""
        found = self._session.run(self.data.images, self.data.labels, self._patterns)
        own = found.correct.tolist()
        count = self.sweep.samples
        samples = tuple(tuple(own[start : start + count]) for start in range(0, len(own), count))
        return Correct(len(self.data), int(np.sum(found.golden == self.data.labels)), samples)

    def area(self, correct: Correct) -> float:
        """The area under the curve, 0 to 1."""
        return correct.area(self.sweep.rates, self.axis)


def check_axis(sweep: Sweep, axis: str) -> None:
    """CampaignError where there is no area over these rates, or several curves."""
    if axis not in AXES:
        raise CampaignError(f"unknown axis '{axis}' of an area: choose among {', '.join(AXES)}")
    if sweep.rates[0] <= 0:
        raise CampaignError("rates of an area are above 0: the network without errors is measured in any case")
    if axis == "log" and len(sweep.rates) < 2:
        raise CampaignError("an area over the logarithm of the rate needs at least two rates")
    if sweep.scope != "network":
        raise CampaignError(f"an area is of one curve: expected the scope network, got {sweep.scope}")
