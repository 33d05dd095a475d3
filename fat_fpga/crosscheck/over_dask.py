"""A cross-check on the workers of Dask: each batch is a task, and every worker has all engines."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fat_fpga.crosscheck.batches import Batch, batches
from fat_fpga.crosscheck.comparison import Comparison
from fat_fpga.crosscheck.result import Found
from fat_fpga.errors import ModelWarning
from fat_fpga.faults import AnyFault
from fat_fpga.workers import Job, Pool, Task, Tasks, Words, Work
from fat_fpga.workers.job import pickled

ROUNDS = 4
"""Batches for each worker: so many that a slow one at the end does not matter ..."""
MOST = 64
"""... and none has more faults than this."""


@dataclass(frozen=True, eq=False)
class CheckJob(Job):
    """What all batches have in common."""

    comparison: Comparison

    @property
    def words(self) -> Words:
        return Words(
            f"one of the engines {', '.join(self.comparison.engines)}",
            "take fewer images",
            "start the cross-check again",
        )

    def open(self, threads: int) -> Work:
        comparison = self.comparison.with_threads(threads)

        def found(batch: Batch) -> Found:
            with warnings.catch_warnings():  # the first process tells them
                warnings.simplefilter("ignore", ModelWarning)
                return comparison.compare(batch)

        return found


def found_over_dask(
    pool: Pool, comparison: Comparison, faults: Sequence[AnyFault], progress: Callable[[int], object]
) -> list[Found]:
    """What the workers find, in the order of the batches."""
    with Tasks(pool, CheckJob(comparison)) as tasks:
        most = max(1, min(MOST, -(-len(faults) // (ROUNDS * max(1, tasks.workers)))))
        asked = batches(faults, most)
        found: dict[int, Found] = {}
        waiting = list(enumerate(asked))[::-1]
        while waiting or tasks.open:
            while waiting and tasks.free:
                number, batch = waiting.pop()
                count = len(batch.faults)
                tasks.give(Task(pickled(batch), count, f"{count:,} faults", number))
            task, answer = tasks.take(_nobody)
            found[task.label] = answer.value
            progress(comparison.steps(asked[task.label]))
    return [found[number] for number in range(len(asked))]


def _nobody() -> None:
    """Watches nothing."""
