"""Runs side by side: the figures of each equal directly computed ones, and what does not compare is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.errors import CampaignError
from fat_fpga.faults import fault_space
from fat_fpga.network import Levels
from fat_fpga.reports import (
    COMPARISON_COLUMNS,
    COMPARISON_FIGURES,
    compare,
    comparison_json,
    comparison_text,
    write_comparison_csv,
    write_comparison_figures,
    write_comparison_json,
)
from tests.campaign.tiny import Watched, tiny_data, tiny_network, tiny_run

Make = Callable[..., Run]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A finished run of the tiny network with these weights, in ``NAME.run``."""

    def run(name: str, seed: int = 0, network: str = "tiny", images: int = 30, layers: list[str] | None = None) -> Run:
        model = tiny_network(seed, network)
        faults = fault_space(model, layers=layers)
        return run_campaign(model, tiny_data(images), faults, tmp_path / f"{name}.run", "reference")

    return run


def as_pixels(run: Run) -> Run:
    """The same counts as if they came from faults of another kind."""
    results = tuple(replace(r, kind="pixel", fault=r.fault.replace("channel", "pixel")) for r in run.results)
    return replace(run, results=results)


def unfinished(path: Path, calls: int, chunk: int = 4) -> Run:
    network = tiny_network(2)
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, tiny_data(), fault_space(network), path, Watched(calls), chunk=chunk)
    return Run.open(path)


def test_figures_equal_directly_computed_ones(make: Make) -> None:
    (section,) = compare([make("a", 0), make("b", 1)], ["SAT", "FAT"]).sections
    assert [entry.name for entry in section.entries] == ["SAT", "FAT"]
    data = tiny_data()
    for seed, entry in enumerate(section.entries):
        network = tiny_network(seed)
        faults = fault_space(network)
        outcome = ReferenceEngine().open(network).run(data.images, data.labels, faults)
        accuracy = 100 * outcome.correct / 30
        golden = 100 * (outcome.golden == data.labels).mean()
        spread = entry.spread
        assert entry.run.error_free_accuracy == pytest.approx(golden)
        assert (spread.faults, spread.min, spread.max) == (14, accuracy.min(), accuracy.max())
        assert (spread.mean, spread.variance) == pytest.approx((accuracy.mean(), np.var(accuracy)))
        assert entry.drop == pytest.approx(golden - accuracy.min())
        for layer in ("conv0", "conv1"):
            own = accuracy[[fault.layer == layer for fault in faults]]
            assert (entry.layers[layer].min, entry.layers[layer].max) == (own.min(), own.max())


def test_the_tables_show_these_figures(make: Make) -> None:
    comparison = compare([make("a", 0), make("b", 1)], ["SAT", "FAT"])
    entries = comparison.sections[0].entries
    lines = comparison_text(comparison).split("\n")
    assert lines[0].startswith("2 runs on tiny:test, 30 images, data ")
    head = lines.index("accuracy under one stuck channel [%]") + 1
    columns = ["run", "error-free", "min", "drop", "max", "mean", "variance", "faults", "worst", "fault"]
    assert lines[head].split() == columns
    for line, entry in zip(lines[head + 1 : head + 3], entries, strict=True):
        s = entry.spread
        figures = (entry.run.error_free_accuracy, s.min, entry.drop, s.max, s.mean)
        expected = [entry.name, *(f"{f:.2f}" for f in figures), f"{s.variance:.3f}", "14", *s.worst.fault.split()]
        assert line.split() == expected
    best, other = sorted(entries, key=lambda entry: -entry.spread.min)
    assert f"highest minimum: {best.name}, {best.spread.min:.2f} %" in lines
    assert f"  {best.spread.min - other.spread.min:.2f} points above {other.name}" in lines
    head = lines.index("lowest accuracy of each layer under one stuck channel [%]") + 1
    assert [line.split() for line in lines[head:]] == [
        ["layer", "SAT", "FAT"],
        *([layer, *(f"{e.layers[layer].min:.2f}" for e in entries)] for layer in ("conv0", "conv1")),
    ]
    assert max(map(len, lines)) <= 110


