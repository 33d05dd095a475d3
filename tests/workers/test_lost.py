"""Workers that die, stand still, never come or never come back; schedulers that go: nothing is lost or repeated."""

from __future__ import annotations

import os
import random
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.errors import CampaignError, CampaignWarning
from fat_fpga.workers import client as workers_client
from fat_fpga.workers import tasks
from tests.campaign.tiny import tiny_data, tiny_network
from tests.workers.clusters import another_cluster
from tests.workers.engines import Slow, UntilKilled
from tests.workers.runs import check_equal, faults_of, meanwhile, serial, wait_for

distributed = pytest.importorskip("distributed", reason="distributed is not installed")
psutil = pytest.importorskip("psutil", reason="psutil comes with distributed")

KILLS = int(os.environ.get("FAT_FPGA_KILLS", "3"))


def children() -> set[Any]:
    """Worker processes of this process, those included that are starting."""
    found = set()
    for process in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if any("spawn_main" in word for word in process.cmdline()):
                found.add(process)
    return found


def kill(process: Any) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()


def test_local_workers_killed_at_random_lose_and_repeat_nothing(tmp_path: Path) -> None:
    """Also while they start. Two workers: each kill lets one go on, so that the faults outlast the kills."""
    rng, faults, others = random.Random(0), faults_of("weight", 30, min(132, 20 + 2 * KILLS)), children()
    kills = tmp_path / "kills"
    kills.touch()

    def act(over: threading.Event) -> None:
        while kills.stat().st_size < KILLS and not over.wait(rng.expovariate(0.5)):
            if living := sorted(children() - others, key=lambda process: process.pid):
                kill(rng.choice(living))
                with kills.open("ab") as file:
                    file.write(b".")

    with meanwhile(act):
        run = run_campaign(
            tiny_network(), tiny_data(30), faults, tmp_path / "a.run", UntilKilled(kills, KILLS), chunk=1,
            dask="local:2", dask_wait=600,
        )  # fmt: skip
    assert kills.stat().st_size == KILLS
    check_equal(run, serial(tmp_path, faults))


@pytest.mark.parametrize("done", [0, 3])
def test_local_workers_that_all_die_for_good(done: int, tmp_path: Path) -> None:
    """While they start, or later."""
    faults, others, path = faults_of("weight", 30), children(), tmp_path / "a.run"

    def act(over: threading.Event) -> None:
        if done and not wait_for(path, done, over):
            return
        while not over.wait(0.05):
            for process in children() - others:
                kill(process)

    with meanwhile(act), pytest.raises(CampaignError, match=r"local:2: no worker process was there for \d+ s"):
        run_campaign(
            tiny_network(), tiny_data(30), faults, path, Slow(), chunk=1, dask="local:2", dask_wait=10 if done else 3
        )
    if not done:
        assert not path.exists()
    else:
        assert done <= Run.open(path).done < len(faults)
        check_equal(run_campaign(tiny_network(), tiny_data(30), faults, path, "native"), serial(tmp_path, faults))
    assert children() == others


def test_local_workers_that_all_die_with_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the news that it is there and its way here."""
    faults, others, path, deadly = faults_of("weight", 30), children(), tmp_path / "a.run", threading.Event()
    fetched = tasks.Tasks._fetched

    def fetch(self: tasks.Tasks, future: Any) -> Any:
        living = children() - others
        if not deadly.is_set() and path.exists() and Run.open(path).done:
            deadly.set()
            psutil.wait_procs(living)
        return fetched(self, future)

    def act(over: threading.Event) -> None:
        while not deadly.wait(0.05):
            if over.is_set():
                return
        while not over.wait(0.05):
            for process in children() - others:
                kill(process)

    monkeypatch.setattr(tasks.Tasks, "_fetched", fetch)
    monkeypatch.setattr(tasks, "LATE_SECONDS", 1e9)
    with meanwhile(act), pytest.raises(CampaignError, match=r"local:2: no worker process was there for \d+ s"):
        run_campaign(tiny_network(), tiny_data(30), faults, path, "native", chunk=1, dask="local:2", dask_wait=10)
    assert 1 <= Run.open(path).done < len(faults)


def test_workers_of_a_scheduler_that_come_late_and_go_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_client, "TELL", 0.2)
    faults, path = faults_of("weight", 30), tmp_path / "a.run"
    with distributed.LocalCluster(
        n_workers=0, threads_per_worker=1, host="127.0.0.1", protocol="tcp://", processes=False, dashboard_address=":0"
    ) as cluster:
        address = cluster.scheduler_address

        def act(over: threading.Event) -> None:
            over.wait(2.5)
            cluster.scale(1)
            wait_for(path, 3, over)
            cluster.scale(0)

        gone = rf"the scheduler of Dask at {address} has had no worker for \d s: .* \(--dask-wait\)"
        with (
            meanwhile(act),
            pytest.warns(CampaignWarning, match=f"{address} has had no worker for 0 s: waiting"),
            pytest.raises(CampaignError, match=gone),
        ):
            run_campaign(tiny_network(), tiny_data(30), faults, path, Slow(), chunk=1, dask=address, dask_wait=4)
    assert 3 <= Run.open(path).done < len(faults)
    check_equal(run_campaign(tiny_network(), tiny_data(30), faults, path, "native"), serial(tmp_path, faults))


def test_a_worker_that_stands_still_is_overtaken(
    client: Any, cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "LATE_SECONDS", 1.0)
    faults, path = faults_of("channel", 30), tmp_path / "a.run"
    stopped = next(nanny.pid for nanny in cluster.workers.values() if nanny.pid is not None)

    def act(over: threading.Event) -> None:
        if wait_for(path, 2, over):
            os.kill(stopped, signal.SIGSTOP)

    try:
        with meanwhile(act):
            run = run_campaign(tiny_network(), tiny_data(30), faults, path, Slow(), chunk=1, dask=client)
    finally:
        with suppress(ProcessLookupError):  # its nanny may have given it up
            os.kill(stopped, signal.SIGCONT)
    check_equal(run, serial(tmp_path, faults))


@pytest.mark.parametrize(
    ("number", "words"),
    [(signal.SIGKILL, "has gone or was started again"), (signal.SIGSTOP, "does not answer")],
    ids=["killed", "stopped"],
)
def test_a_campaign_outlives_its_scheduler(
    number: signal.Signals, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers_client, "ANSWER", 3.0)
    faults, path = faults_of("weight", 30), tmp_path / "a.run"
    with another_cluster(tmp_path) as (address, group):

        def act(over: threading.Event) -> None:
            wait_for(path, 3, over)
            os.killpg(group, number)

        wanted = f"the scheduler of Dask at {address} {words}: .* the same command continues"
        with meanwhile(act), pytest.raises(CampaignError, match=wanted):
            run_campaign(tiny_network(), tiny_data(30), faults, path, Slow(), chunk=1, dask=address)
    done = Run.open(path).done
    assert 3 <= done < len(faults)
    run = run_campaign(tiny_network(), tiny_data(30), faults, path, "reference")
    check_equal(run, serial(tmp_path, faults))
    assert [session.faults for session in run.sessions] == [done, len(faults) - done]
