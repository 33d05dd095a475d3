"""Run several engines on the same faults and images, and compare every number that two of them show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from fat_fpga.arguments import checked
from fat_fpga.crosscheck.batches import batches
from fat_fpga.crosscheck.comparison import Comparison
from fat_fpga.crosscheck.over_dask import found_over_dask
from fat_fpga.crosscheck.result import CrossCheck, joined
from fat_fpga.engines import Engine
from fat_fpga.engines.images import Images
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, check_faults
from fat_fpga.network import Network
from fat_fpga.workers import connected

if TYPE_CHECKING:
    from distributed import Client


@checked
def crosscheck(
    network: Network,
    images: Images,
    faults: Sequence[AnyFault],
    engines: Mapping[str, Engine],
    progress: Callable[[int], object] | None = None,
    *,
    dask: str | Client | None = None,
    dask_wait: float | None = None,
) -> CrossCheck:
    """Compare engines on the fault-free network and under each fault.

    Each engine runs faults of a kind together, as in a campaign, for the predictions; then it traces
    them one by one, for the streams.

    Args:
        images: uint8 [N, C, H, W].
        engines: two or more, by name.
        progress: called with the number of faults that one engine has run, or traced, since the last call; they sum up
            to `steps`.
        dask, dask_wait: as for `fat_fpga.campaign.run_campaign`.

    Raises:
        CampaignError: Dask is not installed, does not answer, goes away, or has no worker for too long, or a worker
            has another fat_fpga.
        EngineError: there are fewer than two engines.
        FaultError: a fault does not exist.
    """
    if len(engines) < 2:
        raise EngineError(f"a cross-check needs two different engines at least, got {', '.join(engines) or 'none'}")
    check_faults(network.fault_free, faults, len(images))
    tell = progress or _nobody
    with connected(dask, dask_wait) as pool:
        comparison = Comparison(network, images, engines)
        if pool is None:
            found = [comparison.compare(batch, tell) for batch in batches(faults)]
        else:
            found = found_over_dask(pool, comparison, faults, tell)
    return joined(len(images), list(engines), found)


def steps(faults: int, engines: int) -> int:
    """What the calls of ``progress`` sum up to."""
    return 2 * engines * (faults + 1)


def _nobody(done: int) -> None:
    """Watches no progress."""
