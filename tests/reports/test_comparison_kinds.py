"""Comparisons of every kind of fault, and of samples."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from fat_fpga.faults import MODELS
from fat_fpga.reports import (
    compare,
    comparison_json,
    comparison_text,
    write_comparison_csv,
    write_comparison_figures,
)
from fat_fpga.reports.words import words
from tests.campaign.tiny import tiny_run_of


@pytest.mark.parametrize("kind", MODELS)
def test_every_kind_can_be_compared(tmp_path: Path, kind: str) -> None:
    runs = [tiny_run_of(tmp_path / f"{name}.run", kind, sample=12, images=8) for name in "ab"]
    comparison = compare(runs, ["SAT", "FAT"])
    (section,) = comparison.sections
    assert section.kind == kind
    assert len(section.leaders) == 2  # the same network twice
    text = comparison_text(comparison)
    assert f"accuracy under one {words(kind).one} [%]" in text
    assert len(write_comparison_figures(comparison, tmp_path / "figures")) == (3 if kind == "activation" else 6)


def test_samples_are_ranked_only_if_they_are_the_same(tmp_path: Path) -> None:
    whole = tiny_run_of(tmp_path / "whole.run", "weight")
    sample = tiny_run_of(tmp_path / "sample.run", "weight", sample=60)
    comparison = compare([whole, sample, sample], ["whole", "one", "two"])
    text = comparison_text(comparison)
    assert "A SAMPLE, so not ranked: one, two" in text
    assert "highest minimum" not in text
    assert "60 (sample)" in text
    write_comparison_csv(comparison, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open() as file:
        assert [row["sample"] for row in csv.DictReader(file)] == ["no", "yes", "yes"]
    assert [run["campaign"]["origin"]["sample"] for run in comparison_json(comparison)["runs"]] == [None, 60, 60]
    assert "highest minimum over the same drawn faults: one and two" in comparison_text(
        compare([sample, sample], ["one", "two"])
    )


def test_the_last_layer_counts_where_it_can_have_faults(tmp_path: Path) -> None:
    part = tiny_run_of(tmp_path / "part.run", "weight", layers=["conv0", "conv1"])
    whole = tiny_run_of(tmp_path / "whole.run", "weight")
    assert "part lacks faults in fc2" in comparison_text(compare([part, whole], ["part", "whole"]))
