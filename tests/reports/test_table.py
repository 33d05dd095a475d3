"""The report on the screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from fat_fpga.campaign import Run, most_critical, run_campaign, statistics
from fat_fpga.faults import fault_space
from fat_fpga.network import Levels
from fat_fpga.reports import critical_table, headline, layer_table, report_text
from tests.campaign.tiny import Watched, tiny_data, tiny_network, tiny_run


def test_two_values_stand_side_by_side_as_in_table_1(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "a.run")
    title, values, head, *rows = layer_table(run).split("\n")
    assert title == "accuracy under one stuck channel [%]"
    assert values.split("stuck at ")[1:] == ["-1:".ljust(len(values.split("stuck at ")[1])), "+1:"]
    assert head.split() == ["layer", "channels", *["min", "max", "mean", "variance", "worst"] * 2]
    expected = [
        [layer, channels, *_figures(run, layer, -1), *_figures(run, layer, 1)]
        for layer, channels in (("conv0", "4"), ("conv1", "3"))
    ]
    assert [row.split() for row in rows] == expected


def _figures(run: Run, layer: str, value: int) -> list[str]:
    (s,) = [g.spread for g in statistics(run) if (g.layer, g.effect) == (layer, f"= {value:+d}")]
    return [f"{s.min:.2f}", f"{s.max:.2f}", f"{s.mean:.2f}", f"{s.variance:.3f}", f"[{s.worst.index}]"]


@pytest.mark.parametrize("levels", [Levels(-1, 2, 2), Levels(-1, 1, 3), Levels(0, 1, 16)])
def test_the_report_fits_the_screen(tmp_path: Path, levels: Levels) -> None:
    text = report_text(tiny_run(tmp_path / "a.run", levels=levels))
    assert max(map(len, text.split("\n"))) <= 110
    assert "error-free" in text
    assert "most critical" in text


def test_three_values_get_a_row_each(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "a.run", levels=Levels(-1, 1, 3))
    _, head, *rows = layer_table(run).split("\n")
    assert head.split()[:4] == ["layer", "channels", "stuck", "at"]
    assert [row.split()[2 if i % 3 == 0 else 0] for i, row in enumerate(rows)] == ["-1", "0", "+1"] * 2


def test_the_most_critical_come_first(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "a.run")
    rows = critical_table(run, 4).split("\n")[2:]
    assert [row.split("  ")[1].strip() for row in rows] == [r.fault for r in most_critical(run.results, 4)]


def test_an_unfinished_run_says_how_far_it_is(tmp_path: Path) -> None:
    network, path = tiny_network(), tmp_path / "a.run"
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, tiny_data(), fault_space(network), path, Watched(1), chunk=4)
    assert "UNFINISHED: 0 of 14 faults done (0 %)" in report_text(Run.open(path))
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, tiny_data(), fault_space(network), path, Watched(2), chunk=4)
    text = report_text(Run.open(path))
    assert "UNFINISHED: 4 of 14 faults done (29 %)" in text
    assert "conv0" in text
    assert "conv1" in text  # layers are covered alike from the start
    assert "14 faults done" in headline(tiny_run(tmp_path / "b.run"))