def test_each_kind_of_fault_has_its_section(make: Make, tmp_path: Path) -> None:
    a, b = make("a", 0), make("b", 1)
    both = replace(a, results=(*a.results, *as_pixels(a).results))
    comparison = compare([a, both, as_pixels(b)], ["SAT", "both", "SAT"])
    found = [
        (section.kind, [(entry.position, entry.name) for entry in section.entries]) for section in comparison.sections
    ]
    assert found == [("channel", [(0, "SAT"), (1, "both")]), ("pixel", [(1, "both"), (2, "SAT")])]
    text = comparison_text(comparison)
    assert text.index("under one stuck channel") < text.index("under one stuck pixel")
    assert comparison.sections[0].entries[1].spread.faults == 14
    names = {path.stem for path in write_comparison_figures(comparison, tmp_path / "figures")}
    assert names == {f"{name}_{kind}" for name in COMPARISON_FIGURES for kind in ("channel", "pixel")}


def test_default_names_are_short_and_unique(make: Make) -> None:
    def names(*runs: Run) -> list[str]:
        return list(compare(runs).names)

    sat, fat, other = make("sat", 0), make("tiny_fat", 1), make("other", 2, "wide")
    assert names(sat, other) == ["tiny", "wide"]
    assert names(sat, fat, other) == ["tiny (sat)", "tiny_fat", "wide"]
    assert names(sat, sat, other) == ["tiny (sat) #1", "tiny (sat) #2", "wide"]
    assert names(sat, other, as_pixels(fat), as_pixels(other)) == ["tiny", "wide", "tiny", "wide"]


def test_layers_stand_in_the_order_of_the_networks(make: Make) -> None:
    part, whole = make("part", layers=["conv1"]), make("whole", 1)
    comparison = compare([part, whole], ["part", "whole"])
    assert comparison.sections[0].layers == ["conv0", "conv1"]
    text = comparison_text(comparison)
    assert "NOT THE SAME PLACES, so not ranked: part lacks faults in conv0" in text
    assert "highest minimum" not in text
    assert "NOT THE SAME PLACES" not in comparison_text(compare([whole, whole]))


def test_different_data_are_refused_by_name_unless_allowed(make: Make, tmp_path: Path) -> None:
    a, b, c = make("a"), make("b", 1, images=20), make("c", 2)
    with pytest.raises(CampaignError) as raised:
        compare([a, b, c])
    words = ("a.run on tiny:test, 30 images [", "b.run on tiny:test, 20 images [", "--allow-different-data")
    assert all(word in str(raised.value) for word in words)
    assert "c.run" not in str(raised.value)
    comparison = compare([a, b, c], ["A", "B", "C"], allow_different_data=True)
    text = comparison_text(comparison)
    assert "DIFFERENT DATA" in text
    assert text.count("highest minimum on tiny:test") == 1  # between A and C; B is alone on its images
    assert [entry.name for entry in comparison.sections[0].rankings[0]] in (["A", "C"], ["C", "A"])
    written = write_comparison_figures(comparison, tmp_path / "figures")
    (svg,) = (path.read_text() for path in written if path.name == "ranges_channel.svg")
    assert "DIFFERENT DATA" in svg


def test_what_cannot_be_compared(make: Make, tmp_path: Path) -> None:
    a, b = make("a"), make("b", 1)
    with pytest.raises(CampaignError, match="at least two runs, got 1"):
        compare([a])
    with pytest.raises(CampaignError, match=r"no two runs have .*a\.run has channel faults, .*b\.run has pixel faults"):
        compare([a, as_pixels(b)])
    with pytest.raises(CampaignError, match=r"c\.run has no finished fault to compare"):
        compare([a, unfinished(tmp_path / "c.run", 1)])
    with pytest.raises(CampaignError, match="one name for each of the 2 runs, got 3: x, y, z"):
        compare([a, b], ["x", "y", "z"])
    with pytest.raises(CampaignError, match="2 runs with channel faults are called 'x'"):
        compare([a, b], ["x", "x"])


