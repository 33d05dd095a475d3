"""Plans, and their way to a file and back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fat_fpga.errors import PlanError
from fat_fpga.hardening import Cost, Expected, Plan, UnitPlan, read_plan, write_plan
from fat_fpga.hardening.unit_plan import identity_plan, spread_rows

CONV0 = UnitPlan("conv0", 4, 4, 1, (2, 2, 2, 0, 1, 1, 1, 3), (2, 0, 1, 3))
PLAN = Plan(
    "tiny", "f" * 64, "tiny:test", "d" * 64, 30, 20, "channel", "worst error 40 %", 18,
    (CONV0, identity_plan("fc1", 4, 2, 4)),
    (Expected("conv0/channel[0] = +1", 18, 5), Expected("conv0/channel[1] = +1", 7, 25)),
    (Cost("MACs", 100, 150.5, 300), Cost("PEs", 4, 4, None)), "XC7Z020", ("conv0: 1 asked, 2 triplicated",),
)  # fmt: skip


def test_what_rows_say() -> None:
    assert CONV0.replicated == (1, 2)
    assert CONV0.copies == ((3,), (4, 5, 6), (0, 1, 2), (7,))
    assert CONV0.sources == ((0, 1, 2), (3, 3, 3), (4, 5, 6), (7, 7, 7))
    assert CONV0.folds == 2
    assert CONV0.changed
    assert not PLAN.unit("fc1").changed
    assert PLAN.replicated == 2
    assert PLAN.worst_error == pytest.approx(40)
    assert spread_rows((2, 0, 1, 3), frozenset((1, 2))) == CONV0.rows


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": (0, 1, 2)}, "every channel from 0 to 3"),
        ({"rows": (0, 1, 2, 3, 4)}, "every channel from 0 to 3"),
        ({"rows": (0, 0, 1, 2, 3), "pe": 1}, "channel 0 stands 2 times"),
        ({"order": (0, 1, 2, 2)}, "order must hold each"),
        ({"pe": 3}, "8 rows cannot be shared evenly by 3 PEs"),
        ({"pe": 2}, "must be on three different PEs of 2"),
        ({"rows": (2, 0, 1, 3, 2, 2), "pe": 3}, "copies of channel 2, rows 0, 4, 5"),
        ({"simd": 0}, "at least 1"),
    ],
)
def test_impossible_units(change: dict[str, Any], message: str) -> None:
    if message.startswith("copies"):
        assert replace(CONV0, **change).replicated == (2,)  # 0, 4, 5 are PEs 0, 1, 2: possible
        change["rows"] = (2, 0, 1, 2, 2, 3)
        message = "copies of channel 2, rows 0, 3, 4"
    with pytest.raises(PlanError, match=message):
        replace(CONV0, **change)


def test_impossible_plans() -> None:
    with pytest.raises(PlanError, match="never replicated"):
        replace(PLAN, units=(identity_plan("fc1", 4, 2, 4), CONV0))
    with pytest.raises(PlanError, match="each unit once"):
        replace(PLAN, units=(CONV0, CONV0, identity_plan("fc1", 4, 2, 4)))
    with pytest.raises(PlanError, match="channel or pe"):
        replace(PLAN, kind="pixel")
    with pytest.raises(PlanError, match=r"0\.\.30"):
        replace(PLAN, worst_correct=31)
    with pytest.raises(PlanError, match="it has conv0, fc1"):
        PLAN.unit("conv7")


def test_file(tmp_path: Path) -> None:
    write_plan(PLAN, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == PLAN


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("version",), 2, "plan format 2"),
        (("units", 0, "channels"), 2**62, "order must hold each of the channels"),
        (("data", "images"), 2**70, "data.images must be from 1 to 9223372036854775807"),
        (("costs", 0, "planned"), float("inf"), r"costs\[0\].planned must be a number below 2.63, got inf"),
        (("model", "name"), "\x1b[2J", "model.name must be text without control characters"),
        (("model", "fingerprint"), 5, "model.fingerprint must be a string"),
        (("data", "images"), None, "data.images must be an integer"),
        (("kind",), ..., "kind is missing"),
        (("units", 0, "rows"), [0, 1, 2, True], r"units\[0\].rows\[3\] must be an integer, got true"),
        (("units", 0, "rows"), [0, 1, 2, 2], r"conv0: rows must hold every channel"),
        (("units", 1), "fc1", r"units\[1\] must be an object, got 'fc1'"),
        (("expected", "correct"), [1], "expected.correct has 1 entries, expected.fault 2"),
        (("costs", 0, "planned"), "much", r"costs\[0\].planned must be a number"),
        (("worst_correct",), 99, "worst_correct 99"),
        (("format",), "other", "is no plan file"),
    ],
)
def test_damaged_file(tmp_path: Path, place: tuple[Any, ...], value: Any, message: str) -> None:
    path = tmp_path / "plan.json"
    write_plan(PLAN, path)
    content = json.loads(path.read_text())
    entry = content
    for key in place[:-1]:
        entry = entry[key]
    if value is ...:
        del entry[place[-1]]
    else:
        entry[place[-1]] = value
    path.write_text(json.dumps(content))
    with pytest.raises(PlanError, match=message) as raised:
        read_plan(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_no_plan_file(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no plan file at"):
        read_plan(tmp_path / "none.json")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(PlanError, match="no JSON"):
        read_plan(tmp_path / "text")
