"""Campaigns on networks whose outputs are no classes: deviations in the run file, in reports and in tables."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.engines import get
from fat_fpga.errors import CampaignError, DataError, PlanError
from fat_fpga.faults import fault_space, parse_fault
from fat_fpga.hardening.criticality import criticality_of
from fat_fpga.network import IntegerInput, Levels, MatrixVectorUnit, Network
from fat_fpga.network.outputs import OutputValues
from fat_fpga.reports import (
    compare,
    comparison_text,
    report_json,
    report_text,
    write_comparison_csv,
    write_csv,
    write_figures,
)
from tests.campaign.tiny import tiny_data, tiny_network

RNG = np.random.default_rng(0)
ROWS = RNG.integers(-8, 8, (30, 5))


def network(scales: tuple[float, ...] = (0.5,)) -> Network:
    first = MatrixVectorUnit(
        "fc0", FIRST_WEIGHTS, np.tile(np.array([-9, 0, 9], np.int32), (4, 1)), Levels(-2, 1, 4)
    )  # fmt: skip
    last = MatrixVectorUnit("fc1", LAST_WEIGHTS, None, None)
    source = IntegerInput((5, 1, 1), Levels(-8, 1, 16, "INT4"))
    return Network("values", source, (first, last), outputs=OutputValues(scales))


FIRST_WEIGHTS = RNG.integers(-2, 3, (4, 5, 1, 1)).astype(np.int32)
LAST_WEIGHTS = RNG.integers(-2, 3, (2, 4, 1, 1)).astype(np.int32)


def expected(own: Network, text: str) -> tuple[float, float, int]:
    """Mean and largest deviation, and unchanged rows, from the streams of the reference engine."""
    session, outputs = get("reference").open(own), own.outputs
    assert outputs is not None
    scales = np.array(outputs.scales)[None, :, None, None]
    away = np.abs(session.trace(ROWS, parse_fault(text))["fc1"] - session.trace(ROWS)["fc1"]) * scales
    return float(away.mean()), float(away.max()), int((~away.reshape(30, -1).any(axis=1)).sum())


@pytest.mark.parametrize("scales", [(0.5,), (0.5, 3.0)])
def test_a_campaign_measures_deviations_and_goes_on_where_it_was_stopped(
    tmp_path: Path, scales: tuple[float, ...]
) -> None:
    own, path = network(scales), tmp_path / "values.run"
    whole = run_campaign(own, (ROWS, None), fault_space(own), tmp_path / "whole.run", "reference")
    assert whole.error_free == 30
    assert whole.outputs is not None
    for result in whole.results:
        mean, largest, unchanged = expected(own, result.fault)
        assert result.total is not None
        assert result.largest is not None
        assert whole.outputs.mean(result.total, 30) == pytest.approx(mean, rel=1e-4)
        assert result.largest * whole.outputs.unit == pytest.approx(largest, rel=1e-4)
        assert (result.correct, result.changed) == (unchanged, 30 - unchanged)
    faults = list(fault_space(own))

    class StoppedError(Exception):
        pass

    class Stopping(type(get("reference"))):  # type: ignore[misc]
        """Stops after two chunks."""

        def _open(self, network: Network):  # type: ignore[no-untyped-def]
            session, runs = super()._open(network), [0]
            run = session.run

            def counted(*args, **rest):  # type: ignore[no-untyped-def]
                runs[0] += 1
                if runs[0] > 3:
                    raise StoppedError
                return run(*args, **rest)

            session.run = counted
            return session

    with pytest.raises(StoppedError):
        run_campaign(own, (ROWS, None), faults, path, Stopping(), chunk=5)
    assert Run.open(path).done == 10
    continued = run_campaign(own, (ROWS, None), faults, path, "torch", chunk=5)
    assert [(r.fault, r.total, r.largest) for r in continued.results] == [
        (r.fault, r.total, r.largest) for r in whole.results
    ]


def test_reports_have_deviations(tmp_path: Path) -> None:
    own = network()
    run = run_campaign(own, (ROWS, None), fault_space(own), tmp_path / "a.run", "reference")
    worst = max(run.results, key=lambda result: result.total or 0)
    text = report_text(run)
    assert "outputs are 2 values each, no classes" in text
    assert worst.fault in text
    assert "accuracy" not in text
    write_csv(run, tmp_path / "run.csv")
    with (tmp_path / "run.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        mean, largest, unchanged = expected(own, row["fault"])
        assert float(row["mean_deviation"]) == pytest.approx(mean)
        assert float(row["largest_deviation"]) == pytest.approx(largest)
        assert int(row["correct"]) == unchanged
    found = json.loads(json.dumps(report_json(run)))
    assert found["outputs"]["deviation"]["fault"] == worst.fault
    assert found["faults"][0]["mean_deviation"] == float(rows[0]["mean_deviation"])
    table = run.to_pandas()
    assert table["largest_deviation"].tolist() == [float(row["largest_deviation"]) for row in rows]
    comparison = compare([run, run], ["one", "two"])
    assert "deviations under one stuck channel" in comparison_text(comparison)
    write_comparison_csv(comparison, tmp_path / "both.csv")
    assert "worst_mean_deviation" in (tmp_path / "both.csv").read_text()


def test_what_needs_classes_says_so(tmp_path: Path) -> None:
    own = network()
    run = run_campaign(own, (ROWS, None), fault_space(own), tmp_path / "a.run", "reference")
    with pytest.raises(CampaignError, match="no classes: it has no accuracies, and a figure needs them"):
        write_figures(run, tmp_path / "figures")
    assert not (tmp_path / "figures").exists()
    with pytest.raises(PlanError, match="the goal of a plan is an accuracy, and it has none"):
        criticality_of(run)
    with pytest.raises(CampaignError, match="has outputs that are no classes, and so no accuracy to be expected"):
        run_campaign(own, (ROWS, None), fault_space(own), tmp_path / "b.run", "reference", expect_accuracy=50)
    classes = run_campaign(tiny_network(), tiny_data(), path=tmp_path / "c.run")
    with pytest.raises(CampaignError, match="has outputs that are no classes, and others have classes"):
        compare([run, classes], allow_different_data=True)
    with pytest.raises(DataError, match="has no labels, and a campaign on a network with classes needs them"):
        run_campaign(tiny_network(), (tiny_data().images, None), path=tmp_path / "d.run")
    with pytest.raises(DataError, match=r"arrays in memory: values takes integers INT4 \[N, 5\], got int64 \[30, 4\]"):
        run_campaign(own, (ROWS[:, 1:], None), path=tmp_path / "e.run")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE deviation SET total = total + 1 WHERE position = 3", "are not those that its digest was made of"),
        ("DELETE FROM deviation WHERE position = 3", "table deviation has"),
        ("UPDATE deviation SET largest = -1 WHERE position = 0", "table deviation holds what is no deviation"),
        ("UPDATE meta SET value = 'much' WHERE key = 'output_unit'", "no unit and no number of values"),
        ("UPDATE meta SET value = '0.25' WHERE key = 'output_unit'", "is not what its digest was made of"),
    ],
)
def test_altered_deviations_are_noticed(tmp_path: Path, change: str, words: str) -> None:
    own = network()
    run_campaign(own, (ROWS, None), fault_space(own), path := tmp_path / "a.run", "reference")
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(change)
    connection.close()
    with pytest.raises(CampaignError, match=words):
        Run.open(path)
