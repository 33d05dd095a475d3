"""Worker processes on this machine, kept alive.

Dask starts a worker anew that dies; but it gives up one that dies while it starts, and one that happens to be starting
15 seconds after it died before. Those are replaced here.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from time import monotonic

START = 60.0
"""Seconds that a worker process has to come up, after which another is started; at least."""
PAUSE = 1.0
"""Least seconds between two looks for workers to replace."""
NO_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""What local workers do first: Ctrl-C is for the process that gives work, which ends them."""


class LocalWorkers:
    """A scheduler in this process, and worker processes of one thread each. A context manager.

    Args:
        number: of worker processes; `keep` starts them.
        start: seconds that one has to come up.
    """

    def __init__(self, number: int, start: float = START) -> None:
        from distributed import LocalCluster

        self.number = number
        self._cluster = LocalCluster(
            n_workers=0,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
            preload=[NO_CTRL_C],
            silence_logs=logging.CRITICAL,
            death_timeout=start,
        )
        self._mending = False
        self._mended = 0.0
        self._reason = ""

    def __enter__(self) -> LocalWorkers:
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(Exception):  # what does not end now ends with this process
            self._cluster.close()

    @property
    def address(self) -> str:
        """Of the scheduler."""
        address: str = self._cluster.scheduler_address
        return address

    def keep(self) -> None:
        """Start those workers that are missing, in the background; to be called again and again."""
        if not self._mending and monotonic() - self._mended >= PAUSE:
            self._mending = True
            self._cluster.loop.add_callback(self._mend)

    def missing(self, seconds: float) -> str:
        """Why no worker was there for so long, as the start of a message."""
        last = f" (the last: {self._reason})" if self._reason else ""
        return f"local:{self.number}: no worker process was there for {seconds:.0f} s{last}"

    async def _mend(self) -> None:
        from distributed.core import Status

        try:
            ended = (Status.closed, Status.failed)
            dead = [name for name, nanny in self._cluster.workers.items() if nanny.status in ended]
            if dead:
                await self._cluster.scale_down(dead)
            self._cluster.scale(self.number)
            await self._cluster
        except Exception as error:  # whatever a process that does not start makes of itself
            self._reason = str(error) or type(error).__name__
        finally:
            self._mended = monotonic()
            self._mending = False
