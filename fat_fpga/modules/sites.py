"""Sites: what a place and a kind of fault are in a module."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from fat_fpga.modules.formats import Format
from fat_fpga.modules.formats.quantised import Quantised
from fat_fpga.modules.input import cells_of


class Where(Enum):
    """What the words of a site are in."""

    PARAMETER = "a parameter or a buffer"
    INPUT = "what the module is called with"
    OUTPUT = "what a module in it gives"
    QUANTISED = "a parameter behind its quantiser"
    STATE = "the hidden state of a recurrent module"


@dataclass(frozen=True, eq=False)
class Site:
    """Words that faults of one kind can sit in at one place.

    Attributes:
        where: what they are in.
        name: of the parameter, or of the module.
        shape: of the parameter, or of the tensor of one image.
        format: how they stand in bits.
        axis: of the batch; None for stored words.
        calls: how often the module is called, where the words of each call are words of their own; else 1.
        most: the most numbers that an index has.
    """

    where: Where
    name: str
    shape: tuple[int, ...]
    format: Format
    axis: int | None = None
    calls: int = 1
    most: int = 3

    @cached_property
    def dims(self) -> tuple[int, ...]:
        """How many words there are, by the numbers of an index."""
        several = self.calls > 1 or self.where is Where.STATE
        return cells_of((self.calls, *self.shape) if several else self.shape, self.most)

    def cell(self, index: tuple[int, ...]) -> int:
        """The number of the word at an index, in the order of memory. Of single faults, so without numpy, whose start
        costs more."""
        found = 0
        for at, count in zip(index, self.dims, strict=True):
            found = found * count + at
        return found

    @cached_property
    def in_rows(self) -> bool:
        """Whether its words are those of one tensor whose first axis is that of the batch, each read by itself."""
        streams = self.where in (Where.INPUT, Where.OUTPUT)
        return streams and self.axis == 0 and self.calls == 1 and not isinstance(self.format, Quantised)

    @cached_property
    def size(self) -> int:
        """Words of one call."""
        return int(np.prod(self.shape, dtype=np.int64))
