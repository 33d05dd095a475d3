"""Workers that must not work, and ways to Dask that lead nowhere: a clear line, and nothing is written."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import fat_fpga
from fat_fpga.campaign import Run, run_campaign
from fat_fpga.campaign.dask_job import CampaignJob
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.errors import CampaignError
from fat_fpga.workers import Pool, code
from fat_fpga.workers import client as workers_client
from fat_fpga.workers.client import check_dask
from tests.campaign.tiny import tiny_data, tiny_network
from tests.workers.clusters import another_cluster
from tests.workers.engines import Slow, Unsendable, WrongElsewhere
from tests.workers.runs import check_equal, faults_of, serial

pytest.importorskip("distributed", reason="distributed is not installed")


def test_a_scheduler_without_fat_fpga_is_refused(tmp_path: Path) -> None:
    with another_cluster(tmp_path, 'sys.modules["fat_fpga"] = None') as (address, _):
        refused(tmp_path, rf"the scheduler {address} is refused: it has no fat_fpga", dask=address)


def pretend(version: str) -> None:
    """In a worker: what it says of itself."""
    setattr(code, "__version__", version)  # noqa: B010 - the name is imported there


def test_a_worker_with_another_version_is_refused(client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults, path, own = faults_of("channel", 30), tmp_path / "a.run", fat_fpga.__version__
    old = next(iter(client.nthreads()))
    client.run(pretend, "0.0.1", workers=[old])
    try:
        refused = rf"the worker {old} is refused: it has fat_fpga 0\.0\.1 .* given by fat_fpga {own}"
        with pytest.raises(CampaignError, match=refused):
            run_campaign(tiny_network(), tiny_data(30), faults, path, "reference", dask=client)
        assert not path.exists()
        monkeypatch.setattr(Pool, "check_code", lambda pool: None)  # as for one that comes later
        with pytest.raises(CampaignError, match=refused):
            run_campaign(tiny_network(), tiny_data(30), faults, path, Slow(), chunk=1, dask=client)
        assert not Run.open(path).finished
    finally:
        client.run(pretend, own, workers=[old])
    run = run_campaign(tiny_network(), tiny_data(30), faults, path, "reference", dask=client)
    check_equal(run, serial(tmp_path, faults))


def test_a_worker_with_another_network_or_data_set_is_refused() -> None:
    job = CampaignJob.of(tiny_network(), tiny_data(), ReferenceEngine())
    assert job.session(1).network is job.network
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


def test_what_cannot_be_sent_is_told(client: Any, tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match=r"the unsendable engine cannot be sent to workers .* without Dask"):
        run_campaign(
            tiny_network(), tiny_data(30), faults_of("channel", 30), tmp_path / "a.run", Unsendable(), dask=client
        )
    assert not (tmp_path / "a.run").exists()


def refused(path: Path, match: str, **options: Any) -> None:
    with pytest.raises(CampaignError, match=match):
        run_campaign(tiny_network(), tiny_data(30), faults_of("channel", 30), path / "a.run", "reference", **options)
    assert not (path / "a.run").exists()


@pytest.mark.parametrize("text", ["local", "local:0", "local:-1", "local:x", "4", "tcp://", "tcp://a", "tcp://a:99999"])
def test_other_words_are_refused(text: str, tmp_path: Path) -> None:
    refused(tmp_path, "expected local:N", dask=text)


def test_times_to_wait(tmp_path: Path) -> None:
    refused(tmp_path, r"\(--dask-wait\) needs Dask", dask_wait=5.0)
    refused(tmp_path, "must be above 0 s, got 0", dask="local:2", dask_wait=0.0)
    refused(tmp_path, "must be above 0 s, got nan", dask="local:2", dask_wait=float("nan"))


def test_addresses() -> None:
    assert check_dask("local:12") == 12
    assert check_dask("tcp://10.0.0.1:8786") is None
    assert check_dask("tls://[::1]:8786") is None


def test_no_scheduler_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_client, "CONNECT", 0.5)
    refused(tmp_path, r"no scheduler of Dask answers at tcp://127.0.0.1:1: start one", dask="tcp://127.0.0.1:1")


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    refused(tmp_path, r"needs the package distributed: pip install '\.\[dask\]'", dask="local:2")
