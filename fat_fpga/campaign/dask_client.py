"""The way to the workers of Dask: some that are started here, or those of a scheduler that is already there."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from fat_fpga.campaign.dask_worker import Code, code, refusal
from fat_fpga.errors import CampaignError
from fat_fpga.extras import advice

if TYPE_CHECKING:
    from distributed import Client

CONNECT = 10
"""Seconds that a scheduler has to answer."""
NO_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""What local workers do first: Ctrl-C is for the process of the campaign, which ends them."""
FORMS = "local:N (N worker processes on this machine) or the address of a scheduler, as tcp://HOST:PORT"


def check_dask(text: str) -> int | None:
    """How many workers ``local:N`` asks for; None for the address of a scheduler; CampaignError for anything else."""
    found = re.fullmatch(r"local:([1-9][0-9]{0,3})", text)
    if found:
        return int(found[1])
    if not re.fullmatch(r"[a-z]+://\S+:[0-9]{1,5}", text) or int(text.rpartition(":")[2]) > 65535:
        raise CampaignError(f"Dask: expected {FORMS}, got '{text}'")
    return None


@contextmanager
def connected(dask: str | Client) -> Iterator[Client]:
    """A client of Dask; what is started for it ends with the block.

    Args:
        dask: ``local:N``, the address of a scheduler, or a client, which stays open.

    Raises:
        CampaignError: Dask is not installed, no scheduler answers, or a worker has another fat_fpga.
    """
    workers = check_dask(dask) if isinstance(dask, str) else None
    try:
        from distributed import Client, LocalCluster
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("distributed", "dask"):
            raise
        raise CampaignError(f"campaigns on Dask need the package {error.name}: {advice('dask')}") from error
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        if not isinstance(dask, str):
            client = dask
        else:
            address = dask
            if workers is not None:
                cluster = stack.enter_context(
                    LocalCluster(
                        n_workers=workers,
                        threads_per_worker=1,
                        host="127.0.0.1",
                        dashboard_address="127.0.0.1:0",
                        memory_limit=0,
                        preload=[NO_CTRL_C],
                        silence_logs=logging.CRITICAL,
                    )
                )
                address = cluster.scheduler_address
            try:
                client = stack.enter_context(Client(address, timeout=CONNECT, set_as_default=False))
            except (OSError, ValueError) as error:
                raise CampaignError(
                    f"no scheduler of Dask answers at {address}: start one with dask scheduler, and workers with "
                    f"dask worker {address}"
                ) from error
        if client.asynchronous or client.status != "running":
            raise CampaignError(f"Dask: expected a client that is connected and not asynchronous, got {client!r}")
        check_workers(client)
        yield client


def check_workers(client: Client) -> None:
    """CampaignError unless all workers that answer have this fat_fpga; each looks again before it computes."""
    own = code()
    for worker, found in client.run(code, on_error="return").items():
        if isinstance(found, ImportError | AttributeError):
            raise CampaignError(
                f"the worker {worker} is refused: it has no fat_fpga {own}, which runs this campaign ({found})"
            )
        if isinstance(found, OSError):
            continue  # it dies
        if isinstance(found, BaseException):
            raise CampaignError(f"the worker {worker} cannot say which fat_fpga it has: {type(found).__name__} {found}")
        if found != own:
            raise CampaignError(refusal(worker, Code(*found), own))


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask's words on workers that come and go: what matters to a campaign is told by it."""
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sending large graph")
            yield
    finally:
        logger.setLevel(level)
