"""Multiply-accumulate lanes under a folding: PEs times SIMD lanes, and the cycles that they need.

A unit of P PEs and S SIMD lanes has P x S multiply-accumulate lanes and takes (rows / P) x (inputs / S) x pixels cycles
for an image (FINN's ``get_exp_cycles``). The slowest unit sets the rate. A vote on one bit a beat counts as one lane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fat_fpga.boards import Board
from fat_fpga.campaign import LayerRow
from fat_fpga.hardening.costs.model import Between, Built
from fat_fpga.hardening.costs.voter import MACS_PER_VOTE
from fat_fpga.network import Network
from fat_fpga.network.folding import Fold


class FoldedModel:
    name = "folded"
    title = "multiply-accumulate lanes"
    folded = True
    parts = False

    @classmethod
    def of(cls, board: Board | None) -> FoldedModel:
        return cls()

    def price(self, built: Built) -> float:
        return built.pe * built.simd + MACS_PER_VOTE * built.votes

    def resources(self, built: Built) -> dict[str, float]:
        return {"PEs": built.pe}

    def sources(self, built: Sequence[Built]) -> dict[str, list[str]]:
        return {}

    def between(
        self, places: Sequence[LayerRow], folds: Mapping[str, Fold], cycles: int, network: Network | None = None
    ) -> list[Between]:
        return []
