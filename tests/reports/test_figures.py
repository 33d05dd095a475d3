"""Figures: all there, in three formats, the same each time, without touching matplotlib's global state."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.errors import CampaignError
from fat_fpga.faults import fault_space
from fat_fpga.network import Levels
from fat_fpga.reports import FIGURES, write_figures
from fat_fpga.reports.part import parts
from fat_fpga.reports.style import SETTINGS, log_scale, style
from tests.campaign.tiny import Watched, tiny_data, tiny_network, tiny_run

CHANNEL = ("ranges", "criticality", "faults")
MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def test_three_formats_of_each_figure_reproducibly(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "a.run")
    written = write_figures(run, tmp_path / "new" / "folder")
    assert sorted(p.name for p in written) == sorted(name + form for name in CHANNEL for form in MAGIC)
    assert sorted(written) == sorted((tmp_path / "new" / "folder").iterdir())
    again = write_figures(run, tmp_path / "again")
    for path, other in zip(written, again, strict=True):
        content = path.read_bytes()
        assert content.startswith(MAGIC[path.suffix])
        assert len(content) > 3000
        assert content == other.read_bytes()
    svg = (tmp_path / "again" / "ranges.svg").read_text()
    for words in ("tiny on tiny:test, 30 images", "error-free", "stuck at -1", "accuracy under one fault [%]", "conv1"):
        assert words in svg


@pytest.mark.parametrize("levels", [Levels(-1, 1, 3), Levels(0, 1, 16)])
@pytest.mark.parametrize("name", CHANNEL)
def test_many_levels_can_be_drawn(tmp_path: Path, levels: Levels, name: str) -> None:
    run = tiny_run(tmp_path / "a.run", levels=levels)
    with style():
        (part,) = parts(run)
        figure = FIGURES[name](part)
        figure.savefig(tmp_path / "a.png")
    (axes,) = figure.axes
    units, values = 2, levels.count
    lines = {"ranges": 3 * (units * values + 1), "criticality": units + 2, "faults": values + 1}  # with error-free ones
    assert len(axes.lines) == lines[name]
    assert (tmp_path / "a.png").read_bytes().startswith(MAGIC[".png"])


def test_a_single_fault_and_an_unfinished_run_can_be_drawn(tmp_path: Path) -> None:
    network, path = tiny_network(), tmp_path / "a.run"
    faults = fault_space(network)
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, tiny_data(), faults, path, Watched(1))
    with pytest.raises(CampaignError, match="no finished fault to draw"):
        write_figures(Run.open(path), tmp_path / "figures")
    assert not (tmp_path / "figures").exists()
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, tiny_data(), faults, path, Watched(2), chunk=1)
    with style():
        (part,) = parts(Run.open(path))
        for name in CHANNEL:
            FIGURES[name](part).savefig(tmp_path / f"{name}.svg")
            assert "unfinished: 1 of 14 faults" in (tmp_path / f"{name}.svg").read_text()


def test_pyplot_is_never_imported_and_settings_are_restored(tmp_path: Path) -> None:
    tiny_run(tmp_path / "a.run")
    script = f"""
import sys, fat_fpga.reports
assert "matplotlib" not in sys.modules, "imported too early"
import matplotlib
def settings():  # "backend" is left out: to look at it makes matplotlib choose one
    return {{key: matplotlib.rcParams[key] for key in matplotlib.rcParams if not key.startswith("backend")}}
before = settings()
fat_fpga.reports.write_figures(fat_fpga.reports.figures.Run.open({str(tmp_path / "a.run")!r}), {str(tmp_path / "f")!r})
assert "matplotlib.pyplot" not in sys.modules
assert settings() == before
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert SETTINGS["pdf.fonttype"] == 42


@pytest.mark.parametrize(("low", "high", "between"), [(95_000, 450_000, "200,000"), (2, 7, "3"), (1, 5_000, "1,000")])
def test_numbers_of_a_logarithmic_axis(low: int, high: int, between: str) -> None:
    """Also those between powers of ten, where there are few of these."""
    with style():
        figure = Figure()
        axes = figure.subplots()
        axes.plot([0, 1], [low, high])
        log_scale(axes, "y")
        figure.draw_without_rendering()
    texts = [label.get_text() for which in ("major", "minor") for label in axes.get_yticklabels(which=which)]
    assert between in texts
    assert all(re.fullmatch(r"[\d,]*", text) for text in texts)
