"""Chunks of a campaign on the workers of Dask: each is one task, or several on runs of images where faults are few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign.crew import Chunk, Crew, Portion, Tell
from fat_fpga.campaign.dask_job import Asked, CampaignJob
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import Engine, Outcome
from fat_fpga.engines.counts import PREDICTIONS
from fat_fpga.engines.outcome import over_images
from fat_fpga.errors import CampaignError
from fat_fpga.faults import AnyFault, AnySubject
from fat_fpga.workers import Answer, Pool, Task, Tasks
from fat_fpga.workers.job import pickled

FEWEST = 32
"""A chunk is cut into parts of at least so many images."""


@dataclass(eq=False)
class _Given:
    """A chunk at the workers.

    Attributes:
        positions: of its faults in the ordered fault list.
        parts: what is there of it.
        images: on which that is.
        seconds: that it took.
    """

    positions: Sequence[int]
    parts: list[Outcome | None]
    images: int = 0
    seconds: float = 0.0


@dataclass(eq=False)
class _Part:
    """What a task is: one part of a chunk."""

    chunk: _Given
    number: int
    images: slice


class DaskCrew(Crew):
    """The workers of a pool.

    Args:
        golden: int32 [N], predicted classes of the fault-free network, which every worker must give.

    Raises:
        CampaignError: the engine cannot be sent to workers.
    """

    def __init__(
        self,
        pool: Pool,
        network: AnySubject,
        dataset: Dataset,
        engine: Engine,
        golden: npt.NDArray[np.int32],
        counting: Sequence[str] = (),
    ) -> None:
        self._tasks = Tasks(pool, CampaignJob.of(network, dataset, engine, counting))
        self._engine, self._golden, self._images = engine.name, golden, len(dataset.images)
        self._predictions = PREDICTIONS in counting

    def __exit__(self, *error: object) -> None:
        self._tasks.__exit__(*error)

    @property
    def busy(self) -> bool:
        return bool(self._tasks.open)

    @property
    def free(self) -> bool:
        return self._tasks.free

    def portion(self, waiting: int, size: int) -> Portion:
        return portion(waiting, size, self._tasks.wanted, self._images)

    def give(self, positions: Sequence[int], faults: Sequence[AnyFault], parts: int) -> None:
        chunk = _Given(positions, [None] * parts)
        faults = list(faults)
        edges = [self._images * number // parts for number in range(parts + 1)]
        for number in range(parts):
            first, stop = edges[number], edges[number + 1]
            self._tasks.give(
                Task(
                    pickled(Asked(faults, first, stop)),
                    len(faults) * (stop - first),
                    f"{len(faults):,} faults",
                    _Part(chunk, number, slice(first, stop)),
                )
            )

    def take(self, tell: Tell) -> Chunk:
        while True:
            task, answer = self._tasks.take(lambda: self._tell(tell))
            part: _Part = task.label
            chunk = part.chunk
            chunk.parts[part.number] = self._checked(answer, part)
            chunk.images += part.images.stop - part.images.start
            chunk.seconds += answer.seconds
            parts = [each for each in chunk.parts if each is not None]
            if len(parts) == len(chunk.parts):
                outcome = over_images(parts, len(chunk.positions), self._images, self._predictions)
                return Chunk(chunk.positions, outcome, chunk.seconds)

    def _checked(self, answer: Answer, part: _Part) -> Outcome:
        outcome: Outcome = answer.value
        if not np.array_equal(outcome.golden, self._golden[part.images]):
            raise CampaignError(
                f"the worker {answer.worker} predicts other classes for the fault-free network than this process, with "
                f"the same {self._engine} engine: one of the two machines or installations is wrong"
            )
        return outcome

    def _tell(self, tell: Tell) -> None:
        chunks = {id(task.label.chunk): task.label.chunk for task in self._tasks.open}
        done = sum(len(chunk.positions) * chunk.images for chunk in chunks.values())
        workers = self._tasks.workers
        tell(done, f", {workers:,} worker{'' if workers == 1 else 's'}")


def portion(waiting: int, size: int, tasks: int, images: int) -> Portion:
    """The next chunk, so that at the end all workers are still at work.

    While there are chunks for all, a chunk is a task: ``size`` faults on all images. The last ones are cut, by images
    first, for that costs no more fault-free passes, then by faults.

    Args:
        waiting: faults that are left, at least one.
        size: faults of a chunk of the usual length.
        tasks: that should be at the workers at a time.
    """
    chunks = -(-waiting // size)
    if chunks >= tasks:
        return Portion(size)
    parts = max(1, min(-(-tasks // chunks), images // FEWEST))
    return Portion(min(size, waiting, max(1, waiting * parts // tasks)), parts)
