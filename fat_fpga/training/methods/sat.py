"""Standard training: no errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from fat_fpga.errors import TrainingError
from fat_fpga.training.injection import Injector
from fat_fpga.training.methods.method import Method


@dataclass(frozen=True)
class Sat(Method):
    """Standard training (SAT), what the paper compares with."""

    name = "sat"
    p: float | None = None
    error_model: str | None = None
    schedule: str | None = None

    def __post_init__(self) -> None:
        for setting in ("p", "error_model", "schedule"):
            if getattr(self, setting) is not None:
                raise TrainingError(f"method sat injects no errors and takes no {setting.replace('_', ' ')}")

    def insert(self, model: nn.Module, behind_pools: bool = True) -> Sequence[Injector]:
        """Insert nothing."""
        return ()

    def enabled(self, places: int, generator: torch.Generator) -> Sequence[int]:
        """None."""
        return ()
