"""The protocol behind which every cost model stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fat_fpga.boards import Board
from fat_fpga.campaign import LayerRow
from fat_fpga.hardening.design import UnitShape
from fat_fpga.network import Network
from fat_fpga.network.folding import Fold


@dataclass(frozen=True)
class Built:
    """How one unit is built.

    Attributes:
        unit: its sizes without copies.
        voted: channels that stand three times, T.
        pe, simd: folding.
        whole_pes: whether the triplicated channels are those of whole PEs, so that each beat holds its own copies.
    """

    unit: UnitShape
    voted: int
    pe: int
    simd: int
    whole_pes: bool = False

    @property
    def rows(self) -> int:
        """Physical output channels, C + 2T."""
        return self.unit.channels + 2 * self.voted

    @property
    def folds(self) -> int:
        """Rows that a PE computes one after another."""
        return self.rows // self.pe

    @property
    def cycles(self) -> int:
        """Clock cycles for one image: (rows / PE) x (inputs / SIMD) x pixels (FINN's ``get_exp_cycles``)."""
        return self.folds * (self.unit.built_inputs // self.simd) * self.unit.pixels

    @property
    def lanewise(self) -> bool:
        """Whether the copies of every beat behind the voter stand in one beat in front of it, so that it needs no
        buffer: copies of whole PEs, one beat a pixel, or copies of all channels with whole triplets in each beat."""
        return self.whole_pes or self.folds == 1 or (self.voted == self.unit.channels and self.pe % 3 == 0)

    @property
    def lanes_out(self) -> int:
        """Channels in a beat behind the voter: the fewest that share C evenly and take no more beats than the unit."""
        channels = self.unit.channels
        return next(d for d in range(-(-channels // self.folds), channels + 1) if channels % d == 0)

    @property
    def votes(self) -> int:
        """Majority votes of one bit that the voter takes in a beat: the T voted channels of a pixel come in at least
        as many beats as the unit has folds."""
        return -(-self.voted // self.folds) * self.unit.bits


@dataclass(frozen=True)
class Between:
    """What stands between units: a window generator, or the thresholds of the input.

    Attributes:
        name: the place that it works for.
        what: it is.
        price: in the model's own measure.
        cycles: for an image.
    """

    name: str
    what: str
    price: float
    cycles: int


class CostModel(Protocol):
    """Prices a unit; the price of a network is the sum over its units.

    Attributes:
        name: of the model on the command line.
        title: what the figures are, for tables.
        folded: whether the price depends on a folding; if not, every row has a PE of its own and all SIMD lanes.
        parts: whether the price is in LUTs and the resources are ``BRAM_18K`` and ``DSP``, so that plans can be kept
            within a part.
    """

    name: str
    title: str
    folded: bool
    parts: bool

    @classmethod
    def of(cls, board: Board | None) -> CostModel:
        """The model for a board, where that is known."""

    def price(self, built: Built) -> float:
        """Price of the unit with its voter, in the model's own measure."""

    def resources(self, built: Built) -> dict[str, float]:
        """Other figures that add up over units, such as BRAM_18K; empty where there are none."""

    def sources(self, built: Sequence[Built]) -> dict[str, list[str]]:
        """Where figures come from, and the units whose figures do; empty where they are counted by definition."""

    def between(
        self, places: Sequence[LayerRow], folds: Mapping[str, Fold], cycles: int, network: Network | None = None
    ) -> list[Between]:
        """What stands between the units, with copies as without, and has a price, too.

        Args:
            places: of the network, its input first.
            folds: of the units.
            cycles: of the slowest unit.
            network: the network itself, where it branches.
        """
