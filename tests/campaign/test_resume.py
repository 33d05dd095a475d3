"""A stopped campaign continues: nothing finished is lost, nothing finished is done again."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.campaign.digest import HEADER, header_digest
from fat_fpga.datasets import load
from fat_fpga.engines.session import Session
from fat_fpga.errors import CampaignError
from fat_fpga.faults import Fault, fault_space, memory_fingerprint, parse_fault
from fat_fpga.network import Levels, MatrixVectorUnit, Network, load_network
from fat_fpga.reports.json_file import report_json
from fat_fpga.reports.table import headline

from .tiny import Watched, tiny_data, tiny_network, tiny_run

SLOW = """
    import sys, time
    from fat_fpga.campaign import run_campaign
    from fat_fpga.faults import fault_space
    from tests.campaign.tiny import Watched, tiny_data, tiny_network

    class Slow(Watched):
        def run(self, compute, images, labels, faults, **options):
            with open(sys.argv[2], "a") as log:
                print(*(f"{f.layer} {f.index[0]} {f.value}" for f in faults), sep=chr(10), file=log)
            time.sleep(0.05)
            return super().run(compute, images, labels, faults, **options)

    network = tiny_network()
    run_campaign(network, tiny_data(), fault_space(network), sys.argv[1], Slow(), chunk=1)
