"""The gate for CI: exact at the limit, and nothing is judged that is not known."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from fat_fpga.campaign import Run, assert_worst_accuracy, most_critical, run_campaign
from fat_fpga.cli.main import main
from fat_fpga.errors import CampaignError

from .tiny import Watched, tiny_data, tiny_network, tiny_run, tiny_run_of


def test_the_limit_is_exact(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "a.run")
    worst = most_critical(run.results, 1)[0]
    limit = Fraction(100 * worst.correct, 30)
    assert_worst_accuracy(run, limit)
    with pytest.raises(AssertionError) as caught:
        assert_worst_accuracy(run, limit + Fraction(1, 10**12))
    assert f"({worst.fault}) over all 14 faults: BELOW" in str(caught.value)


def test_the_command_tells_by_its_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "a.run")
    tiny_run(Path(path))
    assert main(["report", path, "--fail-under", "0"]) == 0
    assert "at least 0 %" in capsys.readouterr().out.splitlines()[-1]
    assert main(["report", path, "--fail-under", "99.5"]) == 1
    assert "BELOW 99.5 %" in capsys.readouterr().out.splitlines()[-1]
    with pytest.raises(SystemExit) as left:
        main(["report", path, "--fail-under", "101"])
    assert left.value.code == 2


def test_a_sample_says_that_it_is_one(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="over 20 drawn faults"):
        assert_worst_accuracy(tiny_run_of(tmp_path / "a.run", "weight", sample=20), 100)


def test_an_unfinished_run_is_not_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_campaign(tiny_network(), tiny_data(), None, tmp_path / "a.run", Watched(2), chunk=5)
    with pytest.raises(CampaignError, match="the worst may be to come"):
        assert_worst_accuracy(Run.open(tmp_path / "a.run"), 0)
    assert main(["report", str(tmp_path / "a.run"), "--fail-under", "1"]) == 2
    assert "unfinished" in capsys.readouterr().err
    with pytest.raises(CampaignError, match="0 to 100"):
        assert_worst_accuracy(tiny_run(tmp_path / "b.run"), -1)
