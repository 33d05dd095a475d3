"""The way to the workers of Dask: some that are started here, or those of a scheduler that is already there."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from fat_fpga.errors import CampaignError, CampaignWarning
from fat_fpga.extras import advice
from fat_fpga.workers.code import Code, code, refusal
from fat_fpga.workers.local import START, LocalWorkers

if TYPE_CHECKING:
    from distributed import Client

CONNECT = 10
"""Seconds that a scheduler has to answer a new client ..."""
ANSWER = 30.0
"""... and one that it knows."""
TELL = 60.0
"""A campaign that waits for workers says so after so many seconds."""
FORMS = "local:N (N worker processes on this machine) or the address of a scheduler, as tcp://HOST:PORT"


def check_dask(text: str) -> int | None:
    """How many workers ``local:N`` asks for; None for the address of a scheduler; CampaignError for anything else."""
    found = re.fullmatch(r"local:([1-9][0-9]{0,3})", text)
    if found:
        return int(found[1])
    if not re.fullmatch(r"[a-z]+://\S+:[0-9]{1,5}", text) or int(text.rpartition(":")[2]) > 65535:
        raise CampaignError(f"Dask: expected {FORMS}, got '{text}'")
    return None


class Pool:
    """The workers of a client.

    Args:
        local: those that were started here.
        wait: seconds to wait while there is no worker; None for any time.
    """

    def __init__(self, client: Client, local: LocalWorkers | None = None, wait: float | None = None) -> None:
        self.client, self._local = client, local
        self._wait = START if local is not None and wait is None else wait
        self._last = monotonic()  # when a worker was there
        self._told = False

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return str(self.client.scheduler.addr) if self.client.scheduler else "its address"

    def ask(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """What a method of the client gives; TimeoutError where the scheduler does not answer."""
        import asyncio  # loaded with Dask anyway, and slow to load for those who need none

        async def asked() -> Any:
            return await function(*arguments, **options)

        try:
            return self.client.sync(asked, callback_timeout=ANSWER)
        except asyncio.TimeoutError as error:
            raise TimeoutError(f"no answer in {ANSWER:.0f} s") from error

    def workers(self) -> list[str]:
        """Addresses of the workers that are there. Those of this machine that are missing are started again.

        Raises:
            CampaignError: there was none for too long.
            TimeoutError: the scheduler does not answer.
        """
        found = list(self.ask(self.client.nthreads))
        if self._local is not None and len(found) < self._local.number:
            self._local.keep()
        now = monotonic()
        if found:
            self._last, self._told = now, False
        elif self._wait is not None and now - self._last > self._wait:
            if self._local is not None:
                raise CampaignError(self._local.missing(now - self._last))
            raise CampaignError(
                f"the scheduler of Dask at {self.address} has had no worker for {now - self._last:.0f} s: start some "
                f"with dask worker {self.address}, or wait longer (--dask-wait)"
            )
        elif now - self._last > TELL and not self._told:
            self._told = True
            warnings.warn(
                f"the scheduler of Dask at {self.address} has had no worker for {TELL:.0f} s: waiting; "
                f"dask worker {self.address} starts one",
                CampaignWarning,
                stacklevel=2,
            )
        return found

    def start(self) -> None:
        """Wait for the workers of this machine: all of them, or at least one in the time that they have."""
        if self._local is not None and self._wait is not None:
            until = monotonic() + self._wait
            while len(found := self.workers()) < self._local.number and not (found and monotonic() > until):
                sleep(0.05)

    def check_code(self) -> None:
        """CampaignError unless the scheduler, which reads tasks, has fat_fpga, and all workers that answer have this
        one; each worker looks again before it computes."""
        own = code()
        try:
            self.ask(self.client.run_on_scheduler, code)
        except (ImportError, AttributeError) as error:
            raise CampaignError(
                f"the scheduler {self.address} is refused: it has no fat_fpga {own}, which gives this work ({error})"
            ) from error
        except TimeoutError as error:
            raise CampaignError(f"the scheduler of Dask at {self.address} does not answer: start it again") from error
        try:
            answers = self.ask(self.client.run, code, on_error="return")
        except TimeoutError:
            return  # a worker stands still
        for worker, found in answers.items():
            if isinstance(found, ImportError | AttributeError):
                raise CampaignError(
                    f"the worker {worker} is refused: it has no fat_fpga {own}, which gives this work ({found})"
                )
            if isinstance(found, OSError):
                continue  # it dies
            if isinstance(found, BaseException):
                raise CampaignError(
                    f"the worker {worker} cannot say which fat_fpga it has: {type(found).__name__} {found}"
                )
            if found != own:
                raise CampaignError(refusal(worker, Code(*found), own))


@contextmanager
def connected(dask: str | Client | None, wait: float | None = None) -> Iterator[Pool | None]:
    """Workers of Dask; what is started for them ends with the block.

    Args:
        dask: ``local:N``, the address of a scheduler, or a client, which stays open; None for no workers.
        wait: seconds to wait while there is no worker; by default `START` for ``local:N``, any time for others.

    Raises:
        CampaignError: Dask is not installed, no scheduler answers, no worker comes up, or one has another fat_fpga.
    """
    if dask is None:
        if wait is not None:
            raise CampaignError("a time to wait for workers (--dask-wait) needs Dask (--dask)")
        yield None
        return
    if wait is not None and not wait > 0:
        raise CampaignError(f"the time to wait for workers of Dask must be above 0 s, got {wait:g}")
    number = check_dask(dask) if isinstance(dask, str) else None
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("distributed", "dask"):
            raise
        raise CampaignError(f"work on Dask needs the package {error.name}: {advice('dask')}") from error
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        local = None if number is None else stack.enter_context(LocalWorkers(number, max(START, wait or 0)))
        if not isinstance(dask, str):
            client = dask
        else:
            address = dask if local is None else local.address
            try:
                client = stack.enter_context(Client(address, timeout=CONNECT, set_as_default=False))
            except (OSError, ValueError) as error:
                raise CampaignError(
                    f"no scheduler of Dask answers at {address}: start one with dask scheduler, and workers with "
                    f"dask worker {address}"
                ) from error
        if client.asynchronous or client.status != "running":
            raise CampaignError(f"Dask: expected a client that is connected and not asynchronous, got {client!r}")
        pool = Pool(client, local, wait)
        pool.start()
        pool.check_code()
        yield pool


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask's words on workers that come and go: what matters to the work is told by it."""
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sending large graph")
            yield
    finally:
        logger.setLevel(level)
