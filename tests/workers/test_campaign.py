"""A campaign on workers of Dask has the rows of the serial one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.campaign import dask_crew, run_campaign
from fat_fpga.campaign.crew import Portion
from fat_fpga.campaign.dask_crew import FEWEST, portion
from tests.campaign.tiny import tiny_data, tiny_network
from tests.workers.engines import Slow
from tests.workers.runs import check_equal, faults_of, serial

distributed = pytest.importorskip("distributed", reason="distributed is not installed")

WORKERS = [int(number) for number in os.environ.get("FAT_FPGA_WORKERS", "2").split(",")]


@pytest.mark.parametrize(
    ("engine", "kind"),
    [("native", "channel"), ("native", "weight"), ("native", "activation"), ("reference", "channel")],
)
def test_two_workers_give_the_serial_run(engine: str, kind: str, client: Any, tmp_path: Path) -> None:
    faults = faults_of(kind, 30)
    run = run_campaign(tiny_network(), tiny_data(30), faults, tmp_path / "a.run", engine, dask=client)
    check_equal(run, serial(tmp_path, faults))


@pytest.mark.parametrize("workers", [4, 8])
def test_many_workers_give_the_serial_run(workers: int, tmp_path: Path) -> None:
    """Threads of one process, which start at once."""
    faults = faults_of("channel", 30)
    with (
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", memory_limit=0
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        run = run_campaign(tiny_network(), tiny_data(30), faults, tmp_path / "a.run", Slow(), chunk=1, dask=client)
        check_equal(run, serial(tmp_path, faults))


@pytest.mark.parametrize("workers", WORKERS)
def test_local_workers_give_the_serial_run(workers: int, tmp_path: Path) -> None:
    faults = faults_of("weight", 30)
    run = run_campaign(
        tiny_network(), tiny_data(30), faults, tmp_path / "a.run", "native", chunk=2, dask=f"local:{workers}"
    )
    check_equal(run, serial(tmp_path, faults))


@pytest.mark.filterwarnings("ignore:without injected faults")
@pytest.mark.parametrize("kind", ["channel", "activation"])
def test_few_faults_are_cut_by_images(kind: str, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[Portion] = []

    def spy(*arguments: int) -> Portion:
        cut.append(portion(*arguments))
        return cut[-1]

    monkeypatch.setattr(dask_crew, "portion", spy)
    images, faults = 500, faults_of(kind, 500)[:3]
    run = run_campaign(tiny_network(), tiny_data(images), faults, tmp_path / "a.run", "native", dask=client)
    assert cut == [Portion(3, 4)]
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
