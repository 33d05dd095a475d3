"""Outcome classes in the native engine: its kernels count them, image by image, as they count classes.

Kernels know a network without its votes. So faults in the copies of a vote are traced one after another where a
detector looks at these copies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.counts import OUTCOME_NAMES, OUTCOMES, Counts, detectors_of, names_of
from fat_fpga.engines.detectors import ECC, RANGE, VOTER
from fat_fpga.engines.votes import Voteless
from fat_fpga.faults import AnyFault, Pattern
from fat_fpga.faults.expand import count_words
from fat_fpga.network import Network

COPIES = frozenset({VOTER, RANGE})
"""Detectors that look at the copies of a vote."""


class NativeOutcomes:
    """What a session needs to know to count outcome classes.

    Args:
        voteless: the network in the kernels' terms.
        number: of each stream in the kernels, by the name of its place.
    """

    def __init__(self, network: Network, voteless: Voteless, number: dict[str, int]) -> None:
        self._network, self._voteless, self._number = network, voteless, number
        self._told: dict[Pattern, bool] = {}

    def watched(self, counting: Sequence[str]) -> list[int]:
        """Numbers of the streams that a range monitor watches."""
        if RANGE not in counting:
            return []
        levels = self._voteless.network.levels_of
        return [number for place, number in self._number.items() if place in levels]

    def traced(
        self, counting: Sequence[str], copies: Iterable[int], undecided: Iterable[int], faults: int
    ) -> list[int]:
        """Positions of the faults that the kernels do not count.

        Args:
            copies: positions of faults in the copies of votes.
            undecided: of those that leave a vote undecided.
            faults: how many there are.
        """
        if VOTER in counting and not self._voteless.three_alike:
            return [*range(faults)]
        return sorted({*undecided, *(copies if COPIES & {*counting} else ())})

    def counts(
        self, table: npt.NDArray[np.int64], faults: Sequence[AnyFault], images: int, counting: Sequence[str]
    ) -> dict[str, npt.NDArray[np.int64]]:
        """Images in each class, int64 [F] by name, from what the kernels counted [F, names]."""
        if ECC in detectors_of(counting):
            told = np.array([self._code_tells(fault) for fault in faults], np.bool_)
            table = np.where(told[:, None], 0, table)
            table[told, OUTCOME_NAMES.index("detected")] = images
        return {name: table[:, OUTCOME_NAMES.index(name)].copy() for name in names_of([OUTCOMES], self._network)}

    def _code_tells(self, fault: AnyFault) -> bool:
        """Whether the code of a protected memory tells of a word, which is so for all images or for none."""
        if not isinstance(fault, Pattern) or fault.protection is None:
            return False
        if fault not in self._told:
            self._told[fault] = count_words(self._network, fault).detected > 0
        return self._told[fault]


def put(counts: dict[str, npt.NDArray[np.int64]], rows: Sequence[int], traced: Counts) -> None:
    """Put what was counted of the faults at these positions in its place."""
    for name, numbers in traced.items():
        counts[name][rows] = numbers
