"""A campaign on workers of Dask has the rows of the serial one, whatever becomes of the workers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fat_fpga
from fat_fpga.campaign import Run, dask_client, dask_crew, dask_worker, run_campaign
from fat_fpga.campaign.crew import Portion
from fat_fpga.campaign.dask_client import check_dask
from fat_fpga.campaign.dask_crew import FEWEST, portion
from fat_fpga.campaign.dask_worker import Job
from fat_fpga.engines import Outcome, Session
from fat_fpga.engines.reference import ReferenceEngine, ReferenceSession
from fat_fpga.errors import CampaignError
from fat_fpga.faults import AnyFault, fault_space
from fat_fpga.network import Network

from .tiny import tiny_data, tiny_network

distributed = pytest.importorskip("distributed", reason="distributed is not installed")

KILLS = int(os.environ.get("FAT_FPGA_KILLS", "5"))


class Slow(ReferenceEngine):
    """The reference engine, with a pause in every run that has faults."""

    name = "slow"

    def _open(self, network: Network) -> Session:
        return SlowSession(self.name, network)


class SlowSession(ReferenceSession):
    def run(self, images: Any, labels: Any, faults: Any, **options: Any) -> Outcome:
        time.sleep(0.1 if len(faults) else 0)
        return super().run(images, labels, faults, **options)


class WrongElsewhere(ReferenceEngine):
    """Gives another class for the first image in every process but the one that it is made in."""

    name = "wrong"

    def __init__(self) -> None:
        self.process = os.getpid()

    def _open(self, network: Network) -> Session:
        return WrongSession(self.name, network) if os.getpid() != self.process else ReferenceSession(self.name, network)


class WrongSession(ReferenceSession):
    def run(self, *arguments: Any, **options: Any) -> Outcome:
        outcome = super().run(*arguments, **options)
        outcome.golden[0] ^= 1
        return outcome


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=4,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        memory_limit=0,
        silence_logs=50,
    ) as cluster:
        yield cluster


@pytest.fixture
def client(cluster: Any) -> Iterator[Any]:
    with distributed.Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(4, timeout=60)
        yield client


def faults_of(kind: str, images: int) -> list[AnyFault]:
    """All, or 60 of them."""
    return [*fault_space(tiny_network(), kind, frames=images).sample(60, seed=1)]


def serial(path: Path, faults: list[AnyFault], images: int = 30) -> Run:
    return run_campaign(tiny_network(), tiny_data(images), faults, path / "serial.run", "reference")


def check_equal(run: Run, expected: Run) -> None:
    assert run.results == expected.results
    assert run.finished
    assert sum(session.faults for session in run.sessions) == run.asked
    assert (run.golden == expected.golden).all()


@pytest.mark.parametrize("kind", ["channel", "weight", "activation"])
@pytest.mark.parametrize("engine", ["native", "reference"])
def test_four_workers_give_the_serial_run(kind: str, engine: str, client: Any, tmp_path: Path) -> None:
    faults = faults_of(kind, 30)
    run = run_campaign(tiny_network(), tiny_data(30), faults, tmp_path / "a.run", engine, dask=client)
    check_equal(run, serial(tmp_path, faults))


def test_two_local_workers_give_the_serial_run(tmp_path: Path) -> None:
    faults = faults_of("weight", 30)
    run = run_campaign(tiny_network(), tiny_data(30), faults, tmp_path / "a.run", "native", dask="local:2")
    check_equal(run, serial(tmp_path, faults))


@pytest.mark.parametrize("kind", ["channel", "activation"])
def test_few_faults_are_cut_by_images(kind: str, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[Portion] = []

    def spy(*arguments: int) -> Portion:
        cut.append(portion(*arguments))
        return cut[-1]

    monkeypatch.setattr(dask_crew, "portion", spy)
    images, faults = 500, faults_of(kind, 500)[:3]
    run = run_campaign(tiny_network(), tiny_data(images), faults, tmp_path / "a.run", "native", dask=client)
    assert cut == [Portion(3, 8)]
    check_equal(run, serial(tmp_path, faults, images))


@given(st.integers(1, 300), st.integers(1, 100), st.integers(2, 64), st.integers(1, 5000))
def test_portions_use_up_the_faults_and_keep_all_busy(waiting: int, size: int, tasks: int, images: int) -> None:
    first = portion(waiting, size, tasks, images)
    at_once = -(-waiting // first.faults) * first.parts
    assert at_once >= min(tasks, waiting)
    while waiting:
        faults, parts = portion(waiting, size, tasks, images)
        assert 1 <= faults <= min(size, waiting)
        assert parts == 1 or images // parts >= FEWEST
        assert parts <= tasks
        waiting -= faults


@contextmanager
def meanwhile(act: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs ``act`` in a thread beside the block; its event says that the block has ended."""
    over = threading.Event()
    thread = threading.Thread(target=act, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def processes(cluster: Any) -> list[int]:
    """Of the workers that are ready; Dask does not start one anew that dies while it starts."""
    nannies = [nanny for nanny in cluster.workers.values() if nanny.process is not None]
    return [nanny.pid for nanny in nannies if nanny.process.status.name == nanny.status.name == "running"]


def test_workers_killed_at_random_lose_and_repeat_nothing(cluster: Any, client: Any, tmp_path: Path) -> None:
    rng, faults, killed, rounds = random.Random(0), faults_of("weight", 30), 0, 0
    expected = serial(tmp_path, faults)

    def kill(over: threading.Event) -> None:
        nonlocal killed
        while killed < KILLS and not over.wait(0.2 + rng.expovariate(2)):
            if living := processes(cluster):
                os.kill(rng.choice(living), signal.SIGKILL)
                killed += 1

    while killed < KILLS:
        path = tmp_path / f"{rounds}.run"
        with meanwhile(kill):
            run = run_campaign(tiny_network(), tiny_data(30), faults, path, Slow(), chunk=3, dask=client)
        check_equal(run, expected)
        rounds += 1
        client.wait_for_workers(4, timeout=60)


def test_a_worker_that_stands_still_is_overtaken(
    cluster: Any, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_crew, "LATE_SECONDS", 1.0)
    faults, stopped = faults_of("channel", 30), processes(cluster)[0]

    def stop(over: threading.Event) -> None:
        while not (path := tmp_path / "a.run").exists() or Run.open(path).done < 2:
            if over.wait(0.05):
                return
        os.kill(stopped, signal.SIGSTOP)

    try:
        with meanwhile(stop):
            run = run_campaign(tiny_network(), tiny_data(30), faults, tmp_path / "a.run", Slow(), chunk=1, dask=client)
    finally:
        with suppress(ProcessLookupError):  # its nanny may have given it up
            os.kill(stopped, signal.SIGCONT)
    check_equal(run, serial(tmp_path, faults))


def pretend(version: str) -> None:
    """In a worker: what it says of itself."""
    setattr(dask_worker, "__version__", version)  # noqa: B010 - the name is imported there


def test_a_worker_with_another_version_is_refused(client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults, path, own = faults_of("channel", 30), tmp_path / "a.run", fat_fpga.__version__
    old = next(iter(client.nthreads()))
    client.run(pretend, "0.0.1", workers=[old])
    try:
        refused = rf"the worker {old} is refused: it has fat_fpga 0\.0\.1 .* run by fat_fpga {own}"
        with pytest.raises(CampaignError, match=refused):
            run_campaign(tiny_network(), tiny_data(30), faults, path, "reference", dask=client)
        assert not path.exists()
        monkeypatch.setattr(dask_client, "check_workers", lambda client: None)  # as for one that comes later
        with pytest.raises(CampaignError, match=refused):
            run_campaign(tiny_network(), tiny_data(30), faults, path, Slow(), chunk=1, dask=client)
        assert not Run.open(path).finished
    finally:
        client.run(pretend, own, workers=[old])
    run = run_campaign(tiny_network(), tiny_data(30), faults, path, "reference", dask=client)
    check_equal(run, serial(tmp_path, faults))


def test_a_worker_with_another_network_or_data_set_is_refused() -> None:
    job = Job.of("key", tiny_network(), tiny_data(), ReferenceEngine())
    assert job.open(1).network is job.network
    with pytest.raises(CampaignError, match="has tiny with another fingerprint than the campaign's network"):
        replace(job, network=tiny_network(1)).open(1)
    with pytest.raises(CampaignError, match="has tiny:test with another fingerprint than the campaign's data set"):
        replace(job, dataset=tiny_data(seed=1)).open(1)


def test_a_worker_that_predicts_other_classes_is_refused(client: Any, tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match=r"the worker tcp://\S+ predicts other classes for the fault-free network"):
        run_campaign(
            tiny_network(), tiny_data(30), faults_of("channel", 30), tmp_path / "a.run", WrongElsewhere(), dask=client
        )
    assert Run.open(tmp_path / "a.run").done == 0


CLUSTER = """
    import sys
    from distributed import LocalCluster

    if __name__ == "__main__":
        with LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0") as cluster:
            print(cluster.scheduler_address, flush=True)
            sys.stdin.read()
"""


def test_a_campaign_outlives_its_scheduler(client: Any, tmp_path: Path) -> None:
    program = tmp_path / "cluster.py"
    program.write_text("\n".join(line.removeprefix("    ") for line in CLUSTER.splitlines()))
    process = subprocess.Popen(
        [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        start_new_session=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert process.stdout is not None
    address, faults, path = process.stdout.readline().strip(), faults_of("weight", 30), tmp_path / "a.run"

    def kill(over: threading.Event) -> None:
        while not path.exists() or Run.open(path).done < 3:
            if over.wait(0.05):
                break
        os.killpg(process.pid, signal.SIGKILL)

    try:
        with (
            meanwhile(kill),
            pytest.raises(
                CampaignError, match=f"scheduler of Dask at {address} has gone .* the same command continues"
            ),
        ):
            run_campaign(tiny_network(), tiny_data(30), faults, path, Slow(), chunk=1, dask=address)
    finally:
        process.communicate()
    done = Run.open(path).done
    assert 3 <= done < len(faults)
    run = run_campaign(tiny_network(), tiny_data(30), faults, path, "reference", dask=client)
    check_equal(run, serial(tmp_path, faults))
    assert [session.faults for session in run.sessions] == [done, len(faults) - done]


class Unsendable(ReferenceEngine):
    name = "unsendable"

    def __init__(self) -> None:
        self.lock = threading.Lock()


def test_what_cannot_be_sent_is_told(client: Any, tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match=r"the unsendable engine cannot be sent to workers .* without Dask"):
        run_campaign(
            tiny_network(), tiny_data(30), faults_of("channel", 30), tmp_path / "a.run", Unsendable(), dask=client
        )
    assert not (tmp_path / "a.run").exists()


@pytest.mark.parametrize("text", ["local", "local:0", "local:-1", "local:x", "4", "tcp://", "tcp://a", "tcp://a:99999"])
def test_other_words_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="expected local:N"):
        run_campaign(
            tiny_network(), tiny_data(30), faults_of("channel", 30), tmp_path / "a.run", "reference", dask=text
        )
    assert not (tmp_path / "a.run").exists()


def test_addresses() -> None:
    assert check_dask("local:12") == 12
    assert check_dask("tcp://10.0.0.1:8786") is None
    assert check_dask("tls://[::1]:8786") is None


def test_no_scheduler_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_client, "CONNECT", 0.5)
    with pytest.raises(CampaignError, match=r"no scheduler of Dask answers at tcp://127.0.0.1:1: start one"):
        run_campaign(
            tiny_network(), tiny_data(30), faults_of("channel", 30), tmp_path / "a.run", dask="tcp://127.0.0.1:1"
        )
    assert not (tmp_path / "a.run").exists()


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CampaignError, match=r"need the package distributed: pip install '\.\[dask\]'"):
        run_campaign(tiny_network(), tiny_data(30), faults_of("channel", 30), tmp_path / "a.run", dask="local:2")
