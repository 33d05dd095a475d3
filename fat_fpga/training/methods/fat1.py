"""FAT method 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from fat_fpga.training.methods.method import Method


@dataclass(frozen=True)
class Fat1(Method):
    """All injection layers are enabled in every epoch (FAT paper, section IV-C, method 1)."""

    name = "fat1"

    def enabled(self, places: int, generator: torch.Generator) -> Sequence[int]:
        """All of them."""
        return range(places)
