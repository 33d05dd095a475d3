"""Run files of version 2, written by the code of then, are read as they are and continued in today's format."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fat_fpga.campaign import Run, Selection, run_campaign
from fat_fpga.campaign.content import read
from fat_fpga.errors import CampaignError
from fat_fpga.faults import fault_space, parse_fault
from fat_fpga.reports import report_text

from .tiny import Watched, tiny_data, tiny_network

FILES = Path(__file__).parent / "version2"


def unpacked(name: str, folder: Path) -> Path:
    path = folder / f"{name}.run"
    path.write_bytes(gzip.decompress((FILES / f"{name}.run.gz").read_bytes()))
    return path


def weights() -> Selection:
    return Selection.sample(fault_space(tiny_network(), "weight"), 30, seed=5)


def test_a_finished_one_is_read_and_left_alone(tmp_path: Path) -> None:
    path = unpacked("finished", tmp_path)
    before, run = path.read_bytes(), Run.open(path)
    assert (run.asked, run.done, run.images) == (35, 35, 12)
    faults = [parse_fault(result.fault) for result in run.results]
    assert [result.faults for result in run.results] == [fault.faults for fault in faults]
    again = run_campaign(tiny_network(), tiny_data(12), faults, tmp_path / "new.run", "reference")
    assert again.results == run.results
    assert report_text(again).splitlines()[2:] == report_text(run).splitlines()[2:]
    engine = Watched()
    assert run_campaign(tiny_network(), tiny_data(12), faults, path, engine).results == run.results
    assert engine.calls == []
    assert path.read_bytes() == before


def test_an_unfinished_one_is_continued_in_the_format_of_today(tmp_path: Path) -> None:
    path, engine = unpacked("unfinished", tmp_path), Watched()
    before = Run.open(path)
    assert (before.done, before.asked, read(path).version) == (10, 30, 2)
    after = run_campaign(tiny_network(), tiny_data(12), weights(), path, engine)
    assert len(engine.asked) == 20
    assert {str(fault) for fault in engine.asked}.isdisjoint(result.fault for result in before.results)
    assert read(path).version == 3
    assert (after.created, after.version, after.origin) == (before.created, before.version, before.origin)
    assert [session.faults for session in after.sessions] == [10, 20]
    assert set(before.results) <= set(after.results)
    assert after.results == run_campaign(tiny_network(), tiny_data(12), weights(), tmp_path / "b", "reference").results
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["b", "unfinished.run"]


def test_another_campaign_leaves_it_alone(tmp_path: Path) -> None:
    path = unpacked("unfinished", tmp_path)
    before = path.read_bytes()
    with pytest.raises(CampaignError, match="holds another campaign"):
        run_campaign(tiny_network(), tiny_data(11), weights(), path, "reference")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("correct = 'many'", "table fault holds a value of another type"),
        ("layer = 'conv1'", r"fault 3, 'conv0/accumulator\[2\].bit\[8\] \^ 1', is not what its columns say"),
        ("kind = 'toaster', fault = replace(fault, kind, 'toaster')", "holds what is no fault .* expected a kind"),
        (
            """effect = '= much', fault = layer || '/' || kind || '[' || "index" || '] = much'""",
            r"holds what is no fault \(effect '= much'\)",
        ),
        (
            """kind = 'pixel', fault = layer || '/pixel[' || "index" || '].' || effect""",
            r"holds what is no fault \(pixel faults have 2 numbers, not 1\)",
        ),
    ],
)
def test_rows_that_were_altered_are_refused(change: str, words: str, tmp_path: Path) -> None:
    path = unpacked("finished", tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(f"UPDATE fault SET {change} WHERE position = 3")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(CampaignError, match=f"is damaged or was altered: .*{words}"):
        Run.open(path)
    assert path.read_bytes() == before


def test_a_set_of_another_kind_than_it_says_is_refused(tmp_path: Path) -> None:
    path = unpacked("finished", tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE fault SET kind = 'set of weight' WHERE position = 7")
        connection.commit()
    with pytest.raises(CampaignError, match="is not of kind 'set of weight'"):
        Run.open(path)
