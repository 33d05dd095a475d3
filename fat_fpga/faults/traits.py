"""What a kind of fault is, for those who count, draw and name faults: reports, help texts, boards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fat_fpga.faults.changes import Change
    from fat_fpga.faults.place import Place
    from fat_fpga.faults.words import Words

CHANNEL_AXIS, ROW_AXIS, COLUMN_AXIS, PE_AXIS = "channel", "row", "column", "PE"
"""Names of the parts of an index that streams and PEs have."""
STREAM_AXES = (CHANNEL_AXIS, ROW_AXIS, COLUMN_AXIS)
SET = "set"
"""The word for several faults at once where kinds are listed; no kind can be called so."""


class Family(Enum):
    """What a fault does to what it hits."""

    LEVEL = "activations are held at a level"
    BLOCK = "a hardware block, and with it all that it computes under a folding, is held at a level"
    MEMORY_BIT = "a bit of a memory or register is wrong in every image"
    TRANSIENT = "a bit is flipped while one image passes"
    SET = "several faults at once"


@dataclass(frozen=True)
class Traits:
    """What is known of a kind of fault beside its meaning.

    Attributes:
        family: what such a fault does to what it hits.
        one: a single fault, in reports: ``stuck channel``.
        places: where such faults sit, in the plural: ``channels``.
        worst: that what is the worst of a place.
        axes: names of the parts of an index.
        counted_once: whether reports count places, whatever these are stuck at, and not faults.
        last_layer: whether such faults are also in the last layer, which has no activation levels.
        everywhere: whether ``*`` is a place of such faults: all layers at once.
        change: the elementary change that a fault of one bit is, where its index is that of the word: then many are
            taken at once. None where the model says it, fault by fault.
        words: the words that such faults change at a place, None where it has none; None where they hold activations
            at a level.
        stored: whether the words are those of a memory, which is written once and can be protected by a code.
    """

    family: Family
    one: str
    places: str
    worst: str = "worst stuck value"
    axes: tuple[str, ...] = ()
    counted_once: bool = False
    last_layer: bool = False
    everywhere: bool = False
    words: Callable[[Place], Words | None] | None = None
    stored: bool = False
    change: type[Change] | None = None

    @property
    def levels(self) -> bool:
        """Whether activations are held at a level, which is chosen with ``--values``."""
        return self.family in (Family.LEVEL, Family.BLOCK)

    @property
    def bits(self) -> bool:
        """Whether bits of words change, so that what a fault does depends on their widths and signs, too, which
        `memory_fingerprint` tells apart; else the network's function decides."""
        return self.family in (Family.MEMORY_BIT, Family.TRANSIENT)

    @property
    def needs_folding(self) -> bool:
        """Whether the number of PEs of each unit has to be known."""
        return self.family is Family.BLOCK

    @property
    def needs_frames(self) -> bool:
        """Whether the number of images has to be known."""
        return self.family is Family.TRANSIENT

    @property
    def map_axes(self) -> tuple[int, int] | None:
        """Which parts of an index are row and column of a map of accuracies; None where there is no map."""
        if not self.levels or not {ROW_AXIS, COLUMN_AXIS} <= set(self.axes):
            return None
        return self.axes.index(ROW_AXIS), self.axes.index(COLUMN_AXIS)