"""


def test_kill_9_loses_and_repeats_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    done: set[str] = set()
    for round_ in range(3):
        log = tmp_path / f"log{round_}"
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(SLOW), str(path), str(log)])
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            if path.exists() and Run.open(path).done >= len(done) + 2:
                break
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        asked = {str(Fault(a, "channel", (int(b),), int(c))) for a, b, c in map(str.split, _lines(log))}
        assert not asked & done
        finished = {result.fault for result in Run.open(path).results}
        assert done < finished
        assert len(finished - done) >= 2
        assert finished <= done | asked
        done = finished
    assert len(done) < 14

    engine = Watched()
    network = tiny_network()
    resumed = run_campaign(network, tiny_data(), fault_space(network), path, engine)
    assert {str(fault) for fault in engine.asked} == {str(fault) for fault in fault_space(network)} - done
    assert len(engine.asked) == 14 - len(done)
    assert resumed.results == tiny_run(tmp_path / "b.run").results
    assert resumed.finished
    assert [session.faults for session in resumed.sessions][-1] == len(engine.asked)
    assert sum(session.faults for session in resumed.sessions) == 14
    assert sorted(p.name for p in tmp_path.iterdir() if p.name[0] != "l") == ["a.run", "b.run"]


def _lines(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if line]


@pytest.mark.parametrize("stop", [0, 1, 2, 5])
def test_an_interrupt_leaves_a_run_that_continues(tmp_path: Path, stop: int) -> None:
    path = tmp_path / "a.run"
    network, data = tiny_network(), tiny_data()
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, data, fault_space(network), path, Watched(stop), chunk=3)
    assert path.exists() == (stop > 0)
    if stop:
        assert Run.open(path).done == (stop - 1) * 3
        assert Run.open(path).finished is None
    assert run_campaign(network, data, fault_space(network), path, "reference").results == _whole(tmp_path)


def _whole(tmp_path: Path) -> object:
    return tiny_run(tmp_path / "whole.run").results


def test_a_finished_run_is_not_computed_again(tmp_path: Path) -> None:
    first = tiny_run(tmp_path / "a.run")
    engine = Watched()
    network = tiny_network()
    again = run_campaign(network, tiny_data(), fault_space(network), tmp_path / "a.run", engine)
    assert engine.calls == []
    assert (again.results, again.finished, again.sessions) == (first.results, first.finished, first.sessions)


def test_the_order_in_which_faults_are_given_does_not_matter(tmp_path: Path) -> None:
    first = tiny_run(tmp_path / "a.run")
    network = tiny_network()
    again = run_campaign(network, tiny_data(), fault_space(network)[::-1], tmp_path / "a.run", Watched())
    assert again.results == first.results


def _overtaken(tmp_path: Path) -> tuple[Run, list[str]]:
    """A campaign in whose midst another one on the same file is tried; and what that one was told."""
    network, data, path, told = tiny_network(), tiny_data(), tmp_path / "a.run", []

    class Overtaken(Watched):
        def run(self, *arguments, **options):  # type: ignore[no-untyped-def]
            if len(self.calls) in (1, 2):
                try:
                    run_campaign(network, data, fault_space(network), path, "reference")
                except CampaignError as error:
                    told.append(str(error))
            return super().run(*arguments, **options)

    return run_campaign(network, data, fault_space(network), path, Overtaken(), chunk=3), told


def test_a_second_worker_is_told_who_works_on_the_file(tmp_path: Path) -> None:
    run, told = _overtaken(tmp_path)
    assert run.results == _whole(tmp_path)
    assert len(told) == 2
    for message in told:
        assert f"another process is working on {run.path} (process {os.getpid()} on {socket.gethostname()}" in message


def test_where_there_are_no_locks_the_slower_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("fcntl.F_OFD_SETLK")
    with pytest.raises(CampaignError, match="another process is working on"):
        _overtaken(tmp_path)
    assert Run.open(tmp_path / "a.run").results == _whole(tmp_path)


def test_an_engine_that_disagrees_on_the_fault_free_network_is_stopped(tmp_path: Path) -> None:
    network, data, path = tiny_network(), tiny_data(), tmp_path / "a.run"
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, data, fault_space(network), path, Watched(2), chunk=3)

    class Wrong(Watched):
        def run(self, *arguments, **options):  # type: ignore[no-untyped-def]
            outcome = super().run(*arguments, **options)
            outcome.golden[7] ^= 1
            return outcome

    with pytest.raises(CampaignError, match="one of two engines is wrong"):
        run_campaign(network, data, fault_space(network), path, Wrong())
    assert Run.open(path).done == 3


def test_an_engine_that_disagrees_on_the_fault_free_top5_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, data, path = load_network("tfc_w2a2"), load("demo:mnist", limit=6), tmp_path / "a.run"
    faults = [parse_fault(f"fc0/channel[{channel}] = +1") for channel in range(7)]
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, data, faults, path, Watched(2), chunk=3, counting=("top5",))
    right = Session.fault_free_top5
    with monkeypatch.context() as wrong:
        wrong.setattr(Session, "fault_free_top5", lambda *arguments: right(*arguments) - 1)
        with pytest.raises(CampaignError, match="among the five highest scores of the fault-free network, the file"):
            run_campaign(network, data, faults, path, Watched(), counting=("top5",))
    assert Run.open(path).done == 3
    assert run_campaign(network, data, faults, path, Watched(), counting=("top5",)).complete


def same_function(network: Network) -> Network:
    """A network whose thresholds are others, between the same two sums that inputs can give."""
    first, *rest = network.layers
    assert isinstance(first, MatrixVectorUnit)
    assert first.thresholds is not None
    moved = first.thresholds.copy()
    moved[0] = 2000  # beyond what nine pixels reach, as 1900
    return replace(network, layers=(replace(first, thresholds=moved), *rest))


def test_faults_in_thresholds_are_not_continued_in_other_hardware(tmp_path: Path) -> None:
    network, data = tiny_network(levels=Levels(0, 1, 4)), tiny_data()
    searching = network.with_threshold_logic("search")
    for kind, kept in (("threshold", "count"), ("weight", ""), ("channel", "")):
        path, faults = tmp_path / f"{kind}.run", fault_space(network, kind).sample(6)
        run = run_campaign(network, data, faults, path, "reference")
        assert (run.identity.thresholds, run.thresholds) == (kept, kept)
        if kept:
            with pytest.raises(CampaignError, match="thresholds are count in the file and search now"):
                run_campaign(searching, data, faults, path, "reference")
        else:
            run_campaign(searching, data, faults, path, "reference")
    pattern = parse_fault("*/weight+threshold[*].bit[*] ^ 1 ~ 0.1 @ sample[0]")
    run = run_campaign(searching, data, [pattern], tmp_path / "pattern.run", "reference")
    assert run.thresholds == "search"
    assert "\nthresholds: search\n" in headline(run)
    assert report_json(run)["campaign"]["thresholds"] == "search"


def test_files_of_older_versions_counted(tmp_path: Path) -> None:
    """They have no entry for it."""
    network, data, path = tiny_network(levels=Levels(0, 1, 4)), tiny_data(), tmp_path / "a.run"
    faults = fault_space(network, "threshold").sample(6)
    run = run_campaign(network, data, faults, path, "reference")
    connection = sqlite3.connect(path)
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    del meta["thresholds"]
    layers = connection.execute("SELECT * FROM layer ORDER BY position").fetchall()
    images = connection.execute("SELECT label, predicted FROM image ORDER BY position").fetchall()
    connection.execute("DELETE FROM meta WHERE key = 'thresholds'")
    connection.execute("UPDATE meta SET value = ? WHERE key = ?", (header_digest(meta, layers, images), HEADER))
    connection.execute("UPDATE fault SET correct = NULL, changed = NULL, chunk = NULL")
    connection.execute("DELETE FROM chunk")
    connection.execute("UPDATE session SET faults = 0")
    connection.execute("UPDATE meta SET value = NULL WHERE key = 'finished'")
    connection.commit()
    connection.close()
    assert Run.open(path).thresholds == "count"
    with pytest.raises(CampaignError, match="thresholds are count in the file and search now"):
        run_campaign(network.with_threshold_logic("search"), data, faults, path, "reference")
    again = run_campaign(network, data, faults, path, "reference")
    assert [(r.fault, r.correct, r.changed) for r in again.results] == [
        (r.fault, r.correct, r.changed) for r in run.results
    ]


def test_faults_of_bits_are_not_continued_on_other_memories(tmp_path: Path) -> None:
    network, data = same_function(tiny_network()), tiny_data()
    first = network.layers[0]
    assert isinstance(first, MatrixVectorUnit)
    assert first.thresholds is not None
    other = replace(first, thresholds=np.where(first.thresholds == 2000, 1900, first.thresholds).astype(np.int32))
    twin = replace(network, layers=(other, *network.layers[1:]))
    assert twin.fingerprint == network.fingerprint
    assert memory_fingerprint(twin) != memory_fingerprint(network)
    for kind in ("threshold", "accumulator", "weight", "activation"):
        path, faults = tmp_path / f"{kind}.run", fault_space(network, kind, frames=30).sample(6)
        run_campaign(network, data, faults, path, "reference")
        with pytest.raises(CampaignError, match="computes the same, but its memories and registers hold"):
            run_campaign(twin, data, faults, path, "reference")
    run_campaign(network, data, fault_space(network), tmp_path / "channel.run", "reference")
    run_campaign(twin, data, fault_space(network), tmp_path / "channel.run", "reference")
