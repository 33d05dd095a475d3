"""Kept predictions: those of the engine, bit by bit, through stops, longer lists and files; damage is noticed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.campaign import Run, Selection, run_campaign
from fat_fpga.campaign.predictions import bytes_of, pack, unpack
from fat_fpga.campaign.rounds import UntilMargin, run_in_rounds
from fat_fpga.campaign.sample_plan import SamplePlan
from fat_fpga.cli.main import main
from fat_fpga.engines.reference import predict
from fat_fpga.errors import CampaignError
from fat_fpga.faults import Fault, fault_space, parse_fault

from .tiny import Watched, tiny_data, tiny_network


def _equal(run: Run) -> None:
    """Every prediction in the run is that of the reference, and gives the counts in it."""
    network, data = tiny_network(), tiny_data()
    assert run.predictions is not None
    for number, result in enumerate(run.results):
        fault = parse_fault(result.fault)
        assert isinstance(fault, Fault)
        found = run.predictions.of(number)
        np.testing.assert_array_equal(found, predict(network, data.images, [fault]))
        assert (found == run.labels).sum() == result.correct
        assert (found != run.golden).sum() == result.changed


@given(st.data(), st.integers(1, 300), st.integers(0, 40))
def test_unpacking_undoes_packing(data: st.DataObject, classes: int, images: int) -> None:
    row = data.draw(st.lists(st.integers(0, classes - 1), min_size=images, max_size=images))
    (packed,) = pack(np.array([row], np.int32).reshape(1, images), classes)
    assert len(packed) == bytes_of(classes, images)
    assert unpack(packed, classes, images).tolist() == row


def test_ten_classes_take_four_bits() -> None:
    assert bytes_of(10, 10_000) == 5_000
    assert pack(np.array([[1, 2, 9]], np.int32), 10) == [bytes([0x21, 0x09])]


def test_predictions_are_kept_in_file_and_memory(tmp_path: Path) -> None:
    network, data = tiny_network(), tiny_data()
    run = run_campaign(network, data, None, tmp_path / "a.run", "reference", counting=("predictions",))
    _equal(run)
    _equal(Run.open(tmp_path / "a.run"))
    _equal(run_campaign(network, data, None, None, "native", counting=("predictions",)))
    assert run_campaign(network, data, None, None, "native").predictions is None


def test_a_stopped_campaign_keeps_all_of_them(tmp_path: Path) -> None:
    network, data, path = tiny_network(), tiny_data(), tmp_path / "a.run"
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, data, None, path, Watched(3), chunk=3, counting=("outcomes", "predictions"))
    _equal(Run.open(path))
    run = run_campaign(network, data, None, path, "native", counting=("outcomes", "predictions"))
    assert run.complete
    _equal(run)
    with pytest.raises(CampaignError, match="counts outcomes,predictions in the file and nothing now"):
        run_campaign(network, data, None, path)


def test_longer_lists_take_them_over(tmp_path: Path) -> None:
    network, data = tiny_network(), tiny_data()
    plan = SamplePlan(margin=4, confidence=95, pilot=3)
    rounds = UntilMargin(plan, fault_space(network, "weight"), network)
    run = run_in_rounds(network, data, rounds, tmp_path / "a.run", "native", counting=("predictions",))
    assert run.done > 3
    _equal(run)


def test_workers_send_them(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    network, data = tiny_network(), tiny_data()
    faults = Selection.sample(fault_space(network, "weight"), 20)
    _equal(run_campaign(network, data, faults, tmp_path / "a.run", dask="local:1", counting=("predictions",)))


def test_a_changed_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    run_campaign(tiny_network(), tiny_data(), None, path, "reference", counting=("predictions",))
    for change, told in (
        ("UPDATE prediction SET classes = CAST(x'00' || substr(classes, 2) AS BLOB) WHERE position = 3", "digest"),
        ("UPDATE prediction SET classes = x'00' WHERE position = 3", "no 30 predictions"),
        ("DELETE FROM prediction WHERE position = 3", "has 13 rows, 14 faults have a result"),
        ("DROP TABLE prediction", "no table prediction"),
    ):
        copy = tmp_path / "b.run"
        copy.write_bytes(path.read_bytes())
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute(change)
            connection.commit()
        with pytest.raises(CampaignError, match=told):
            Run.open(copy)


def test_the_command_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    words = ["campaign", "tfc_w2a2", "--data", "demo:mnist", "--images", "20", "--sample", "3", "-q", "-o", str(path)]
    assert main([*words, "--keep-predictions"]) == 0
    run = Run.open(path)
    assert run.predictions is not None
    assert [(run.predictions.of(n) != run.golden).sum() for n in range(3)] == run.changed.tolist()
