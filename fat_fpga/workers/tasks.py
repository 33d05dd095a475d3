"""Tasks of a job on the workers of Dask: each is answered once.

A task that is lost with its worker, or late, goes out again; the first answer to a task counts, and no other is looked
at.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fat_fpga.errors import CampaignError
from fat_fpga.workers import job as in_worker
from fat_fpga.workers.client import Pool
from fat_fpga.workers.code import code
from fat_fpga.workers.job import Answer, Job, Missing

if TYPE_CHECKING:
    from distributed import Future

AHEAD = 2
"""Tasks for each worker: one in work, one that waits."""
POLL = 1.0
"""Seconds between two looks at what did not answer."""
LATE = 4.0
"""A task is late after so many times what the latest tasks took (their median), by their sizes ..."""
LATEST = 32
"""... so many of them ..."""
LATE_SECONDS = 30.0
"""... and after so many seconds."""
LOSSES = 5
"""Work stops where Dask gives up the same task so often; each time after four workers died with it."""


class SchedulerError(CampaignError):
    """The scheduler has gone, or does not answer."""


@dataclass(eq=False)
class Task:
    """What one worker computes at a time.

    Attributes:
        asked: pickled; what the job's `Work` takes.
        size: how much work it is, in a unit that all tasks of a job share.
        what: it is, in messages.
        label: what the giver knows it by.
    """

    asked: bytes
    size: int
    what: str
    label: Any = None
    sent: float = 0.0
    losses: int = 0
    copies: list[Future] = field(default_factory=list)


class Tasks:
    """The tasks of one job that are at the workers. A context manager.

    Raises:
        CampaignError: the job cannot be sent to workers.
    """

    def __init__(self, pool: Pool, job: Job) -> None:
        self._pool, self._client, self._words = pool, pool.client, job.words
        self._key = f"fat-fpga-{uuid4().hex}"
        self._blob = _pickled(job)
        self.open: list[Task] = []
        self._answers: SimpleQueue[tuple[Task, Future]] = SimpleQueue()
        self._numbers = 0
        self._usual: deque[float] = deque(maxlen=LATEST)  # seconds for a task of size 1, with waiting
        self._workers: list[str] = []
        self._suspects: set[str] = set()  # workers that held a late task and gave no answer since
        self._carriers: dict[str, Task] = {}  # by worker, the task that it got the job with
        self._parked: list[tuple[Task, Task]] = []  # a task, and the carrier that it waits for
        self._looked = 0.0
        self._look()

    def __enter__(self) -> Tasks:
        return self

    def __exit__(self, *error: object) -> None:
        if not any(isinstance(each, SchedulerError) for each in error):
            futures = [copy for task in self.open for copy in task.copies]
            with suppress(Exception):  # the scheduler may go at this moment
                self._pool.ask(self._client.cancel, futures)

    @property
    def workers(self) -> int:
        """How many there are, as far as is known."""
        return len(self._workers)

    @property
    def wanted(self) -> int:
        """How many tasks should be at the workers."""
        return AHEAD * max(1, self.workers)

    @property
    def free(self) -> bool:
        """Whether there should be more."""
        return len(self.open) < self.wanted

    def give(self, task: Task) -> None:
        """Have it done."""
        self.open.append(task)
        self._send(task)

    def take(self, tell: Callable[[], object]) -> tuple[Task, Answer]:
        """The task that is finished next; each that was given is returned once.

        Args:
            tell: called every second, and before each answer.

        Raises:
            CampaignError: the workers cannot go on.
        """
        while True:
            tell()
            try:
                task, future = self._answers.get(timeout=POLL)
            except Empty:
                self._look()
                self._send_late()
                continue
            if task not in self.open:
                continue  # another copy was faster
            answer = self._answer(task, future)
            if not isinstance(answer, Answer):
                task.copies.remove(future)
                if answer is None:
                    self._send(task)
                else:
                    self._supply(task, answer.worker)
                continue
            self.open.remove(task)
            self._forget(task)
            self._unpark()
            self._usual.append((monotonic() - task.sent) / task.size)
            self._suspects.discard(answer.worker)
            if monotonic() - self._looked > POLL:
                self._look()
            return task, answer

    def _send(self, task: Task, without: Set[str] = frozenset()) -> None:
        """Send a task out, or a copy of it; not to suspects and those ``without`` while there are other workers."""
        task.sent = monotonic()
        shunned = self._suspects | without
        self._submit(task, None, [worker for worker in self._workers if worker not in shunned] if shunned else [])

    def _supply(self, task: Task, worker: str) -> None:
        """Send a task again to a worker that does not have the job: with it, or when it has come with another task."""
        carrier = self._carriers.get(worker)
        if carrier in self.open and carrier is not task:
            self._parked.append((task, carrier))
        else:
            self._carriers[worker] = task
            self._submit(task, self._blob, [worker])

    def _unpark(self) -> None:
        """Send what has waited for a carrier that is answered."""
        parked, self._parked = self._parked, []
        for task, carrier in parked:
            if carrier in self.open:
                self._parked.append((task, carrier))
            elif task in self.open:
                self._send(task)

    def _submit(self, task: Task, blob: bytes | None, workers: Sequence[str]) -> None:
        """One more copy of a task, for these workers; for any where they are none, or not there any more."""
        self._numbers += 1
        try:
            future = self._client.submit(
                in_worker.compute,
                tuple(code()),
                self._key,
                blob,
                task.asked,
                key=f"{self._key}-{self._numbers}",
                pure=False,
                workers=list(workers) or None,
                allow_other_workers=bool(workers),
            )
        except Exception as error:
            self._check_scheduler()
            raise CampaignError(f"Dask takes no work: {type(error).__name__} {error}") from error
        task.copies.append(future)
        future.add_done_callback(lambda done: self._answers.put((task, done)))

    def _answer(self, task: Task, future: Future) -> Answer | Missing | None:
        """What a worker gave; None where it was lost, and the task has to be sent again."""
        from distributed import KilledWorker

        self._check_scheduler()
        try:
            return self._fetched(future)
        except CampaignError:
            raise
        except KilledWorker as error:
            task.losses += 1
            if task.losses >= LOSSES:
                raise CampaignError(
                    f"the workers that were given the same {task.what} died, {LOSSES} times over: have they enough "
                    f"memory? {self._words.fewer}"
                ) from error
            return None
        except (ImportError, AttributeError, pickle.UnpicklingError) as error:
            self._pool.check_code()  # one with another fat_fpga may not understand what it is sent
            raise CampaignError(f"a worker cannot read what it was sent: {type(error).__name__} {error}") from error
        except Exception as error:
            self._check_scheduler()
            if future.status == "error" and type(error).__name__ != "NoValidWorkerError":
                raise
            return None  # the worker died with the answer, or does not hand it out; or there was none for too long

    def _fetched(self, future: Future) -> Answer | Missing:
        """A result, brought here; TimeoutError where the worker that has it does not answer."""
        from distributed import TimeoutError

        asked = monotonic()
        while True:
            try:
                answer: Answer | Missing = future.result(timeout=POLL)
                return answer
            except TimeoutError:
                self._look()
                if future.status != "finished" or monotonic() - asked > LATE_SECONDS:
                    raise  # lost with its worker, which Dask then has computed again, by nobody where there is none

    def _forget(self, task: Task) -> None:
        """Let go of all copies of a task; those that wait are never computed."""
        copies, task.copies = task.copies, []
        if len(copies) > 1:
            with suppress(Exception):
                self._pool.ask(self._client.cancel, copies)

    def _look(self) -> None:
        """Count the workers."""
        self._workers = self._ask(self._pool.workers)
        self._looked = monotonic()

    def _send_late(self) -> None:
        """Send what takes far longer than the rest to workers that do not have it."""
        if not self._usual:
            return
        now, usual = monotonic(), median(self._usual)
        late = [t for t in self.open if now - t.sent > max(LATE_SECONDS, LATE * usual * t.size)]
        processing = self._ask(self._pool.ask, self._client.processing) if late else {}
        held = {str(key): worker for worker, keys in processing.items() for key in keys}
        for task in late:
            holders = {held[copy.key] for copy in task.copies if copy.key in held}
            self._suspects |= holders
            if holders.issuperset(self._workers):
                task.sent = now  # there is nobody else
            else:
                self._send(task, holders)

    def _ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the scheduler says; CampaignError where it does not."""
        self._check_scheduler()
        try:
            return function(*arguments)
        except CampaignError:
            raise
        except TimeoutError as error:
            raise SchedulerError(
                f"the scheduler of Dask at {self._pool.address} does not answer: {self._words.afterwards}"
            ) from error
        except Exception as error:
            self._check_scheduler()
            raise self._gone() from error

    def _check_scheduler(self) -> None:
        cancelled = (copy.status == "cancelled" for task in self.open for copy in task.copies)
        if self._client.status != "running" or any(cancelled):
            raise self._gone()

    def _gone(self) -> SchedulerError:
        return SchedulerError(
            f"the scheduler of Dask at {self._pool.address} has gone or was started again: {self._words.afterwards}"
        )


def _pickled(job: Job) -> bytes:
    try:
        return in_worker.pickled(job)
    except Exception as error:  # whatever a class of another package raises
        raise CampaignError(
            f"{job.words.name} cannot be sent to workers ({type(error).__name__}: {error}): do this without Dask"
        ) from error
