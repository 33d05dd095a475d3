"""In which order faults are done, and how many at a time.

Faults in early layers cost an engine far more than faults in late ones. Taking every layer's faults in proportion
makes each chunk cost the same, so the rate is steady, the time left can be believed, and a report on an
unfinished run covers all layers alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fat_fpga.faults import AnyFault

SECONDS = 10.0
"""Least time that a chunk should take: what a crash may cost."""
SHARE = 0.05
"""An engine spends about one fault-free pass over the images on every chunk; it should be no more of it than this."""
MOST = 60.0
"""Most seconds that a chunk should take, however long a fault-free pass is."""
FIRST = 16
"""Faults in the first chunk, when nothing is measured yet."""
GROWTH = 8
"""A chunk has at most this many times the faults of the one before."""


def spread(faults: Sequence[AnyFault], positions: Sequence[int]) -> list[int]:
    """The positions in an order that uses up all layers evenly, each layer's own order kept."""
    total = Counter(faults[p].layer for p in positions)
    seen: Counter[str] = Counter()
    keys = {}
    for p in positions:
        layer = faults[p].layer
        keys[p] = (seen[layer] / total[layer], p)
        seen[layer] += 1
    return sorted(positions, key=keys.__getitem__)


class Pace:
    """How many faults the next chunk takes.

    Args:
        fault_free: seconds that a fault-free pass over the images took.
        fixed: always take this many.
    """

    def __init__(self, fault_free: float, fixed: int | None = None) -> None:
        self.seconds = min(max(SECONDS, fault_free / SHARE), MOST)
        self.size = fixed or FIRST
        self._fixed = fixed is not None

    def measured(self, faults: int, seconds: float) -> None:
        """Learn that a chunk of ``faults`` took ``seconds``."""
        if not self._fixed:
            fitting = faults * self.seconds / max(seconds, 1e-6)
            self.size = max(1, int(min(fitting, max(faults * GROWTH, self.size))))
