"""Multiply-accumulates of the fully unrolled network (Zahid et al. 2020, section V-C and Figure 9).

Every multiply-accumulate has a PE of its own. A triplicated channel adds its own multiply-accumulates twice more; the
layer behind stays as it is, because the voter passes on as many channels as before. The paper leaves the voter out;
here the vote on one bit of one activation counts as one multiply-accumulate: it takes one LUT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fat_fpga.boards import Board
from fat_fpga.campaign import LayerRow
from fat_fpga.hardening.costs.model import Between, Built
from fat_fpga.hardening.costs.voter import MACS_PER_VOTE
from fat_fpga.network import Network
from fat_fpga.network.folding import Fold


class MacsModel:
    name = "macs"
    title = "MACs, fully unrolled"
    folded = False
    parts = False

    @classmethod
    def of(cls, board: Board | None) -> MacsModel:
        return cls()

    def price(self, built: Built) -> float:
        unit = built.unit
        return unit.pixels * (unit.inputs * built.rows + MACS_PER_VOTE * unit.bits * built.voted)

    def resources(self, built: Built) -> dict[str, float]:
        return {}

    def sources(self, built: Sequence[Built]) -> dict[str, list[str]]:
        return {}

    def between(
        self, places: Sequence[LayerRow], folds: Mapping[str, Fold], cycles: int, network: Network | None = None
    ) -> list[Between]:
        return []
