"""CSV and JSON, compared with counts taken directly from the engine."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.faults import fault_space
from fat_fpga.reports import COLUMNS, report_json, write_csv, write_json
from tests.campaign.tiny import Watched, tiny_data, tiny_network, tiny_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return tiny_run(tmp_path / "a.run")


def test_csv_is_exact(run: Run, tmp_path: Path) -> None:
    write_csv(run, tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_text()
    assert text.splitlines()[0] == "fault,layer,kind,index,effect,images,correct,changed,stands_for"
    network, data = tiny_network(), tiny_data()
    faults = fault_space(network)
    outcome = ReferenceEngine().open(network).run(data.images, data.labels, faults)
    expected = [
        [str(f), f.layer, "channel", f.index_text, f.effect_text, "30", str(correct), str(changed), "1"]
        for f, correct, changed in zip(faults, outcome.correct, outcome.changed, strict=True)
    ]
    assert list(csv.reader(text.splitlines())) == [list(COLUMNS), *expected]
    assert "\r" not in text
    assert [row[1] for row in expected] == ["conv0"] * 8 + ["conv1"] * 6


def test_json_holds_the_run_and_survives_a_round_trip(run: Run, tmp_path: Path) -> None:
    write_json(run, tmp_path / "a.json", top=3)
    found = json.loads((tmp_path / "a.json").read_text())
    assert found == report_json(run, top=3)
    assert found["format"] == 2
    assert found["network"]["fingerprint"] == tiny_network().fingerprint
    assert found["data"] == {"name": "tiny:test", "fingerprint": tiny_data().fingerprint, "images": 30}
    assert found["campaign"]["complete"]
    assert found["error_free"] == {"correct": run.error_free, "accuracy": 100 * run.error_free / 30}
    assert [f["correct"] for f in found["faults"]] == run.correct.tolist()
    assert len(found["layers"]) == 4
    assert found["layers"][0]["worst"].startswith("conv0/channel[")
    assert len(found["critical"]) == 3
    assert found["overall"]["min"] == run.accuracy.min()


def test_an_unfinished_run_is_marked(tmp_path: Path) -> None:
    network, path = tiny_network(), tmp_path / "a.run"
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, tiny_data(), fault_space(network), path, Watched(1))
    found = report_json(Run.open(path))
    assert (found["campaign"]["complete"], found["campaign"]["done"], found["overall"]) == (False, 0, None)
    write_csv(Run.open(path), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == ",".join(COLUMNS) + "\n"


def test_a_file_appears_whole_or_not_at_all(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text("before")
    monkeypatch.setattr("fat_fpga.reports.json_file.json.dumps", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_json(run, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text() == "before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.run"]


def test_an_output_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no such folder"):
        write_csv(run, tmp_path / "no" / "a.csv")
    with pytest.raises(OSError, match="it is a folder"):
        write_json(run, tmp_path)
