"""Fronts as text, files and figures, and other rates for the same promise."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from fat_fpga.errors import PlanError
from fat_fpga.hardening.front import (
    COLUMNS,
    front_text,
    fronts_of,
    write_front_csv,
    write_front_json,
)
from fat_fpga.hardening.front_figure import write_front_figure
from fat_fpga.hardening.offers import offers
from fat_fpga.hardening.plan_costs import slowest
from fat_fpga.hardening.planner import Planner
from tests.campaign.tiny import tiny_run
from tests.hardening.small import FOLDS, cost_model, tiny_criticality


def test_one_front(tmp_path: Path) -> None:
    planner = Planner(tiny_criticality(tmp_path))
    (front,) = fronts_of([planner], ["SAT"])
    first, last = front.points[0], front.points[-1]
    assert (first.triplicated, first.ratio) == (0, 1)
    assert last.worst_correct == planner.criticality.golden
    rows = [line.split() for line in front_text([front]).splitlines()]
    assert ["worst", "error", "[%]", "channels", "triplicated", "cost", "of", "unprotected"] in rows
    assert [f"{front.error(first.worst_correct):.2f}", "0", f"{first.price:,.0f}", "1.0000"] in rows
    write_front_csv([front], tmp_path / "front.csv")
    with (tmp_path / "front.csv").open() as file:
        table = list(csv.DictReader(file))
    assert tuple(table[0]) == COLUMNS
    assert [int(row["worst_correct"]) for row in table] == [point.worst_correct for point in front.points]
    write_front_json([front], tmp_path / "front.json")
    content = json.loads((tmp_path / "front.json").read_text())["fronts"][0]
    assert [point["cost"] for point in content["points"]] == [point.price for point in front.points]
    write_front_figure([front], tmp_path / "front.png")
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(PlanError, match="figures are"):
        write_front_figure([front], tmp_path / "front.jpg")


def test_two_fronts(tmp_path: Path) -> None:
    one = Planner(tiny_criticality(tmp_path))
    fronts = fronts_of([one, one], ["SAT", "FAT"])
    lines = front_text(fronts).splitlines()
    assert lines[2].split() == ["worst", "error", "[%]", "SAT", "channels", "cost", "FAT", "channels", "cost"]
    for line in lines[3:-2]:
        _, channels, cost, others, other = line.split()
        assert (channels, cost) == (others, other)
    assert fronts[0].at(one.criticality.golden + 1) is None


def test_different_images(tmp_path: Path) -> None:
    from fat_fpga.hardening.criticality import criticality_of

    other = criticality_of(tiny_run(tmp_path / "few.run", images=20))
    with pytest.raises(PlanError, match=r"same images only: .*tiny.run on tiny:test, 30 images, .*few.run"):
        fronts_of([Planner(tiny_criticality(tmp_path)), Planner(other)], ["a", "b"])


@pytest.mark.parametrize("name", ["folded", "finn"])
def test_offers(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against every number of cycles in turn."""
    criticality = tiny_criticality(tmp_path)
    model, seen = cost_model(name, monkeypatch), set()
    for target in criticality.targets:
        for limit in (324, 400, 648):
            planner = Planner(criticality, model, FOLDS, cycles=limit)
            built = planner.least(target)
            if built is None:
                continue
            now, price = slowest(built), planner.builder.price(built)
            rates: dict[tuple[int, float], int] = {}
            for cycles in range(1, 4000):
                network = planner.builder.within(cycles).cheapest(planner.forced(target))
                if network is not None:
                    rates.setdefault((slowest(network), planner.builder.price(network)), cycles)
            cheaper = min((r for r in rates if r[0] > now and r[1] < price), default=None)
            faster = max((r for r in rates if r[0] < now), default=None)
            found = [None if o is None else (o.cycles, o.price) for o in offers(planner, target)]
            assert found == [cheaper, faster]
            seen |= {offer is None for offer in found}
    assert seen == {True, False}
    assert offers(Planner(criticality), criticality.golden) == (None, None)
