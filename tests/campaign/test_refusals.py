"""What a campaign refuses, in words that name it, with nothing written."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.errors import CampaignError, DataError, EngineError, FatFpgaError, FaultError
from fat_fpga.faults import Fault, fault_space

from .tiny import tiny_data, tiny_network, tiny_run

NETWORK, DATA = tiny_network(), tiny_data()
FAULTS = fault_space(NETWORK)


@pytest.mark.parametrize(
    ("network", "data", "faults", "words"),
    [
        (tiny_network(1, "other"), DATA, FAULTS, ["the model is tiny (", "and other (", "now"]),
        (NETWORK, tiny_data(seed=1), FAULTS, ["the data set is tiny:test, 30 images ("]),
        (NETWORK, tiny_data(29), FAULTS, ["30 images", "and tiny:test, 29 images"]),
        (NETWORK, DATA, FAULTS[:5], ["the fault list has 14 faults (", "and 5 faults ("]),
        (tiny_network(1), tiny_data(29), FAULTS[1:], ["the model is", "the data set is", "the fault list has"]),
    ],
)
def test_another_campaign_is_refused_by_name(
    tmp_path: Path, network: object, data: object, faults: object, words: list[str]
) -> None:
    path = tmp_path / "a.run"
    before = tiny_run(path)
    bytes_before = path.read_bytes()
    with pytest.raises(CampaignError, match="holds another campaign") as error:
        run_campaign(network, data, faults, path, "reference")  # type: ignore[arg-type]
    for word in words:
        assert word in str(error.value)
    assert path.read_bytes() == bytes_before
    assert Run.open(path).results == before.results


def test_only_what_differs_is_named(tmp_path: Path) -> None:
    tiny_run(tmp_path / "a.run")
    with pytest.raises(CampaignError) as error:
        run_campaign(NETWORK, tiny_data(29), FAULTS, tmp_path / "a.run", "reference")
    assert "model" not in str(error.value)
    assert "fault list" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to hold a header" * 30])
def test_files_of_others_are_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.run"
    path.write_bytes(content)
    with pytest.raises(CampaignError, match="is not a run file"):
        Run.open(path)
    with pytest.raises(CampaignError, match="is not a run file"):
        run_campaign(NETWORK, DATA, FAULTS, path, "reference")
    assert path.read_bytes() == content


def test_a_foreign_database_and_a_foreign_version(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE fault (x)")
    with pytest.raises(CampaignError, match="is not a run file"):
        Run.open(path)
    tiny_run(tmp_path / "b.run")
    with sqlite3.connect(tmp_path / "b.run") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(CampaignError, match="run format 99, this version of fat-fpga reads formats 2 and 3"):
        Run.open(tmp_path / "b.run")


def test_a_missing_run(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="no run file at"):
        Run.open(tmp_path / "a.run")
    assert list(tmp_path.iterdir()) == []


def _images(count: int, *shape: int) -> Dataset:
    return Dataset("odd", np.zeros((count, *shape), np.uint8), np.zeros(count, np.int64), ("a", "b", "c", "d"))


LABELS = Dataset("odd", DATA.images, np.full(30, 4), ("a", "b", "c", "d", "e"))


@pytest.mark.parametrize(
    ("data", "faults", "options", "error", "words"),
    [
        (_images(3, 1, 9, 9), FAULTS, {}, DataError, r"takes uint8 images \[N, 1, 8, 8\], got uint8 \[3, 1, 9, 9\]"),
        (LABELS, FAULTS, {}, DataError, r"labels must lie in 0..3"),
        (DATA, [], {}, FaultError, "at least one"),
        (DATA, [FAULTS[3], *FAULTS], {}, FaultError, r"conv0/channel\[1\] = \+1 is listed 2 times"),
        (
            DATA,
            [Fault("conv9", "channel", (0,), 1)],
            {},
            FaultError,
            "unknown place 'conv9': tiny has input, conv0, conv0.pool",
        ),
        (DATA, [Fault("conv0", "channel", (9,), 1)], {}, FaultError, "channels 0 to 3"),
        (DATA, [Fault("conv0", "channel", (0,), 5)], {}, FaultError, "expected = -1, "),
        (DATA, FAULTS, {"engine": "abacus"}, EngineError, "known are"),
        (DATA, FAULTS, {"chunk": 0}, CampaignError, "at least one fault"),
    ],
)
def test_bad_input_writes_nothing(
    tmp_path: Path,
    data: Dataset,
    faults: list[Fault],
    options: dict[str, object],
    error: type[FatFpgaError],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        run_campaign(NETWORK, data, faults, tmp_path / "a.run", **{"engine": "reference", **options})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    for path in (tmp_path / "no" / "a.run", tmp_path):
        with pytest.raises(OSError, match="cannot write"):
            run_campaign(NETWORK, DATA, FAULTS, path, "reference")
    assert list(tmp_path.iterdir()) == []
