"""The loop of a campaign: faults go to a crew in chunks, and its results into the run file, by this process alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from time import perf_counter

from fat_fpga.campaign.crew import Crew
from fat_fpga.campaign.pace import Pace, spread
from fat_fpga.campaign.predictions import pack
from fat_fpga.campaign.progress import Bar
from fat_fpga.campaign.store import Store
from fat_fpga.faults import AnyFault

LOG = logging.getLogger(__name__)


def work(
    crew: Crew, faults: Sequence[AnyFault], images: int, store: Store, pace: Pace, progress: bool, classes: int | None
) -> None:
    """Have every pending fault done and recorded.

    Args:
        faults: the ordered list of the campaign.
        images: number of images.
        progress: show a progress bar on standard error.
        classes: of the network, where predictions are kept.
    """
    waiting = spread(faults, store.pending)
    with Bar(len(faults), len(faults) - len(waiting), images, progress) as bar:
        recorded = perf_counter()
        while waiting or crew.busy:
            while waiting and crew.free:
                size, parts = crew.portion(len(waiting), pace.size)
                now, waiting = sorted(waiting[:size]), waiting[size:]
                crew.give(now, [faults[p] for p in now], parts)
            done = crew.take(bar.at_work)
            before, recorded = recorded, perf_counter()
            found = done.outcome
            packed = None
            if classes is not None:
                assert found.predictions is not None
                packed = pack(found.predictions, classes)
            store.record(
                done.positions,
                found.correct,
                found.changed,
                recorded - before,
                found.counts,
                found.deviation,
                packed,
            )
            LOG.debug("%d faults saved, %.2f s of one worker", len(done.positions), done.seconds)
            pace.measured(len(done.positions), done.seconds)
            bar.saved(len(done.positions))
