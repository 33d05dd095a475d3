"""What the supported boards hold: the limits of the programmable logic of their parts.

Figures are the totals of AMD's data sheets DS190 (Zynq-7000) and DS891 (Zynq UltraScale+). A BRAM36 counts as two
BRAM_18K, as in FINN's estimates.
"""

from __future__ import annotations

from dataclasses import dataclass

from fat_fpga.errors import PlanError


@dataclass(frozen=True)
class Board:
    """A board, and what the logic of its part holds.

    Attributes:
        name: of the board, as FINN writes it.
        part: of the device family.
        lut: number of LUTs of six inputs.
        bram_18k: number of block RAMs of 18 Kbit.
        dsp: number of DSP slices.
        dsp48e2: whether they are those of UltraScale+; else those of Zynq-7000, DSP48E1.
    """

    name: str
    part: str
    lut: int
    bram_18k: int
    dsp: int
    dsp48e2: bool = False

    @property
    def family(self) -> str:
        """Of the device, and its technology, by which reliability data are told."""
        return "Zynq UltraScale+, 16 nm" if self.dsp48e2 else "Zynq-7000, 28 nm"


BOARDS = (
    Board("Pynq-Z1", "XC7Z020", 53_200, 280, 220),
    Board("Ultra96", "ZU3EG", 70_560, 432, 360, True),
    Board("ZCU104", "ZU7EV", 230_400, 624, 1_728, True),
)


def board(name: str) -> Board:
    """The board or the part of this name, in capitals or not; PlanError lists the known ones."""
    wanted = name.lower().replace("-", "")
    for known in BOARDS:
        if wanted in (known.name.lower().replace("-", ""), known.part.lower()):
            return known
    raise PlanError(f"unknown board or part '{name}': known are {', '.join(f'{b.name} ({b.part})' for b in BOARDS)}")
