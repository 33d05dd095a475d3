"""What a method of training is: the places that it changes, in which epochs, by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from fat_fpga.errors import TrainingError
from fat_fpga.training.injection import Injector, insert_injectors
from fat_fpga.training.injection.error_models import check_error_model
from fat_fpga.training.injection.injector import check_percent
from fat_fpga.training.schedule import parse_schedule


@dataclass(frozen=True)
class Method:
    """A recipe object: error injection by one of the paper's methods. A new method is a subclass in a file of its own.

    Attributes:
        p: probability of an error in the first epoch, in percent; it has to be given (the paper finds 1 to 10 best,
            section VI), but for a method that has none.
        error_model: what goes wrong together, a name in `ERROR_MODELS`; ``None`` where a method has none.
        schedule: how p goes on, such as ``"linear:10"``; see `parse_schedule`. ``None`` as above.

    Raises:
        TrainingError: p is missing or outside [0, 100], or error model or schedule are unknown.
    """

    name: ClassVar[str]
    p: float | None = None
    error_model: str | None = "channel"
    schedule: str | None = "constant"

    def __post_init__(self) -> None:
        if self.p is None:
            raise TrainingError(f"method {self.name} needs p, the probability of an error in percent, such as 5")
        object.__setattr__(self, "p", check_percent(self.p))
        if self.error_model is not None:
            check_error_model(self.error_model)
        if self.schedule is not None:
            for p in parse_schedule(self.schedule).probabilities():
                check_percent(p)

    def insert(self, model: nn.Module, behind_pools: bool = True) -> Sequence[Injector]:
        """Insert the method's layers into ``model``; they are enabled epoch by epoch afterwards."""
        return insert_injectors(model, self.error_model or "channel", self.p or 0.0, behind_pools)

    def enabled(self, places: int, generator: torch.Generator) -> Sequence[int]:
        """The places, out of ``places``, that are enabled in an epoch; ``generator`` belongs to that epoch alone."""
        raise NotImplementedError

    def probability(self, epoch: int, epochs: int) -> float:
        """The p of ``epoch`` (from 0) out of ``epochs``, in percent."""
        return parse_schedule(self.schedule or "constant").at(self.p or 0.0, epoch, epochs)
