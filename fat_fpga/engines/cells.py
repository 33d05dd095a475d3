"""What is counted of the cells and words that faults hit, and not of images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.counts import HITS, WORD_NAMES, WORDS, Counts
from fat_fpga.faults import AnyFault, AnySubject, Pattern
from fat_fpga.faults.expand import count_hits, count_words
from fat_fpga.network import Network


def cell_counts(
    subject: AnySubject, faults: Sequence[AnyFault], first_frame: int, images: int, counting: Sequence[str]
) -> Counts:
    """Hits and words of memories of each fault, int64 [F] by name, as far as ``counting`` asks for them.

    Args:
        first_frame, images: of the part of the data set that is run; errors in memories are in every image, and count
            in the first part alone.
    """
    found = {HITS: _hits(subject, faults, first_frame, images)} if HITS in counting else {}
    if WORDS in counting:
        assert isinstance(subject, Network)  # modules have no words of memories
        words = np.zeros((len(faults), len(WORD_NAMES)), np.int64)
        for number, fault in enumerate(faults):
            if isinstance(fault, Pattern) and first_frame == 0:
                words[number] = count_words(subject.fault_free, fault)
        found |= dict(zip(WORD_NAMES, words.T, strict=True))
    return found


def _hits(subject: AnySubject, faults: Sequence[AnyFault], first_frame: int, images: int) -> npt.NDArray[np.int64]:
    """How many cells each pattern hits, int64 [F]; of other faults how many single faults they are."""
    return np.array(
        [
            count_hits(subject.fault_free, fault, first_frame, images)
            if isinstance(fault, Pattern)
            else len(fault.faults) * (first_frame == 0)
            for fault in faults
        ],
        np.int64,
    )