def test_unfinished_runs_are_marked(make: Make, tmp_path: Path) -> None:
    comparison = compare([make("a"), make("c", 1), unfinished(tmp_path / "b.run", 2)], ["SAT", "other", "FAT"])
    assert "FAT" not in [entry.name for entry in comparison.sections[0].rankings[0]]
    text = comparison_text(comparison)
    assert "UNFINISHED: FAT, 4 of 14 faults done (29 %); its figures are over these alone" in text
    assert "4 (unfinished)" in text
    assert "UNFINISHED, so not ranked: FAT" in text
    for path in write_comparison_figures(comparison, tmp_path / "figures"):
        if path.suffix == ".svg":
            assert "UNFINISHED (4 of 14 faults)" in path.read_text()
    write_comparison_csv(comparison, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open() as file:
        assert [row["complete"] for row in csv.DictReader(file)] == ["yes", "yes", "no"]


def test_csv_and_json(make: Make, tmp_path: Path) -> None:
    comparison = compare([make("a"), make("b", 1)], ["SAT", "FAT"])
    write_comparison_csv(comparison, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COMPARISON_COLUMNS)
    entries = comparison.sections[0].entries
    for row, entry in zip(rows, entries, strict=True):
        assert (row["kind"], row["run"], row["network"], row["data"]) == ("channel", entry.name, "tiny", "tiny:test")
        assert (float(row["min"]), float(row["variance"])) == (entry.spread.min, entry.spread.variance)
        assert (row["worst"], row["images"]) == (entry.spread.worst.fault, "30")
    write_comparison_json(comparison, tmp_path / "a.json")
    found = json.loads((tmp_path / "a.json").read_text())
    assert found == comparison_json(comparison)
    assert (found["format"], found["same_data"]) == (1, True)
    (section,) = found["sections"]
    for own, run, entry in zip(section["runs"], found["runs"], entries, strict=True):
        assert found["runs"][own["run"]] is run
        assert run["name"] == own["name"] == entry.name
        assert run["error_free"] == {"correct": entry.run.error_free, "accuracy": entry.run.error_free_accuracy}
        assert (own["min"], own["worst"], own["faults"]) == (entry.spread.min, entry.spread.worst.fault, 14)
        assert [layer["min"] for layer in own["layers"]] == [spread.min for spread in entry.layers.values()]


def test_figures_are_reproducible_and_say_what_they_show(make: Make, tmp_path: Path) -> None:
    comparison = compare([make("a"), make("b", 1)], ["SAT", "FAT"])
    written = write_comparison_figures(comparison, tmp_path / "figures")
    assert len(written) == 6
    for path, other in zip(written, write_comparison_figures(comparison, tmp_path / "again"), strict=True):
        assert path.stat().st_size > 3000
        assert path.read_bytes() == other.read_bytes()
        if path.suffix == ".svg":
            for entry in comparison.sections[0].entries:
                free, worst = entry.run.error_free_accuracy, entry.spread.min
                assert f"{entry.name}: error-free {free:.2f} %, worst {worst:.2f} %" in path.read_text()


def test_many_runs_of_unlike_networks_can_be_drawn(make: Make, tmp_path: Path) -> None:
    runs = [make(f"run{seed}", seed, f"network{seed}") for seed in range(9)]
    levels = tiny_run(tmp_path / "levels.run", levels=Levels(0, 1, 4))
    comparison = compare([*runs, levels])
    assert len(write_comparison_figures(comparison, tmp_path / "figures")) == 6
    assert comparison.sections[0].entries[-1].spread.faults == 28
