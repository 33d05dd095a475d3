"""Trainings in MLflow and Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from fat_fpga.tracking import TRACKERS, Tracker, Value, numbers_of
from fat_fpga.training.callbacks import Callback


class Tracked(Callback):
    """Gives the numbers among an epoch's metrics to a tracker, by epoch.

    Args:
        name: of the tracker, a key of `fat_fpga.tracking.TRACKERS`.
        folder: of the training; the same training goes on in the same tracked run.
        parameters: of the training.
    """

    def __init__(self, name: str, folder: Path, parameters: Mapping[str, Value]) -> None:
        self._name, self._folder, self._parameters = name, folder, parameters
        self._tracker: Tracker | None = None

    def on_epoch_end(self, model: nn.Module, epoch: int, metrics: Mapping[str, Any]) -> None:
        """Keep them; the run begins with the first epoch."""
        if self._tracker is None:
            self._tracker = TRACKERS[self._name](self._folder, self._folder.name, self._parameters)
        self._tracker.log(numbers_of(metrics), epoch)

    def on_train_end(self, model: nn.Module) -> None:
        """End the run."""
        if self._tracker is not None:
            self._tracker.close()


def tracked(names: Sequence[str], folder: Path, parameters: Mapping[str, Value]) -> list[Callback]:
    """The callbacks of these trackers."""
    return [Tracked(name, folder, parameters) for name in names]
