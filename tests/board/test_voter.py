"""The driver of a voter, on registers that say something else when they are read again."""

from __future__ import annotations

import numpy as np
import pytest

from fat_fpga.board.registers import VOTER
from fat_fpga.board.stream import StreamLayout
from fat_fpga.board.voter import Disagreement, Voter
from fat_fpga.errors import BoardError
from fat_fpga.faults.register import Register
from tests.board.blocks import VoterBlock

SOURCES = np.array([[0, 2, 3], [1, 1, 1]], np.int32)
FRONT, BEHIND = StreamLayout(4, 1, 1, 2, Register(2, True)), StreamLayout(2, 1, 1, 2, Register(2, True))


class Flipping(VoterBlock):
    """Flips bit 0 of what is read at an offset, once."""

    at: int | None = None

    def read(self, offset: int = 0) -> int:
        flipped = offset == self.at
        if flipped:
            self.at = None
        return super().read(offset) ^ flipped


def voter() -> tuple[Flipping, Voter]:
    block = Flipping(FRONT, BEHIND, SOURCES)
    return block, Voter("fc0.vote", block, FRONT, BEHIND, SOURCES)


def test_which_copy_disagreed() -> None:
    block, driver = voter()
    assert driver.disagreements() == []
    words = np.zeros((3, 4, 1, 1), np.int64)
    words[1:, 2] = 1
    block.passes(words)
    assert driver.disagreements() == [Disagreement(0, 2, (2,))]


@pytest.mark.parametrize("offset", [VOTER["DISAGREEMENTS"].offset, VOTER.window])
def test_counters_are_read_twice(offset: int) -> None:
    block, driver = voter()
    words = np.zeros((3, 4, 1, 1), np.int64)
    words[0, 2] = 1
    block.passes(words)
    block.at = offset
    with pytest.raises(BoardError, match=r"voter fc0\.vote: its counters are others when they are read again"):
        driver.disagreements()


def test_how_wide_the_counters_are_is_read_twice() -> None:
    block = Flipping(FRONT, BEHIND, SOURCES)
    block.at = VOTER["COUNT_BITS"].offset
    with pytest.raises(BoardError, match=r"voter fc0\.vote: register COUNT_BITS holds 0x9"):
        Voter("fc0.vote", block, FRONT, BEHIND, SOURCES)
