"""Experiment files do what their commands do by hand, wherever the file is; mistakes are named before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fat_fpga.campaign import Run
from fat_fpga.cli.experiment_file import STEPS, options_of, read_experiment, schema
from fat_fpga.cli.main import main
from fat_fpga.errors import CampaignError

SCHEMA = Path(__file__).parents[2] / "fat_fpga" / "cli" / "experiment.schema.json"
FILE = """
format = 1
[campaign]
model = "tfc_w2a2"
data = "demo:mnist"
images = 20
faults = ["weight", "threshold"]
sample = 30
seed = 3
output = "a.run"
quiet = true

[report]
csv = "a.csv"
fail_under = 10

[safety]
fit = "fit.toml"
json = "safety.json"
"""
RATES = """
format = 1
[rates.bram]
transient_fit_per_mbit = 75
permanent_fit_per_mbit = 5
source = "an example"
[structures]
weight = "bram"
threshold = "bram"
"""


def written(folder: Path, text: str = FILE) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "fit.toml").write_text(RATES)
    (folder / "experiment.toml").write_text(text)
    return str(folder / "experiment.toml")


def test_it_is_the_commands_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In two folders and by hand: the same results, the same table, byte for byte."""
    for name in ("one", "two"):
        assert main(["run", written(tmp_path / name)]) == 0
    by_hand = tmp_path / "hand"
    by_hand.mkdir()
    monkeypatch.chdir(by_hand)
    words = "campaign tfc_w2a2 --data demo:mnist --images 20 --faults weight,threshold --sample 30 --seed 3 -o a.run -q"
    assert main(words.split()) == 0
    assert main(["report", "a.run", "--csv", "a.csv"]) == 0
    runs = [Run.open(tmp_path / name / "a.run") for name in ("one", "two", "hand")]
    assert runs[0].identity == runs[1].identity == runs[2].identity
    assert runs[0].results == runs[1].results == runs[2].results
    tables = {(tmp_path / name / "a.csv").read_bytes() for name in ("one", "two", "hand")}
    assert len(tables) == 1
    assert [run.experiment for run in runs[:2]] == [(tmp_path / "one" / "experiment.toml").read_text()] * 2
    assert runs[2].experiment is None
    assert json.loads((tmp_path / "one" / "safety.json").read_text())["elements"]


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", written(tmp_path), "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("$ fat-fpga campaign tfc_w2a2 --data=demo:mnist --images=20 --faults=weight,threshold")
    assert lines[1].startswith("  30 faults x 20 images, about ")
    assert lines[2] == "$ fat-fpga report a.run --csv=a.csv --fail-under=10"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["experiment.toml", "fit.toml"]


def test_a_dry_run_of_a_sweep_tells_its_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = 'format = 1\n[sweep]\nmodel = "tfc_w2a2"\ndata = "demo:mnist"\nimages = 5\nrates = [1e-4, 1e-3]\n'
    (tmp_path / "a.toml").write_text(text + 'samples = 6\noutput = "s.run"\n')
    assert main(["run", str(tmp_path / "a.toml"), "--dry-run"]) == 0
    assert "  12 samples x 5 images, about 1 second" in capsys.readouterr().out


def test_the_first_step_that_fails_ends_it(tmp_path: Path) -> None:
    assert main(["run", written(tmp_path, FILE.replace("fail_under = 10", "fail_under = 100"))]) == 1
    assert not (tmp_path / "safety.json").exists()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("format = 1", "format = 2", "the first line must be format = 1"),
        (
            "[report]",
            "[reprot]",
            "unknown table [reprot]; known are campaign, sweep, report, plan, safety",
        ),
        ("seed = 3", "sede = 3", "[campaign] has no sede; did you mean seed?"),
        ('model = "tfc_w2a2"', "", "[campaign] needs model ="),
        ("quiet = true", "quiet = 1", "[campaign] quiet is true or false, got 1"),
        ("seed = 3", "seed = true", "[campaign] seed needs a value, got True"),
        ("[report]", "report = 3\n[plan]", "is no TOML|has no report"),
        ("[campaign]", "[campaign", "is no TOML"),
    ],
)
def test_mistakes_are_named(old: str, new: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", written(tmp_path, FILE.replace(old, new, 1))]) == 2
    error = capsys.readouterr().err
    assert any(each in error for each in told.split("|"))
    assert not (tmp_path / "a.run").exists()


def test_values_are_read_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as left:
        main(["run", written(tmp_path, FILE.replace("fail_under = 10", "fail_under = 1000"))])
    assert left.value.code == 2
    assert not (tmp_path / "a.run").exists()


def test_several_campaigns_and_negative_values(tmp_path: Path) -> None:
    text = """
format = 1
[[campaign]]
model = "a.onnx"
data = "demo:mnist"
values = [-1, 1]
output = "a.run"
[[campaign]]
model = "a.onnx"
data = "demo:mnist"
output = "b.run"
[safety]
fit = "fit.toml"
"""
    steps = read_experiment(written(tmp_path, text))
    assert [step.arguments[:2] for step in steps] == [
        ["campaign", "a.onnx"],
        ["campaign", "a.onnx"],
        ["safety", "a.run"],
    ]
    assert "--values=-1,1" in steps[0].arguments
    assert steps[2].arguments == ["safety", "a.run", "b.run", "--fit=fit.toml"]
    with pytest.raises(CampaignError, match=r"\[report\] needs run =, as there are several runs: a.run, b.run"):
        read_experiment(written(tmp_path, text.replace("[safety]\nfit", "[report]\ncsv")))


def test_the_schema_is_that_of_the_commands() -> None:
    """After a change of options: ``python -m tests.cli.test_experiment`` writes it anew."""
    assert json.loads(SCHEMA.read_text()) == schema()
    assert set(schema()["properties"]) == {"format", *STEPS}
    assert set(options_of("plan")) >= {"--worst-error", "--folding"}


def test_the_schema_takes_and_refuses_files() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    good = {"format": 1, "campaign": {"model": "a", "data": "b", "output": "c", "faults": ["weight"], "quiet": True}}
    jsonschema.validate(good, schema())
    for bad in ({}, {"format": 1, "campaign": {"model": "a"}}, {"format": 1, "campaing": {}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema())


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(schema(), indent=1) + "\n")
