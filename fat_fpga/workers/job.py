"""What runs in a worker process of Dask: a job that is opened once, and its tasks, one at a time.

What comes to a worker comes as bytes, which are looked into after the worker is known to have the same fat_fpga.
"""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable
from threading import Lock
from time import perf_counter
from typing import Any, NamedTuple

from fat_fpga.errors import CampaignError
from fat_fpga.workers.code import Code, code, refusal

Work = Callable[[Any], Any]
"""What a job does with what a task asks."""


class Answer(NamedTuple):
    """What a worker gives back for a task.

    Attributes:
        value: what was asked for.
        seconds: that computing took.
        worker: address of the worker.
    """

    value: Any
    seconds: float
    worker: str


class Missing(NamedTuple):
    """What a worker gives back that does not have the job: it is to be asked again, with the job.

    Attributes:
        worker: its address.
    """

    worker: str


class Words(NamedTuple):
    """What messages say of a job.

    Attributes:
        name: of what is sent to workers.
        fewer: how tasks are made smaller.
        afterwards: what to do where the scheduler has gone.
    """

    name: str
    fewer: str
    afterwards: str


class Job(ABC):
    """What all tasks have in common. It is pickled, and sent to each worker with its first task."""

    @property
    @abstractmethod
    def words(self) -> Words:
        """For messages."""

    @abstractmethod
    def open(self, threads: int) -> Work:
        """Called once in a worker.

        Args:
            threads: that the worker has.

        Raises:
            CampaignError: why the worker must not do this job.
        """


KEPT = 2
"""Jobs that a worker keeps open: two campaigns may share it."""

_LOCK = Lock()
_OPEN: dict[str, Work] = {}  # by the job's key, the one used last at the end


def pickled(asked: object) -> bytes:
    """As `compute` takes it."""
    return pickle.dumps(asked, protocol=pickle.HIGHEST_PROTOCOL)


def compute(expected: tuple[str, ...], key: str, blob: bytes | None, asked: bytes) -> Answer | Missing:
    """Do one task; one call at a time computes, on the worker's threads.

    Args:
        expected: the `Code` of the process that gives work.
        key: of the job.
        blob: the pickled `Job`; None where the worker may have it.
        asked: pickled.

    Raises:
        CampaignError: the worker has another fat_fpga, or must not do this job.
    """
    from distributed import get_worker

    worker = get_worker()
    own, wanted = code(), Code(*expected)
    if own != wanted:
        raise CampaignError(refusal(worker.address, own, wanted))
    with _LOCK:
        if key not in _OPEN and blob is None:
            return Missing(worker.address)
        try:
            work = _opened(key, blob, worker.state.nthreads)
        except CampaignError as error:
            raise CampaignError(f"the worker {worker.address} is refused: {error}") from None
        given = pickle.loads(asked)
        started = perf_counter()
        value = work(given)
        return Answer(value, perf_counter() - started, worker.address)


def _opened(key: str, blob: bytes | None, threads: int) -> Work:
    if key in _OPEN:
        _OPEN[key] = _OPEN.pop(key)
    else:
        assert blob is not None
        while len(_OPEN) >= KEPT:
            del _OPEN[next(iter(_OPEN))]
        job: Job = pickle.loads(blob)
        _OPEN[key] = job.open(threads)
    return _OPEN[key]
