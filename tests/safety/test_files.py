"""FIT files and runs that will not do are told in one line; the command writes what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fat_fpga.campaign import Run, Selection, run_campaign
from fat_fpga.cli.main import main
from fat_fpga.errors import SafetyError
from fat_fpga.faults import fault_space
from fat_fpga.network import Levels
from fat_fpga.safety import assess, read_fit, write_template
from tests.campaign.tiny import Watched, tiny_data, tiny_network, tiny_run_of

GOOD = """
format = 1
[rates.bram]
transient_fit_per_mbit = 75
permanent_fit_per_mbit = 5
source = "an example"
[structures]
weight = "bram"
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_template_is_a_fit_file_but_for_its_rates(tmp_path: Path) -> None:
    write_template(tmp_path / "fit.toml")
    with pytest.raises(SafetyError, match=r"rates\.bram\.transient_fit_per_mbit must be a number"):
        read_fit(tmp_path / "fit.toml")
    text = (tmp_path / "fit.toml").read_text().replace('"?"', "1").replace("\n# [[mech", "\n[[mech")
    for name in ("name", "covers", "transient", "permanent", "told", "fit", "tested", "executions_per_hour"):
        text = text.replace(f"\n# {name} =", f"\n{name} =")
    found = read_fit(written(tmp_path / "full.toml", text))
    assert found.mechanisms[0].watches("conv7", "weight")
    assert found.executions == 3_600_000
    assert set(found.structures.values()) <= set(found.rates)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("format = 1", "format = 2", "format must be 1, got 2"),
        ("format = 1", "format = 1\nrate = 3", "unknown entry rate"),
        ("= 75", "= -1", "must be a number from 0 up, got -1"),
        ("= 75", "= true", "must be a number from 0 up, got True"),
        ("= 75", "= nan", "must be a number from 0 up, got nan"),
        ('source = "an example"', "", "must say where the rates are from"),
        ('weight = "bram"', 'weight = "uram"', "structures.weight is 'uram', which has no rates"),
        ("[rates.bram]", "[rates.bram", "is no TOML"),
        (
            "[structures]",
            "[goal]\nviolated_by = 'luck'\n[structures]",
            "violated_by is one of change, drop, image",
        ),
        ("[structures]", "[[mechanism]]\nname='a'\ncovers=['*']\ntransient=2\n[structures]", "must be a number 0 to 1"),
        ("[structures]", "[[mechanism]]\nname='a'\ncovers='x'\n[structures]", "covers must list elements"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SafetyError) as caught:
        read_fit(written(tmp_path / "fit.toml", GOOD.replace(old, new)))
    assert told in str(caught.value)


def test_runs_that_say_too_little(tmp_path: Path) -> None:
    fit, network, data = read_fit(written(tmp_path / "fit.toml", GOOD)), tiny_network(), tiny_data()
    weights = tiny_run_of(tmp_path / "a.run", "weight", sample=20)
    with pytest.raises(SafetyError, match="conv0 weight is in"):
        assess([weights, weights], fit)
    with pytest.raises(SafetyError, match=r"which structure holds faults of kind channel: \[structures\] channel"):
        assess([tiny_run_of(tmp_path / "b.run", "channel")], fit)
    given = run_campaign(network, data, list(fault_space(network, "weight"))[:3], tmp_path / "c.run", "reference")
    with pytest.raises(SafetyError, match="of given faults"):
        assess([given], fit)
    other = run_campaign(tiny_network(seed=1), data, fault_space(tiny_network(seed=1), "threshold"), None, "native")
    with pytest.raises(SafetyError, match="of one network"):
        assess([weights, other], fit)
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, data, fault_space(network, "weight"), tmp_path / "d.run", Watched(1), chunk=5)
    with pytest.raises(SafetyError, match="unfinished"):
        assess([Run.open(tmp_path / "d.run")], fit)
    with pytest.raises(SafetyError, match="no run"):
        assess([], fit)


def test_channels_need_bits(tmp_path: Path) -> None:
    run = tiny_run_of(tmp_path / "a.run", "channel")
    text = GOOD.replace('weight = "bram"', 'channel = "bram"')
    with pytest.raises(SafetyError, match=r"give them in the FIT file, \[bits\] 'conv0 channel' ="):
        assess([run], read_fit(written(tmp_path / "fit.toml", text)))
    text += '[bits]\n"conv0 channel" = 1e6\n"conv1 channel" = 2e6\n'
    found = assess([run], read_fit(written(tmp_path / "fit.toml", text)))
    assert [element.transient for element in found.elements] == [75, 150]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, fit = str(tmp_path / "a.run"), str(written(tmp_path / "fit.toml", GOOD))
    tiny_run_of(Path(run), "weight")
    table, found = tmp_path / "a.csv", tmp_path / "a.json"
    assert main(["safety", run, "--fit", fit, "--csv", str(table), "--json", str(found)]) == 0
    assert "not modelled:" in capsys.readouterr().out
    assert len(table.read_text().splitlines()) == 4
    content = json.loads(found.read_text())
    assert content["safety"]["all"]["total"] == pytest.approx(80 * 132 / 1e6)
    for words, told in (
        ([run], "give at least one RUN and --fit FILE"),
        (["--template", str(tmp_path / "t.toml"), "--fit", fit], "leave runs and --fit out"),
        (["--template", run], "there is a run file, not failure rates"),
        ([run, "--fit", fit, "--xlsx", str(tmp_path / "a.xls")], "ends in .xlsx"),
    ):
        assert main(["safety", *words]) == 2
        assert told in capsys.readouterr().err
    assert main(["safety", "--template", str(tmp_path / "t.toml")]) == 0


def test_runs_of_thresholds_in_other_hardware_are_no_table_of_one_build(tmp_path: Path) -> None:
    network, data = tiny_network(levels=Levels(0, 1, 4)), tiny_data()
    text = GOOD + 'threshold = "bram"\n'
    runs = [run_campaign(network, data, fault_space(network, "weight", ["conv0"]).sample(5), engine="reference")]
    for layer, logic in (("conv0", "count"), ("conv1", "search")):
        faults = Selection.sample(fault_space(network, "threshold", [layer]), 5)
        runs.append(run_campaign(network.with_threshold_logic(logic), data, faults, engine="reference"))
    with pytest.raises(SafetyError, match=r"thresholds are count in .*, search in .*: a safety table is of one build"):
        assess(runs, read_fit(written(tmp_path / "fit.toml", text)))
