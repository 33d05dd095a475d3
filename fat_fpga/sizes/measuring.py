"""Training one network of a search, and measuring it under deviations."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fat_fpga.arguments import checked
from fat_fpga.campaign.rates import check_rates
from fat_fpga.campaign.rounds import run_in_rounds
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.campaign.sweep_rounds import UntilInterval
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines.counts import ERRORS, HITS
from fat_fpga.errors import TrainingError
from fat_fpga.faults.activation import ActivationUpset
from fat_fpga.reports.curves import curves
from fat_fpga.sizes.candidate import Candidate
from fat_fpga.sizes.measured import FILE, Measured, read_measured
from fat_fpga.training.recipe import Precision, Recipe, settings_of_recipe

DEVIATIONS = ("uniform", "erase")


@dataclass(frozen=True)
class Question:
    """What is asked of every network of a search.

    Attributes:
        rates: probabilities of a deviation, ascending.
        deviations: ``uniform``: the result is any other value of its format, each as likely; ``erase``: it is 0.
        format: of the results of all layers with weights, before the activation.
        samples: of each rate; each draws anew for each image.
        epochs: of the training; the recipe is ``adadelta``.
        seed: of the training and of what is drawn.
        images: of the test set; None for all.
        precision: of the matrix products in training; all that is measured is computed in float32.
    """

    rates: tuple[float, ...] = (5e-4, 1e-3, 2e-3, 5e-3)
    deviations: tuple[str, ...] = DEVIATIONS
    format: str = "Q3.13"
    samples: int = 1
    epochs: int = 15
    seed: int = 0
    images: int | None = None
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        check_rates(self.rates)
        unknown = [name for name in self.deviations if name not in DEVIATIONS]
        if unknown or not self.deviations:
            raise TrainingError(f"unknown deviation '{', '.join(unknown)}': known are {', '.join(DEVIATIONS)}")
        self.recipe()

    def to_dict(self) -> dict[str, Any]:
        """Plain values; what older searches do not name is left out where it is as it was in them."""
        found = asdict(self)
        if self.precision == "float32":
            del found["precision"]
        return found

    def recipe(self) -> Recipe:
        """How every network is trained; TrainingError where no network can be."""
        settings = settings_of_recipe("adadelta", 32) | {
            "epochs": self.epochs,
            "seed": self.seed,
            "precision": self.precision,
        }
        return Recipe(**settings, flip=False, crop_padding=0)


@checked
def measure(
    candidate: Candidate, train_set: Dataset, test_set: Dataset, question: Question, folder: Path, progress: bool = True
) -> Measured:
    """Train a network and measure it; what was measured before is read, what was stopped continues.

    Args:
        train_set, test_set: images [N, 1, 28, 28].
        folder: of the whole search; the network gets a folder of its name in it.

    Raises:
        TrainingError, CampaignError: as training and sweeps do; the folder is of another search.
        OSError: it cannot be written.
    """
    from fat_fpga.modules import ModuleSubject
    from fat_fpga.training.trainer import train

    own = Path(folder) / candidate.name
    if (own / FILE).exists():
        return read_measured(own / FILE)
    trained = train(candidate.name, train_set, test_set, question.recipe(), own, progress=progress)
    images = test_set.first(question.images)
    formats = {f"{place}/{ActivationUpset.kind}": question.format for place in candidate.places}
    subject = ModuleSubject(trained.model.eval(), images.images.shape[1:], candidate.name, formats=formats)
    errors, error_free = {}, 0.0
    for deviation in question.deviations:
        sweep = Sweep(
            (ActivationUpset.kind,),
            question.rates,
            question.samples,
            errors=deviation,
            layers=candidate.places,
            seed=question.seed,
        )
        rounds = UntilInterval(sweep, subject.fault_free)
        run = run_in_rounds(
            subject, images, rounds, own / f"{deviation}.run", progress=progress, counting=(ERRORS, HITS)
        )
        (curve,) = curves(run)
        errors[deviation] = {point.rate: 100 - point.mean for point in curve.points}
        error_free = 100 - curve.error_free
    found = Measured(candidate, error_free, errors)
    found.write(own)
    return found
