"""About how long a campaign takes, from a little of it."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from fat_fpga.campaign.pace import spread
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import Session
from fat_fpga.faults import AnyFault

FAULTS, IMAGES = 16, 64
"""So much is tried."""


def forecast(session: Session, data: Dataset, faults: Sequence[AnyFault], counting: Sequence[str] = ()) -> float:
    """Seconds that all faults take on all images, as a few of them take on the first images; nothing is written."""
    images = min(IMAGES, len(data.images))
    pixels, labels = data.images[:images], data.labels[:images]
    chosen = [faults[position] for position in spread(faults, range(len(faults)))[:FAULTS]]
    frames = len(data.images)
    session.run(pixels, labels, [], frames=frames)  # what is made once is not counted
    started = perf_counter()
    session.run(pixels, labels, chosen, frames=frames, counting=counting)
    return (perf_counter() - started) * len(faults) / len(chosen) * len(data.images) / images
