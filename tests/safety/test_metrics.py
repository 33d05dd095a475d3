"""Safety metrics: an example worked out by hand, what mechanisms must do, and intervals that hold the truth."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Estimate, Result, Run, Selection, run_campaign
from fat_fpga.faults import fault_space
from fat_fpga.safety import Assessment, Fit, assess, safety_json, safety_text, write_fmeda
from fat_fpga.safety.elements import Element, elements_of
from fat_fpga.safety.fit import Mechanism, Rate
from fat_fpga.safety.table import COLUMNS
from tests.campaign.tiny import tiny_data, tiny_network, tiny_run

ECC = Mechanism("ECC", ("conv1 weight",), transient=0.99, permanent=0.9, told=0.8, fit=2.0, tested=0.5)
FIT = Fit({"bram": Rate(100.0, 10.0, "an example")}, {"weight": "bram", "channel": "bram"}, mechanisms=(ECC,))


def element(name: str, bits: float, factors: tuple[Estimate, Estimate], mechanism: Mechanism | None) -> Element:
    """An element of 100 + 10 FIT for one Mbit."""
    layer, kind = name.split()
    return Element(
        layer, kind, "bram", bits, bits * 1e-4, bits * 1e-5, factors, 100, mechanism, "an upset", "a.run", False
    )  # fmt: skip


@pytest.fixture
def example(tmp_path: Path) -> Assessment:
    """conv0: 2 Mbit, 200 + 20 FIT, 10 % and 30 % dangerous, nothing watches it. conv1: 1 Mbit, 100 + 10 FIT, 50 % and
    50 % dangerous; ECC catches 99 % and 90 %, tells of 80 %, has 2 FIT itself, half of which are found."""
    exact = [Estimate(value, value, value) for value in (0.1, 0.3, 0.5)]
    elements = (
        element("conv0 weight", 2e6, (exact[0], exact[1]), None),
        element("conv1 weight", 1e6, (exact[2], exact[2]), ECC),
    )
    return Assessment(elements, FIT, (tiny_run(tmp_path / "a.run"),))


def test_an_example_by_hand(example: Assessment) -> None:
    """Transient: dangerous 200 x 0.1 = 20 and 100 x 0.5 = 50; ECC catches 49.5, tells of 39.6; 9.9 stay latent.
    Permanent: 20 x 0.3 = 6 and 10 x 0.5 = 5; ECC catches 4.5, tells of 3.6; 0.9 stay latent, and 1 FIT of its own."""
    transient = example.rates("transient")
    assert transient.total == pytest.approx(300)
    assert transient.undetected == pytest.approx(20 + 0.5)
    assert transient.detected == pytest.approx(39.6)
    assert transient.latent == pytest.approx(9.9)
    assert transient.spfm == pytest.approx(100 * (1 - 20.5 / 300))
    assert transient.lfm == pytest.approx(100 * (1 - 9.9 / 279.5))
    permanent = example.rates("permanent")
    assert permanent.total == pytest.approx(30 + 2)
    assert permanent.undetected == pytest.approx(6 + 0.5)
    assert permanent.latent == pytest.approx(0.9 + 1)
    every = example.rates()
    assert every.total == pytest.approx(332)
    assert every.undetected == pytest.approx(27)
    assert every.spfm == pytest.approx(100 * (1 - 27 / 332))
    assert every.lfm == pytest.approx(100 * (1 - 11.8 / 305))
    pairs = (49.5e-9 + 4.5e-9) * 1e-9 * 10_000
    assert every.pmhf == pytest.approx(27e-9 + pairs, rel=1e-12)
    assert every.dc == pytest.approx(100 * 43.2 / 70.2)
    assert every.sff == pytest.approx(100 * (1 - 27 / 332))
    assert example.meets("B") == {"SPFM": True, "LFM": True, "PMHF": True}
    assert example.meets("D") == {"SPFM": False, "LFM": True, "PMHF": False}


def test_parts_add_up(example: Assessment) -> None:
    for group in ("transient", "permanent", "all"):
        rates = example.rates(group)
        assert rates.safe + rates.detected + rates.undetected == pytest.approx(rates.total)


def test_ecc_raises_the_metrics(example: Assessment) -> None:
    without = Assessment(
        tuple(replace(each, mechanism=None) for each in example.elements), replace(FIT, mechanisms=()), example.runs
    )
    better = replace(ECC, transient=1.0, permanent=1.0)
    more = Assessment(
        (example.elements[0], replace(example.elements[1], mechanism=better)),
        replace(FIT, mechanisms=(better,)),
        example.runs,
    )
    assert without.rates().spfm < example.rates().spfm < more.rates().spfm
    assert without.rates().pmhf > example.rates().pmhf > more.rates().pmhf
    told = replace(ECC, told=1.0, tested=1.0)
    quiet = Assessment(
        (example.elements[0], replace(example.elements[1], mechanism=told)),
        replace(FIT, mechanisms=(told,)),
        example.runs,
    )
    assert quiet.rates().lfm == pytest.approx(100)


def test_voters_raise_the_metrics(tmp_path: Path) -> None:
    """A channel campaign with the channels that a plan triplicates made harmless has a higher SPFM."""
    run = tiny_run(tmp_path / "a.run")
    fit = replace(FIT, mechanisms=(), bits={"conv0 channel": 1000.0, "conv1 channel": 1000.0})
    for result in run.results:
        if result.layer == "conv0":
            result.changed, result.correct = 0, run.error_free
    voted = assess([run], fit).rates()
    plain = assess([tiny_run(tmp_path / "b.run")], fit).rates()
    assert voted.total == plain.total
    assert voted.spfm > plain.spfm


def test_bits_and_factors_are_those_of_the_run(tmp_path: Path) -> None:
    network, data = tiny_network(), tiny_data()
    run = run_campaign(network, data, fault_space(network, "weight"), tmp_path / "a.run", "reference")
    (conv0, conv1, fc2) = elements_of([run], FIT)
    assert (conv0.bits, conv1.bits, fc2.bits) == (36, 48, 48)
    own = [result for result in run.results if result.layer == "conv1"]
    share = sum(result.changed > 0 for result in own) / len(own)
    assert conv1.vulnerability[0] == Estimate(share, share, share)
    assert (conv1.mechanism, conv0.mechanism) == (ECC, None)
    by_image = elements_of([run], replace(FIT, goal="image"))[1].vulnerability[0]
    assert by_image.value == pytest.approx(sum(result.changed for result in own) / len(own) / 30)
    drop = elements_of([run], replace(FIT, goal="drop", points=5.0))[1].vulnerability[0]
    expected = sum(run.error_free - result.correct > 1.5 for result in own) / len(own)
    assert drop.value == pytest.approx(expected)


@pytest.mark.parametrize("goal", ["change", "image"])
def test_intervals_hold_the_truth(goal: str, tmp_path: Path) -> None:
    """Of 200 samples of a network whose every weight fault is known, the intervals of the dangerous FIT, SPFM and PMHF
    hold the truth in about 190; chance alone gives 184 to 196 in 95 of 100 such tests, a wide interval more."""
    network, data = tiny_network(), tiny_data(12)
    space = fault_space(network, "weight")
    whole = run_campaign(network, data, space, tmp_path / "whole.run", "native")
    fit = replace(FIT, goal=goal)
    truth = assess([whole], fit)
    known = {result.fault: result for result in whole.results}
    first = run_campaign(network, data, Selection.sample(space, 60, seed=0), tmp_path / "a.run", "native")
    held = dict.fromkeys(("undetected", "SPFM", "PMHF"), 0)
    for seed in range(200):
        found = assess([_sample(first, Selection.sample(space, 60, seed=seed), known)], fit)
        for name in held:
            estimate, value = found.figure(name), truth.figure(name).value
            held[name] += estimate.low - 1e-12 <= value <= estimate.high + 1e-12
    assert all(count >= 184 for count in held.values()), held


def _sample(run: Run, selection: Selection, known: dict[str, Result]) -> Run:
    """The run that a campaign on another sample would give: its results are known."""
    results = tuple(known[str(fault)] for fault in selection.faults)
    return replace(run, results=results, origin=selection.origin)


def test_the_table_is_complete(example: Assessment, tmp_path: Path) -> None:
    text = safety_text(example)
    assert "configuration memory" in text
    assert "faults of kind channel: no run has them" in text
    assert "faults of kind weight in fc2: no run has them" in text
    assert "ECC" in text
    write_fmeda(example, tmp_path / "a.csv")
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert [row["element"] for row in rows] == ["conv0 weight", "conv1 weight"]
    assert sum(float(row["residual_fit"]) for row in rows) == pytest.approx(27)
    found = safety_json(example)
    assert found["safety"]["all"]["SPFM"]["value"] == pytest.approx(100 * (1 - 27 / 332))
    assert len(found["not_modelled"]) >= 8


def test_xlsx_has_the_same_rows(example: Assessment, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    write_fmeda(example, tmp_path / "a.xlsx")
    table = openpyxl.load_workbook(tmp_path / "a.xlsx")["FMEDA"]
    rows = list(table.values)
    assert rows[0] == COLUMNS
    assert sum(row[COLUMNS.index("residual_fit")] for row in rows[1:]) == pytest.approx(27)


def test_figures_have_intervals_where_factors_have(example: Assessment) -> None:
    """One factor of 10 % (5 to 20 %): 200 FIT give 20 (10 to 40) dangerous ones; the rest is exact."""
    unsure = replace(
        example.elements[0], vulnerability=(Estimate(0.1, 0.05, 0.2), example.elements[0].vulnerability[1])
    )
    found = Assessment((unsure, example.elements[1]), FIT, example.runs).figure("undetected")
    np.testing.assert_allclose(found, (27, 17, 47))
