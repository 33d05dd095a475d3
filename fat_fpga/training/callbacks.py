"""The places in a training where other code can take part."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from torch import nn


class Callback:
    """Does nothing; override what is needed.

    Torch's global generator is seeded from the recipe's seed and the epoch just before `on_epoch_start`, so a callback
    that draws from it, there or in a layer it put into the model, repeats itself when a training is resumed.
    """

    def on_train_start(self, model: nn.Module) -> None:
        """Called once, before a checkpoint is loaded into ``model``: the place to insert layers."""

    def on_epoch_start(self, model: nn.Module, epoch: int) -> None:
        """Called before epoch ``epoch`` (from 0)."""

    def form(self) -> Hashable:
        """Two epochs of equal form run the same operations in each step: a recorded step of one serves the other."""
        return None

    def metrics(self) -> Mapping[str, float | str]:
        """What to add to the metrics of the epoch that has just been trained, by column of ``metrics.csv``."""
        return {}

    def on_epoch_end(self, model: nn.Module, epoch: int, metrics: Mapping[str, Any]) -> None:
        """Called after epoch ``epoch`` has been evaluated, before its checkpoint is written."""

    def on_train_end(self, model: nn.Module) -> None:
        """Called once at the end, also if the training was stopped: the place to take layers out and close files."""
