"""A campaign on two workers of Dask against the same on two threads of one process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from fat_fpga.campaign import run_campaign
from fat_fpga.datasets import load
from fat_fpga.engines.native_engine import NativeEngine
from fat_fpga.faults import fault_space
from fat_fpga.network import load_network

if TYPE_CHECKING:
    from distributed import Client

WORKERS = 2
SAMPLE = 40_000
"""Bits of the weight memory: so many that the whole campaign takes some half a minute."""


@dataclass(frozen=True)
class WorkersResult:
    """Whole campaigns on workers that are there already; medians over the rounds.

    Attributes:
        efficiency: seconds on two threads, divided by seconds on two workers right after.
        threads_seconds, workers_seconds: what the campaigns took.
        load_before: load average of the machine over the minute before; above 0, others were at work.
    """

    efficiency: float
    threads_seconds: float
    workers_seconds: float
    load_before: float


def two_workers(images: int, rounds: int) -> WorkersResult:
    """Bit flips in the weights of CNV W1A1 on the first ``images`` bundled images; both ways take turns."""
    from distributed import Client, LocalCluster

    network = load_network("cnv_w1a1")
    data = load("demo:cifar10", limit=images)
    faults = fault_space(network, "weight").sample(SAMPLE)
    load_before = os.getloadavg()[0]

    def seconds(client: Client | None) -> float:
        started = perf_counter()
        run_campaign(network, data, faults, engine=NativeEngine().with_threads(WORKERS), dask=client)
        return perf_counter() - started

    threads, workers = [], []
    with (
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=":0", memory_limit=0) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        for _ in range(rounds):
            threads.append(seconds(None))
            workers.append(seconds(client))
    efficiency = median(t / w for t, w in zip(threads, workers, strict=True))
    return WorkersResult(
        round(efficiency, 3), round(median(threads), 1), round(median(workers), 1), round(load_before, 1)
    )
