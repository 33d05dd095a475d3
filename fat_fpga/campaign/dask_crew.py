"""Chunks of a campaign on the workers of Dask.

A chunk goes out as one task, or as several on consecutive images where faults are few. A task that is lost with its
worker, or late, goes out again; the first answer to a task counts, and no other is looked at.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign import dask_worker
from fat_fpga.campaign.crew import Chunk, Crew, Portion, Tell
from fat_fpga.campaign.dask_worker import Job, Part
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import Engine
from fat_fpga.engines.outcome import over_images
from fat_fpga.errors import CampaignError
from fat_fpga.faults import AnyFault
from fat_fpga.network import Network

if TYPE_CHECKING:
    from distributed import Client, Future

AHEAD = 2
"""Tasks for each worker: one in work, one that waits."""
FEWEST = 32
"""A chunk is cut into parts of at least so many images."""
POLL = 1.0
"""Seconds between two looks at what did not answer."""
LATE = 4.0
"""A task is late after so many times what the latest tasks took (their median), by its faults times images ..."""
LATEST = 32
"""... so many of them ..."""
LATE_SECONDS = 30.0
"""... and after so many seconds."""
LOSSES = 5
"""A campaign stops where Dask gives up the same task so often; each time after four workers died with it."""


@dataclass(eq=False)
class _Given:
    """A chunk at the workers."""

    positions: Sequence[int]
    faults: bytes
    parts: list[Part | None]


@dataclass(eq=False)
class _Task:
    """One part of a chunk."""

    chunk: _Given
    number: int
    images: slice
    sent: float = 0.0
    losses: int = 0
    copies: list[Future] = field(default_factory=list)

    @property
    def inferences(self) -> int:
        return len(self.chunk.positions) * len(range(self.images.stop)[self.images])


class DaskCrew(Crew):
    """The workers of a client.

    Args:
        golden: int32 [N], predicted classes of the fault-free network, which every worker must give.

    Raises:
        CampaignError: the engine cannot be sent to workers.
    """

    def __init__(
        self, client: Client, network: Network, dataset: Dataset, engine: Engine, golden: npt.NDArray[np.int32]
    ) -> None:
        self._client, self._engine, self._golden = client, engine, golden
        self._images = len(dataset.images)
        self._key = f"fat-fpga-{uuid4().hex}"
        self._blob = _job(Job.of(self._key, network, dataset, engine))
        self._tasks: list[_Task] = []
        self._answers: SimpleQueue[tuple[_Task, Future]] = SimpleQueue()
        self._numbers = 0
        self._usual: deque[float] = deque(maxlen=LATEST)  # seconds for a faulty inference, with waiting
        self._workers: list[str] = []
        self._suspects: set[str] = set()  # workers that held a late task and gave no answer since
        self._looked = 0.0
        self._job_losses = 0  # in a row
        self._job = self._submit(dask_worker.hold, self._blob)
        self._look()

    def __exit__(self, *error: object) -> None:
        futures = [self._job, *(copy for task in self._tasks for copy in task.copies)]
        with suppress(Exception):  # also after the scheduler has gone
            self._client.cancel(futures)

    @property
    def workers(self) -> int:
        """How many there are, as far as is known."""
        return len(self._workers)

    @property
    def busy(self) -> bool:
        return bool(self._tasks)

    @property
    def free(self) -> bool:
        return bool(len(self._tasks) < self._wanted)

    @property
    def _wanted(self) -> int:
        return AHEAD * max(1, self.workers)

    def portion(self, waiting: int, size: int) -> Portion:
        return portion(waiting, size, self._wanted, self._images)

    def give(self, positions: Sequence[int], faults: Sequence[AnyFault], parts: int) -> None:
        chunk = _Given(positions, dask_worker.pickled(faults), [None] * parts)
        edges = [self._images * number // parts for number in range(parts + 1)]
        for number in range(parts):
            task = _Task(chunk, number, slice(edges[number], edges[number + 1]))
            self._tasks.append(task)
            self._send(task)

    def take(self, tell: Tell) -> Chunk:
        while True:
            self._tell(tell)
            try:
                task, future = self._answers.get(timeout=POLL)
            except Empty:
                self._look()
                self._send_late()
                continue
            if task not in self._tasks:
                continue  # another copy was faster
            part = self._answer(task, future)
            if part is None:
                self._send(task)
                continue
            self._tasks.remove(task)
            self._forget(task)
            self._usual.append((monotonic() - task.sent) / task.inferences)
            self._suspects.discard(part.worker)
            self._job_losses = 0
            task.chunk.parts[task.number] = part
            if monotonic() - self._looked > POLL:
                self._look()
            parts = [each for each in task.chunk.parts if each is not None]
            if len(parts) == len(task.chunk.parts):
                whole = over_images((each.outcome for each in parts), len(task.chunk.positions), self._images)
                return Chunk(task.chunk.positions, whole, sum(each.seconds for each in parts))

    def _send(self, task: _Task, without: Set[str] = frozenset()) -> None:
        """Send a task out, or a copy of it; not to suspects and those ``without`` while there are other workers."""
        task.sent = monotonic()
        shunned = self._suspects | without
        workers = [worker for worker in self._workers if worker not in shunned] if shunned else []
        future = self._submit(
            dask_worker.compute,
            tuple(dask_worker.code()),
            self._key,
            self._job,
            task.chunk.faults,
            task.images.start,
            task.images.stop,
            workers=workers or None,
            allow_other_workers=bool(workers),
        )
        task.copies.append(future)
        future.add_done_callback(lambda done: self._answers.put((task, done)))

    def _submit(self, function: Any, *arguments: Any, **options: Any) -> Future:
        self._numbers += 1
        try:
            return self._client.submit(function, *arguments, key=f"{self._key}-{self._numbers}", pure=False, **options)
        except Exception as error:
            self._check_scheduler()
            raise CampaignError(f"Dask takes no work: {type(error).__name__} {error}") from error

    def _answer(self, task: _Task, future: Future) -> Part | None:
        """What a worker gave; None where it was lost, and the task has to be sent again."""
        from distributed import KilledWorker

        self._check_scheduler()
        try:
            part = self._fetched(future)
        except CampaignError:
            raise
        except KilledWorker as error:
            if str(error.task) != future.key:
                self._renew_job(str(error.task))
            else:
                task.losses += 1
            if max(task.losses, self._job_losses) >= LOSSES:
                raise CampaignError(
                    f"the workers that were given the same {len(task.chunk.positions):,} faults died, {LOSSES} times "
                    "over: have they enough memory? --chunk gives them fewer faults at a time"
                ) from error
            return None
        except (ImportError, AttributeError, pickle.UnpicklingError) as error:
            from fat_fpga.campaign.dask_client import check_workers

            check_workers(self._client)  # one with another fat_fpga may not understand what it is sent
            raise CampaignError(f"a worker cannot read what it was sent: {type(error).__name__} {error}") from error
        except Exception:
            self._check_scheduler()
            if future.status == "error":
                raise
            return None  # the worker died with the answer, or does not hand it out
        if not np.array_equal(part.outcome.golden, self._golden[task.images]):
            raise CampaignError(
                f"the worker {part.worker} predicts other classes for the fault-free network than this process, with "
                f"the same {self._engine.name} engine: one of the two machines or installations is wrong"
            )
        return part

    def _renew_job(self, lost: str) -> None:
        """Send the network and the images again where Dask gave up to hold them, which it then does for good."""
        if lost == self._job.key:
            self._job_losses += 1
            self._job = self._submit(dask_worker.hold, self._blob)

    def _fetched(self, future: Future) -> Part:
        """A result, brought here; TimeoutError where the worker that has it does not answer."""
        from distributed import TimeoutError

        asked = monotonic()
        while True:
            try:
                part: Part = future.result(timeout=POLL)
                return part
            except TimeoutError:
                self._check_scheduler()
                if future.status == "error" or monotonic() - asked > LATE_SECONDS:
                    raise

    def _forget(self, task: _Task) -> None:
        """Let go of all copies of a task; those that wait are never computed."""
        copies, task.copies = task.copies, []
        if len(copies) > 1:
            with suppress(Exception):
                self._client.cancel(copies, asynchronous=False)

    def _look(self) -> None:
        """Count the workers."""
        self._check_scheduler()
        try:
            self._workers = list(self._client.nthreads())
        except Exception as error:
            self._check_scheduler()
            raise self._gone() from error
        self._looked = monotonic()

    def _send_late(self) -> None:
        """Send what takes far longer than the rest to workers that do not have it."""
        if not self._usual:
            return
        now, usual = monotonic(), median(self._usual)
        late = [t for t in self._tasks if now - t.sent > max(LATE_SECONDS, LATE * usual * t.inferences)]
        held = {str(key): worker for worker, keys in self._client.processing().items() for key in keys} if late else {}
        for task in late:
            holders = {held[copy.key] for copy in task.copies if copy.key in held}
            self._suspects |= holders
            if holders.issuperset(self._workers):
                task.sent = now  # there is nobody else
            else:
                self._send(task, holders)

    def _tell(self, tell: Tell) -> None:
        done = {
            id(task.chunk): len(task.chunk.positions) * _images_done(task.chunk, self._images) for task in self._tasks
        }
        tell(sum(done.values()), f", {self.workers:,} worker{'' if self.workers == 1 else 's'}")

    def _check_scheduler(self) -> None:
        if self._client.status != "running" or self._job.status == "cancelled":
            raise self._gone()

    def _gone(self) -> CampaignError:
        return CampaignError(
            f"the scheduler of Dask at {self._client.scheduler.addr if self._client.scheduler else 'its address'} has "
            "gone or was started again: what is finished is saved, the same command continues"
        )


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


def _images_done(chunk: _Given, images: int) -> int:
    return sum(len(part.outcome.golden) for part in chunk.parts if part is not None)


def _job(job: Job) -> bytes:
    try:
        return pickle.dumps(job, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # whatever a class of another package raises
        raise CampaignError(
            f"the {job.engine.name} engine cannot be sent to workers ({type(error).__name__}: {error}): "
            "run this campaign without Dask"
        ) from error
