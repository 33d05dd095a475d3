"""Plans in JSON files: one plan, one file, checked key by key when it is read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from fat_fpga.arguments import checked
from fat_fpga.errors import PlanError
from fat_fpga.files import replacing
from fat_fpga.hardening.plan import Cost, Expected, Plan
from fat_fpga.hardening.target import Target
from fat_fpga.hardening.unit_plan import UnitPlan
from fat_fpga.json_file import Entry, read_object

FORMAT = "fat_fpga plan"
VERSION = 1


@checked
def write_plan(plan: Plan, path: str | os.PathLike[str]) -> None:
    """Write a plan; the file appears whole or not at all. OSError if it cannot."""
    with replacing(path) as temporary:
        temporary.write_text(plan_text(plan), encoding="utf-8")


def plan_text(plan: Plan) -> str:
    """The plan as JSON; rows, orders and expectations each on a line of their own."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "model": {"name": plan.model, "fingerprint": plan.fingerprint},
        "data": {"name": plan.dataset, "fingerprint": plan.dataset_fingerprint, "images": plan.images},
        "kind": plan.kind,
        "asked": plan.asked,
        "golden_correct": plan.golden_correct,
        "worst_correct": plan.worst_correct,
        "part": plan.part,
        "notes": list(plan.notes),
        "costs": [
            {"name": c.name, "unprotected": c.unprotected, "planned": c.planned, "full_tmr": c.full_tmr}
            for c in plan.costs
        ],
        "units": [
            {"unit": u.unit, "channels": u.channels, "pe": u.pe, "simd": u.simd, "rows": u.rows, "order": u.order}
            for u in plan.units
        ],
        **({"target": _target_json(plan.target)} if plan.target else {}),
        "expected": _columns(plan.expected),
        **({"others": _columns(plan.others)} if plan.others else {}),
    }
    lines = [f"{json.dumps(key)}: {_value(value)}" for key, value in content.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _columns(expected: Sequence[Expected]) -> dict[str, Any]:
    keys = ("fault", "correct", "changed", *(["value"] if any(entry.value is not None for entry in expected) else []))
    return {key: [getattr(entry, key) for entry in expected] for key in keys}


def _target_json(target: Target) -> dict[str, Any]:
    matrix = {"matrix": target.matrix} if target.matrix else {}
    return {"name": target.name, "most": target.most, "full": str(target.full), **matrix}


def _value(value: Any) -> str:
    """JSON with one entry of a list of objects, or of an object of lists, a line."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f" {json.dumps(entry)}" for entry in value) + "\n]"
    if isinstance(value, dict) and value and all(isinstance(entry, list) for entry in value.values()):
        return "{\n" + ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()) + "\n}"
    return json.dumps(value)


@checked
def read_plan(path: str | os.PathLike[str]) -> Plan:
    """Read a plan file.

    Raises:
        PlanError: there is no such file, it is no plan, or an entry is missing or not what it must be; the message
            names the file and the key.
    """
    path = Path(path)
    if not path.exists():
        raise PlanError(f"no plan file at {path}: fat-fpga plan RUN -o {path} makes one")
    entry = read_object(path, "a plan file of fat-fpga plan", PlanError)
    if entry.value.get("format") != FORMAT:
        raise PlanError(f"{path} is no plan file of fat-fpga plan")
    if entry.get("version", int) != VERSION:
        raise PlanError(
            f"{path} has plan format {entry.value['version']}, this version of fat-fpga reads format {VERSION}: "
            "plan again from the run"
        )
    try:
        return _plan(entry)
    except PlanError as error:
        raise error if str(error).startswith(str(path)) else PlanError(f"{path}: {error}") from error


def _plan(entry: Entry) -> Plan:
    model, data = entry.inner("model"), entry.inner("data")
    return Plan(
        model=model.get("name", str),
        fingerprint=model.get("fingerprint", str),
        dataset=data.get("name", str),
        dataset_fingerprint=data.get("fingerprint", str),
        images=data.get("images", int, 1),
        golden_correct=entry.get("golden_correct", int, 0),
        kind=entry.get("kind", str),
        asked=entry.get("asked", str),
        worst_correct=entry.get("worst_correct", int, 0),
        units=tuple(
            UnitPlan(
                unit.get("unit", str),
                unit.get("channels", int),
                unit.get("pe", int),
                unit.get("simd", int),
                unit.items("rows", int),
                unit.items("order", int),
            )
            for unit in entry.inners("units")
        ),
        expected=_expected(entry, "expected"),
        costs=tuple(
            Cost(
                cost.get("name", str),
                cost.number("unprotected"),
                cost.number("planned"),
                None if cost.value.get("full_tmr") is None else cost.number("full_tmr"),
            )
            for cost in entry.inners("costs")
        ),
        part=None if entry.value.get("part") is None else entry.get("part", str),
        notes=entry.items("notes", str),
        others=_expected(entry, "others") if "others" in entry.value else (),
        target=_target(entry.inner("target")) if "target" in entry.value else None,
    )


def _target(entry: Entry) -> Target:
    text = entry.get("full", str)
    if not re.fullmatch(r"\d{1,18}(/\d{1,18})?", text) or re.fullmatch(r".*/0+", text):
        raise PlanError(f"{entry.path}: target.full must be a number as 100 or 25/2, got '{text:.40}'")
    matrix = entry.get("matrix", str) if "matrix" in entry.value else ""
    return Target(entry.get("name", str), entry.get("most", int, 1), Fraction(text), matrix)


def _expected(entry: Entry, name: str) -> tuple[Expected, ...]:
    columns = entry.inner(name)
    faults = columns.items("fault", str)
    keys = ("correct", "changed", *(["value"] if "value" in columns.value else []))
    counts = [columns.items(key, int, 0) for key in keys]
    for key, column in zip(keys, counts, strict=True):
        if len(column) != len(faults):
            raise PlanError(f"{entry.path}: {name}.{key} has {len(column)} entries, {name}.fault {len(faults)}")
    return tuple(map(Expected, faults, *counts))
