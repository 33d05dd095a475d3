"""FAT method 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from fat_fpga.training.methods.method import Method


@dataclass(frozen=True)
class Fat2(Method):
    """One injection layer, drawn at random, is enabled in each epoch (FAT paper, Algorithm 2)."""

    name = "fat2"

    def enabled(self, places: int, generator: torch.Generator) -> Sequence[int]:
        """One of them."""
        return (int(torch.randint(places, (), generator=generator)),)
