"""What errors need, on networks whose errors are made up by a law."""

from __future__ import annotations

from pathlib import Path

import pytest

from fat_fpga.errors import TrainingError
from fat_fpga.sizes import Candidate, Measured, Question, Space, best_of, fewest, needs, read_folder, read_folders
from fat_fpga.sizes.figures import write_figures
from fat_fpga.sizes.study import AT_RANDOM, proposal
from fat_fpga.sizes.table import default_targets, needs_text, rates_of, write_csv

RATES = (1e-3, 2e-3)


def made_up(name: str) -> Measured:
    """Wider networks have fewer errors, deviations cost less in them."""
    candidate = Candidate(name)
    width = candidate.numbers[-1]
    error = 1 + 100 / width
    errors = {"uniform": {rate: error + 1e5 * rate / width for rate in RATES}, "erase": dict.fromkeys(RATES, error)}
    return Measured(candidate, error, errors)


WIDTHS = (50, 100, 200, 400)
ALL = [made_up(f"mlp-{layers}-{width}") for layers in (1, 2) for width in WIDTHS]


def test_fewest_parameters() -> None:
    # errors without deviations: 3, 2, 1.5, 1.25; uniform at 1e-3: 5, 3, 2, 1.5
    assert fewest(ALL, "uniform", 0, 2.0) == ALL[1]
    assert fewest(ALL, "uniform", 1e-3, 2.0) == ALL[2]
    assert fewest(ALL, "erase", 1e-3, 2.0) == ALL[1]
    assert fewest(ALL, "uniform", 2e-3, 1.5) is None
    found = {(need.target, need.rate): need for need in needs(ALL, "uniform", (0, 1e-3, 2e-3), (1.5, 2.0))}
    assert found[2.0, 0].increase == 0
    one, other = ALL[1].parameters, ALL[2].parameters
    assert found[2.0, 1e-3].increase == pytest.approx(other / one - 1)
    assert found[1.5, 2e-3].smallest is None
    assert found[1.5, 2e-3].increase is None


def test_the_best_of_a_depth_and_the_table() -> None:
    assert [one.candidate.name for one in best_of(ALL, 2, 2)] == ["mlp-2-400", "mlp-2-200"]
    assert rates_of(ALL, "uniform") == (0.0, *RATES)
    assert default_targets(ALL) == (1.3, 1.5, 1.7, 1.9, 2.1, 2.3)
    text = needs_text("uniform", needs(ALL, "uniform", (0, 1e-3), (1.5, 9.0)))
    assert text.splitlines() == [
        "uniform deviations: the fewest parameters",
        "error at most    p = 0           p = 0.001",
        "1.5 %          159,010  318,010 (+100.0 %)",
        "9 %             39,760     39,760 (+0.0 %)",
    ]


def test_a_folder_is_read_as_it_was_written(tmp_path: Path) -> None:
    for one in ALL:
        (tmp_path / one.candidate.name).mkdir()
        one.write(tmp_path / one.candidate.name)
    assert read_folder(tmp_path) == sorted(ALL, key=lambda one: one.candidate.name)
    with pytest.raises(TrainingError, match=r"mlp-1-50 was not measured under uniform at rate 0.5, but at 0"):
        ALL[0].error("uniform", 0.5)
    (tmp_path / "mlp-1-50" / "measured.json").write_text('{"network": "mlp-1-50"}')
    with pytest.raises(TrainingError, match=r"measured.json: errors is missing"):
        read_folder(tmp_path)
    with pytest.raises(TrainingError, match="has no finished network"):
        read_folder(tmp_path / "mlp-2-50")


def test_searches_of_one_family_are_read_together(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "second", "other")]
    for folder, chosen in zip(folders, (ALL[:3], ALL[2:], [made_up("cnn-2-3-2-16")]), strict=True):
        for one in chosen:
            (folder / one.candidate.name).mkdir(parents=True)
            one.write(folder / one.candidate.name)
    found = read_folders(folders[:2])
    assert sorted(one.candidate.name for one in found) == sorted(one.candidate.name for one in [*ALL, ALL[2]])
    assert fewest(found, "uniform", 1e-3, 2.0) == ALL[2]
    with pytest.raises(TrainingError, match="cnn-2-3-2-16 is of another family than mlp-1-100"):
        read_folders([folders[0], folders[2]])


def test_tables_and_figures_are_written(tmp_path: Path) -> None:
    found = [("uniform", need) for need in needs(ALL, "uniform", (0, 1e-3), (1.5, 0.1))]
    write_csv(found, tmp_path / "needs.csv")
    assert (tmp_path / "needs.csv").read_text().splitlines() == [
        "deviation,rate,target,network,parameters,increase",
        "uniform,0,1.5,mlp-1-200,159010,0.0",
        "uniform,0.001,1.5,mlp-1-400,318010,0.99993711087353",
        "uniform,0,0.1,,,",
        "uniform,0.001,0.1,,,",
    ]
    rates = {"uniform": rates_of(ALL, "uniform")}
    files = write_figures(ALL, rates, (1.5, 2.0), tmp_path, ("png",))
    assert [path.name for path in files] == ["error_uniform.png", "needs_uniform.png"]
    assert all(path.stat().st_size > 10_000 for path in files)


def test_proposals_follow_from_what_is_known_and_never_repeat() -> None:
    pytest.importorskip("optuna")
    space, question = Space("mlp", (1, 3), (50, 400)), Question(RATES)
    known: list[Measured] = []
    for _ in range(AT_RANDOM + 6):
        candidate = proposal(space, known, question)
        assert candidate is not None
        assert candidate == proposal(space, known, question)
        assert candidate not in [one.candidate for one in known]
        known.append(made_up(candidate.name))
    assert proposal(space, known, Question(RATES, seed=1)) != proposal(space, known, question)
    few = Space("mlp", (1, 1), (50, 52))
    assert proposal(few, [made_up(f"mlp-1-{width}") for width in (50, 51, 52)], question) is None
