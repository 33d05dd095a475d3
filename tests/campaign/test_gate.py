"""The gate for CI: exact at the limit, and nothing is judged that is not known."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import (
    CostMatrix,
    Run,
    assert_limits,
    assert_worst_accuracy,
    class_accuracies,
    most_critical,
    run_campaign,
)
from fat_fpga.campaign.counted import error_name
from fat_fpga.campaign.gate import OVER, UNDER, verdicts
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


MATRIX = CostMatrix((1 - np.eye(4)).astype(np.int64) * 25, 1)


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All stuck channels of the tiny network, with everything that a limit can be of."""
    path = tmp_path_factory.mktemp("counted") / "a.run"
    counting = ("outcomes", "errors", MATRIX.counting)
    return run_campaign(tiny_network(), tiny_data(), None, path, "reference", counting=counting)


def figures(run: Run) -> dict[str, Fraction]:
    """Every figure that has a limit here, from the predictions' counts in another way."""
    pairs = 30 * run.done
    shares = {
        name: Fraction(100 * sum(map(int, run.counts[name])), pairs) for name in UNDER + OVER if name in run.counts
    }
    wrong = [[int(run.counts[error_name(label)][row]) for label in range(4)] for row in range(run.done)]
    images = np.bincount(run.labels, minlength=4).tolist()
    lowest = min(Fraction(100 * (n - w), n) for row in wrong for n, w in zip(images, row, strict=True) if n)
    worst = min(int(correct) for correct in run.correct)
    return shares | {
        "accuracy": Fraction(100 * worst, 30), "class": lowest, "cost": Fraction(25 * (30 - worst), 30 * 10)
    }  # fmt: skip


@pytest.mark.parametrize("name", [name for name in UNDER + OVER if name not in ("top5", "nonfinite")])
def test_each_limit_is_exact(counted: Run, name: str) -> None:
    figure = figures(counted)[name]
    least, step = name in UNDER, Fraction(1, 10**7)
    if name == "class":
        figure = Fraction(int(figure / step)) * step
    for limit, held in ((figure, True), (figure - step, least), (figure + step, not least)):
        if limit < 0 or (limit > 100 and name != "cost"):
            continue
        (verdict,) = verdicts(counted, under={name: limit}) if least else verdicts(counted, over={name: limit})
        assert verdict.held is held, (name, limit, verdict.text)
        assert ("BELOW" in verdict.text or "ABOVE" in verdict.text) is not held
    assert len(verdicts(counted, under={"accuracy": 0}, over={"sdc1": 100, "cost": 9})) == 3


def test_the_class_that_suffers_most_is_that_of_the_table(counted: Run) -> None:
    lowest = np.nanmin(class_accuracies(counted)[1:])
    assert verdicts(counted, under={"class": 0})[0].text.startswith(
        f"worst lowest accuracy of a class {lowest:.2f} % ("
    )


def test_all_limits_that_are_broken_are_told(counted: Run) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_limits(counted, under={"accuracy": 100, "class": 0}, over={"critical": 0})
    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines] == ["worst", "critical"]
    assert_limits(counted, under={"class": 0}, over={"critical": 100})


@pytest.mark.parametrize(
    ("under", "over", "told"),
    [
        ({"acuracy": 60}, {}, "unknown limit 'acuracy': known are accuracy, top5, class, masked, detected"),
        ({"sdc1": 60}, {}, r"unknown limit 'sdc1' \(a largest value is given of it\)"),
        ({}, {"accuracy": 60}, r"unknown limit 'accuracy' \(a least value is given of it\)"),
        ({"class": 100.1}, {}, "limit of class must be a percentage, 0 to 100, got 100.1"),
        ({"class": float("nan")}, {}, "limit of class must be a percentage"),
        ({"class": Fraction(1, 3)}, {}, "at most 7 decimals"),
        ({}, {"cost": float("inf")}, "largest mean cost must be a number from 0 up"),
        ({"accuracy": "60"}, {}, "limit of accuracy must be a number, got '60'"),
        ({"top5": 60}, {}, "did not count what top5 needs: campaign with --top5"),
        ({}, {"nonfinite": 60}, "did not count the outcome nonfinite: there is no such class"),
    ],
)
def test_a_limit_that_cannot_be_is_told(
    counted: Run, under: dict[str, float], over: dict[str, float], told: str
) -> None:
    with pytest.raises(CampaignError, match=told):
        verdicts(counted, under=under, over=over)


def test_limits_on_the_command_line(counted: Run, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(counted.path)
    assert main(["report", path, "--fail-under", "0,class=0", "--fail-over", "sdc1=100, cost=2.5"]) == 0
    told = capsys.readouterr().out.splitlines()[-4:]
    assert [line.rpartition(": ")[2] for line in told] == [
        "at least 0 %",
        "at least 0 %",
        "at most 100 %",
        "at most 2.5",
    ]
    assert main(["report", path, "--fail-under", "0", "--fail-over", "sdc1=0"]) == 1
    assert "ABOVE 0 %" in capsys.readouterr().out.splitlines()[-1]
    for wrong in ("sdc1", "1", "sdc1=x", "sdc1=1,sdc1=2"):
        with pytest.raises(SystemExit) as left:
            main(["report", path, "--fail-over", wrong])
        assert left.value.code == 2
    assert main(["report", path, "--fail-over", "sdc1=1,loss=2"]) == 2
    assert "unknown limit 'loss'" in capsys.readouterr().err
