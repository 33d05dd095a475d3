"""Sweeps: campaigns over rates, resumed, distributed, stopped early, reported and compared."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.campaign.layer_table import layer_table
from fat_fpga.campaign.rates import rate_grid
from fat_fpga.campaign.rounds import run_in_rounds
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.campaign.sweep_rounds import UntilInterval, half_interval
from fat_fpga.cli.main import main
from fat_fpga.engines import get
from fat_fpga.engines.counts import ERRORS
from fat_fpga.errors import CampaignError, FaultError
from fat_fpga.faults import Pattern, expand, parse_fault
from fat_fpga.network import Levels
from fat_fpga.network.network_file import write_network
from fat_fpga.reports import compare_sweeps, report_json, report_text, sweep_comparison_text, write_csv, write_figures
from fat_fpga.reports.curves import Curve, Point, curves

from .tiny import Watched, tiny_data, tiny_network

NETWORK, DATA = tiny_network(), tiny_data(20)
SWEEP = Sweep(("weight", "activation"), (0.0, 0.001, 0.03, 0.3), samples=6, scope="structure")


def run_sweep(sweep: Sweep, path: Path, engine: object = "native", **options: object) -> Run:
    rounds = UntilInterval(sweep, NETWORK)
    return run_in_rounds(NETWORK, DATA, rounds, path, engine, counting=(ERRORS,), **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_sweep(SWEEP, tmp_path_factory.mktemp("sweep") / "a.run")


def test_a_sweep_is_what_its_patterns_do(done: Run) -> None:
    assert done.complete
    assert done.done == 2 * 4 * 6
    reference = get("reference").open(NETWORK)
    for number, result in enumerate(done.results):
        pattern = parse_fault(result.fault)
        assert isinstance(pattern, Pattern)
        assert result.pattern == pattern
        single = expand(NETWORK, pattern, 0, 20)
        found = reference.run(DATA.images, DATA.labels, [single], predictions=True)
        assert found.predictions is not None
        assert (result.correct, result.changed) == (found.correct[0], found.changed[0])
        wrong = [int(done.counts[f"wrong {label}"][number]) for label in range(4)]
        missed = DATA.labels[found.predictions[0] != DATA.labels]
        assert wrong == np.bincount(missed, minlength=4).tolist()
        assert done.counts["hits"][number] == len(single.faults)
        if pattern.rate == 0:
            assert (result.correct, result.changed) == (done.error_free, 0)


def test_two_runs_are_equal_to_the_byte_where_nothing_is_a_time(done: Run, tmp_path: Path) -> None:
    other = run_sweep(SWEEP, tmp_path / "b.run", "reference", chunk=5)
    assert other.results == done.results
    assert other.identity == done.identity
    for name, count in done.counts.items():
        np.testing.assert_array_equal(other.counts[name], count)
    for run, name in ((done, "one"), (other, "two")):
        write_csv(run, tmp_path / f"{name}.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    seeded = run_sweep(Sweep(("weight",), (0.3,), samples=6, seed=1), tmp_path / "c.run")
    assert {r.pattern.sample for r in seeded.results} == set(range(1_000_000, 1_000_006))


def test_a_stopped_sweep_continues(done: Run, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_sweep(SWEEP, tmp_path / "a.run", Watched(3), chunk=7)
    part = Run.open(tmp_path / "a.run")
    assert 0 < part.done < done.done
    assert "UNFINISHED" in report_text(part)
    with pytest.raises(CampaignError, match="of other rates, samples, scope"):
        run_sweep(Sweep(("weight",), (0.1,), samples=6), tmp_path / "a.run")
    assert run_sweep(SWEEP, tmp_path / "a.run", "torch").results == done.results


def test_workers_give_the_same(done: Run, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    assert run_sweep(SWEEP, tmp_path / "a.run", "native", dask="local:2", chunk=16).results == done.results


def test_until_interval_takes_samples_where_they_are_needed(tmp_path: Path) -> None:
    sweep = Sweep(("weight",), (0.0, 0.05), samples=60, until=4.0)
    run = run_sweep(sweep, tmp_path / "a.run")
    none, many = curves(run)[0].points
    assert len(none.accuracy) == 10
    assert 10 < len(many.accuracy) <= 60
    assert many.half <= 4.0 or len(many.accuracy) == 60
    whole = run_sweep(Sweep(("weight",), (0.0, 0.05), samples=60), tmp_path / "b.run")
    assert set(run.results) < set(whole.results), "a shorter sweep begins with the same samples"
    # stopped and continued, it ends with the same samples
    for stop in range(1, 30):
        try:
            again = run_sweep(sweep, tmp_path / "c.run", Watched(stop), chunk=6)
            break
        except KeyboardInterrupt:
            Run.open(tmp_path / "c.run")
    assert again.results == run.results


def test_scopes() -> None:
    def cells(scope: str, *layers: str) -> list[str]:
        return Sweep(("weight", "activation"), (0.1,), scope=scope, layers=layers or None).cells(NETWORK)

    assert cells("network") == ["*/weight+activation[*].bit[*] ^ 1"]
    assert cells("structure") == ["*/weight[*].bit[*] ^ 1", "*/activation[*].bit[*] ^ 1"]
    assert [text.partition("[")[0] for text in cells("layer")] == [
        "conv0/weight", "conv1/weight", "fc2/weight", "conv0/activation", "conv1/activation",
    ]  # fmt: skip
    assert cells("network", "conv0", "conv1") == ["conv0+conv1/weight+activation[*].bit[*] ^ 1"]


def test_grids() -> None:
    assert rate_grid(1e-7, 1e-5, 1) == (1e-7, 1e-6, 1e-5)
    assert rate_grid(1e-3, 1e-2, 3) == (1e-3, 2.15e-3, 4.64e-3, 1e-2)
    assert rate_grid(2e-3, 0.5, 1) == (2e-3, 1e-2, 1e-1, 0.5)
    for low, high in ((0, 1e-3), (1e-3, 1e-4), (0.1, 2)):
        with pytest.raises(CampaignError, match="a grid of rates"):
            rate_grid(low, high)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"rates": ()}, "at least one rate"),
        ({"rates": (0.1, 0.1)}, "rates ascend"),
        ({"rates": (1.5,)}, "0 to 1"),
        ({"rates": (float("nan"),)}, "0 to 1"),
        ({"samples": 0}, "1 to 1,000,000 samples"),
        ({"kinds": ()}, "some kinds"),
        ({"kinds": ("weight", "weight")}, "each once"),
        ({"kinds": ("gremlin",)}, "unknown fault kind"),
        ({"scope": "room"}, "unknown scope"),
        ({"errors": "none"}, "unknown errors"),
        ({"until": 0.0}, "above 0"),
    ],
)
def test_mistakes(wrong: dict[str, object], words: str) -> None:
    with pytest.raises((CampaignError, FaultError), match=words):
        Sweep(**({"kinds": ("weight",), "rates": (0.1,)} | wrong))  # type: ignore[arg-type]


def test_patterns_are_alone_and_may_be_a_list(tmp_path: Path) -> None:
    pattern = parse_fault("conv0/weight[*].bit[*] ^ 1 ~ 0.1 @ sample[0]")
    single = parse_fault("conv0/channel[1] = 1")
    with pytest.raises(FaultError, match="in a campaign of their own"):
        run_campaign(NETWORK, DATA, [pattern, single], tmp_path / "a.run")
    run = run_campaign(NETWORK, DATA, [pattern], tmp_path / "a.run", "reference")
    assert "accuracy against rate: conv0/weight" in report_text(run)
    assert "pattern" in report_json(run)["faults"][0]["kind"]
    assert run._repr_html_().count("<tr>") == 2
    with pytest.raises(CampaignError, match="is a pattern of errors"):
        _ = run.results[0].faults


def curve(*points: tuple[float, float]) -> Curve:
    """A curve through these rates and mean accuracies; 100 % without errors, 1,000 images."""
    found = tuple(Point(rate, np.array([mean, mean]), np.array([1, 1]), None) for rate, mean in points)
    return Curve("c", "*", "weight", found, 100.0, 1000)


def test_tolerated_rates_and_area() -> None:
    found = curve((1e-6, 100), (1e-5, 99.97), (1e-4, 98), (1e-3, 50))
    assert found.tolerated(0) == 1e-5  # half an image is no loss
    assert found.tolerated(1) == pytest.approx(10 ** (-5 + (1 - 0.03) / (2 - 0.03)))
    assert found.tolerated(2) == 1e-4
    assert found.tolerated(10) == pytest.approx(10 ** (-4 + 8 / 48))
    assert found.tolerated(50) == 1e-3
    assert found.beyond(50)
    assert not found.beyond(10)
    assert found.area == pytest.approx(((100 + 99.97) / 2 + (99.97 + 98) / 2 + (98 + 50) / 2) / 3)
    assert curve((1e-6, 90)).tolerated(5) is None
    assert curve((1e-6, 90)).area is None
    # one good rate above a bad one does not count
    assert curve((1e-6, 100), (1e-5, 90), (1e-4, 100)).tolerated(0) == 1e-6
    assert half_interval([1.0]) == float("inf")
    assert half_interval([90, 92, 94, 96]) == pytest.approx(3.182446 * (20 / 3 / 4) ** 0.5)


def test_errors_by_class() -> None:
    errors = np.array([[95.0, 0, 0, 5], [60, 70, 0, 0], [0, 0, 0, 0], [95, 95, 95, 95]])
    point = Point(0.1, np.zeros(4), np.zeros(4, np.int64), errors)
    assert point.one_class_lost == 25
    assert point.half_of_classes_wrong == 25
    assert point.class_variance == pytest.approx(errors.var(axis=1).mean())


def test_reports(done: Run, tmp_path: Path) -> None:
    text = report_text(done)
    for words in ("at most so much accuracy", "accuracy against rate: */weight", "errors: flip; scope"):
        assert words in text
    found = report_json(done)
    json.dumps(found)
    assert [own["kind"] for own in found["curves"]] == ["activation", "weight"]
    weight = found["curves"][1]["points"][-1]
    own = [r for r in done.results if r.layer == "*" and "weight" in r.kind and r.pattern.rate == 0.3]
    assert weight["mean"] == pytest.approx(np.mean([100 * r.correct / 20 for r in own]))
    assert weight["deviation"] == pytest.approx(np.std([100 * r.correct / 20 for r in own], ddof=1))
    write_csv(done, tmp_path / "a.csv")
    rows = list(csv.DictReader((tmp_path / "a.csv").open()))
    assert len(rows) == done.done
    assert int(rows[-1]["hits"]) == done.counts["hits"][-1]
    assert {path.name for path in write_figures(done, tmp_path, ["png"])} == {"rates.png", "tolerance.png"}


def test_sweeps_are_compared_with_sweeps(done: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = run_sweep(Sweep(("weight",), (0.001, 0.2), samples=4), tmp_path / "b.run")
    text = sweep_comparison_text(compare_sweeps([done, other], ["A", "B"]))
    assert "*/weight[*].bit[*] ^ 1: highest rate" in text
    with pytest.raises(CampaignError, match="2 different names"):
        compare_sweeps([done, other], ["A", "A"])
    single = run_campaign(NETWORK, DATA, None, tmp_path / "c.run", "reference")
    assert main(["compare", str(done.path), str(single.path)]) == 2
    assert "compare sweeps with sweeps" in capsys.readouterr().err
    arguments = ["--csv", str(tmp_path / "a.csv"), "--json", str(tmp_path / "a.json"), "--figures", str(tmp_path)]
    assert main(["compare", str(done.path), str(other.path), "--format", "png", *arguments]) == 0
    assert (tmp_path / "curves_0.png").exists()
    assert len(json.loads((tmp_path / "a.json").read_text())["runs"]) == 2


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_network(NETWORK, tmp_path / "tiny.npz")
    np.savez(tmp_path / "data.npz", images=DATA.images, labels=DATA.labels)
    arguments = [
        "sweep",
        str(tmp_path / "tiny.npz"),
        "--data",
        f"npz:{tmp_path / 'data.npz'}",
        "-o",
        str(tmp_path / "a.run"),
    ]
    assert main([*arguments, "--rates", "1e-3:1e-1:1", "--samples", "3", "--scope", "layer"]) == 0
    out = capsys.readouterr().out
    assert "conv0 weight" in out
    assert main([*arguments, "--rates", "1e-3:1e-1:1", "--samples", "4", "--scope", "layer"]) == 2
    assert "holds another campaign" in capsys.readouterr().err
    for wrong, words in (
        (["--rates", "1e-1:1e-3"], "a grid of rates"),
        (["--rates", "0.1,0.01"], "rates ascend"),
        (["--rates", "x"], "expected rates as"),
        (["--rates", "1e-3:1e-1:0"], "rates in each decade"),
    ):
        with pytest.raises(SystemExit):
            main([*arguments, *wrong])
        assert words in capsys.readouterr().err
    assert main([*arguments[:-1], str(tmp_path / "n.run"), "--rates", "1e-3", "--errors", "erase"]) == 2
    assert "no such cells" in capsys.readouterr().err
    assert not (tmp_path / "n.run").exists()


def test_sums_of_a_thousand_million_levels_are_not_listed() -> None:
    """Sums that are a stream of their own, as 16-bit formats make them."""
    sums = Levels(-(2**29), 1, 2**30)
    conv1 = replace(next(unit for unit in NETWORK.units if unit.name == "conv1"), thresholds=None, levels=sums)
    layers = tuple(conv1 if layer.name == "conv1" else layer for layer in NETWORK.layers)
    rows = {row.name: row.levels for row in layer_table(replace(NETWORK, layers=layers))}
    assert rows["conv1"] == f"{sums.min},0,{sums.max}"
    assert rows["conv0"] == "-1,1"
    assert rows["fc2"] == ""


@given(st.integers(-99, 99), st.integers(1, 5), st.integers(2, 9), st.lists(st.integers(-150, 150), min_size=1))
def test_levels_hold_what_is_one_of_them(base: int, step: int, count: int, integers: list[int]) -> None:
    levels = Levels(base, step, count)
    assert levels.hold(np.array(integers, np.int32)).tolist() == [integer in levels for integer in integers]
