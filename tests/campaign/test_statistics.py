"""Statistics against numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Result, Spread, most_critical, overall, run_campaign, statistics
from fat_fpga.errors import CampaignError
from fat_fpga.faults import fault_space
from fat_fpga.network import Levels

from .tiny import Watched, tiny_data, tiny_network, tiny_run


def test_layer_statistics_equal_numpy(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "a.run", levels=Levels(-1, 1, 3))
    groups = statistics(run)
    assert [(g.kind, g.layer, g.effect) for g in groups] == [
        ("channel", layer, effect) for layer in ("conv0", "conv1") for effect in ("= -1", "= 0", "= +1")
    ]
    for group in groups:
        own = [r for r in run.results if (r.layer, r.effect) == (group.layer, group.effect)]
        assert list(group.results) == own
        _compare(group.spread, own, run.images)
    assert sum(g.spread.faults for g in groups) == run.asked
    _compare(overall(run), list(run.results), run.images)


def _compare(spread: Spread, results: list[Result], images: int) -> None:
    accuracy = 100 * np.array([r.correct for r in results]) / images
    assert spread.faults == len(results)
    assert (spread.min, spread.max) == (accuracy.min(), accuracy.max())
    assert spread.mean == pytest.approx(accuracy.mean())
    assert spread.variance == pytest.approx(accuracy.var(ddof=0))
    assert spread.worst == most_critical(results)[0]
    assert spread.best == results[accuracy.argmax()]


def test_variance_is_exact_where_floats_would_cancel() -> None:
    def result(correct: int) -> Result:
        return Result("", "a", "channel", correct, 0, channel=0, flip=0, value=1)

    images = 10**9
    spread = Spread.of([result(images - 1), result(images)] * 500, images)
    assert spread.variance == 2.5e-15


def test_most_critical_sorts_by_accuracy_then_by_changed_images(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "a.run")
    order = most_critical(run.results)
    assert [(r.correct, -r.changed) for r in order] == sorted((r.correct, -r.changed) for r in run.results)
    assert most_critical(run.results, 3) == order[:3]


def test_nothing_finished_has_no_statistics(tmp_path: Path) -> None:
    network, path = tiny_network(), tmp_path / "a.run"
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, tiny_data(), fault_space(network), path, Watched(1))
    from fat_fpga.campaign import Run

    run = Run.open(path)
    assert statistics(run) == []
    with pytest.raises(CampaignError, match="no finished fault"):
        overall(run)
