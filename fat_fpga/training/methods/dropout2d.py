"""Dropout2D in the places of the injection layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from fat_fpga.errors import TrainingError
from fat_fpga.training.injection import Injector
from fat_fpga.training.injection.insertion import places_for
from fat_fpga.training.methods.method import Method


class Dropout2dInjector(Injector):
    """Drops channels to 0 and scales the others by 1 / (1 - p), as torch's Dropout2d (equations 6 and 7)."""

    def change(self, x: Tensor) -> Tensor:
        """Drop channels of [b, c, h, w]; of [b, c] single values."""
        drop = functional.dropout2d if x.dim() == 4 else functional.dropout
        return drop(x, self.p / 100, training=True)


@dataclass(frozen=True)
class Dropout2d(Method):
    """FAT method 1 with Dropout2D layers for injection layers (FAT paper, section V-D)."""

    name = "dropout2d"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.error_model != "channel":
            raise TrainingError(f"method dropout2d drops channels, it takes no error model {self.error_model!r}")

    def insert(self, model: nn.Module, behind_pools: bool = True) -> Sequence[Injector]:
        """Insert a dropout layer in each place."""
        return [Dropout2dInjector(place, self.p or 0.0) for place in places_for(model, behind_pools)]

    def enabled(self, places: int, generator: torch.Generator) -> Sequence[int]:
        """All of them."""
        return range(places)
