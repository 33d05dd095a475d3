"""Outcome classes in the native engine: its kernels count them, image by image, as they count classes.

Kernels know a network without its votes. What detectors see in the copies of a vote is found beside them
(`fat_fpga.engines.copies`); the few faults for which that takes all streams are traced one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.block import Streams
from fat_fpga.engines.copies import Copies
from fat_fpga.engines.counts import OUTCOME_NAMES, OUTCOMES, Counts, detectors_of, names_of
from fat_fpga.engines.detectors import ECC, RANGE, VOTER
from fat_fpga.engines.votes import Voteless
from fat_fpga.faults import AnyFault, Change, Pattern
from fat_fpga.faults.expand import count_words
from fat_fpga.faults.place import INPUT
from fat_fpga.network import Network

COPIES = frozenset({VOTER, RANGE})
"""Detectors that look at the copies of a vote."""
AT_ONCE = 4096
"""So many faults in copies are looked at together: their changes are held in memory."""


class NativeOutcomes:
    """What a session needs to know to count outcome classes.

    Args:
        voteless: the network in the kernels' terms.
        number: of each stream in the kernels, by the name of its place.
    """

    def __init__(self, network: Network, voteless: Voteless, number: dict[str, int]) -> None:
        self._network, self._voteless, self._number = network, voteless, number
        self._copies = Copies(network, voteless)
        self._told: dict[Pattern, bool] = {}

    def watched(self, counting: Sequence[str]) -> list[int]:
        """Numbers of the streams that a range monitor watches."""
        if RANGE not in counting:
            return []
        levels = self._voteless.network.levels_of
        return [number for place, number in self._number.items() if place in levels]

    def traced(self, counting: Sequence[str], undecided: Iterable[int], faults: int) -> list[int]:
        """Positions of the faults that the kernels do not count.

        Args:
            undecided: positions of those that leave a vote undecided.
            faults: how many there are.
        """
        return [*range(faults)] if VOTER in counting and not self._voteless.three_alike else sorted(undecided)

    def seen(
        self,
        counting: Sequence[str],
        counts: dict[str, npt.NDArray[np.int64]],
        copies: Sequence[int],
        changes: Callable[[int], tuple[Change, ...]],
        fault_free: Callable[[], Streams],
        first_frame: int,
    ) -> list[int]:
        """Put among the counts what detectors see in the copies of votes.

        Args:
            counts: what the kernels counted, int64 [F] by name.
            copies: positions of faults in the copies of votes, none of which leaves a vote undecided.
            changes: gives those of a fault at a position.
            fault_free: gives the streams of the images without a fault, the input among them.
            first_frame: number of the first image in the data set.

        Returns:
            Positions of the faults for which all streams are needed.
        """
        if not copies or not COPIES & {*counting}:
            return []
        streams, rest = fault_free(), []
        images = len(streams[INPUT])
        for start in range(0, len(copies), AT_ONCE):
            some = copies[start : start + AT_ONCE]
            made = [changes(number) for number in some]
            fired = self._copies.fire(made, streams, counting, first_frame)
            for number, own, flags in zip(some, made, fired, strict=True):
                count = 0 if flags is None else int(flags.sum())
                if flags is None or (0 < count < images and self._voteless.changes(own)):
                    rest.append(number)
                elif count > counts["detected"][number]:  # all images, or what is not detected is outvoted
                    for name in counts:
                        counts[name][number] = 0
                    counts["detected"][number], counts["masked"][number] = count, images - count
        return rest

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
