"""Plans in JSON files: one plan, one file, checked key by key when it is read."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fat_fpga.arguments import checked
from fat_fpga.errors import PlanError
from fat_fpga.files import replacing
from fat_fpga.hardening.plan import Cost, Expected, Plan, UnitPlan

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
        "expected": {
            "fault": [e.fault for e in plan.expected],
            "correct": [e.correct for e in plan.expected],
            "changed": [e.changed for e in plan.expected],
        },
    }
    lines = [f"{json.dumps(key)}: {_value(value)}" for key, value in content.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


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
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PlanError(f"no plan file at {path}: fat-fpga plan RUN -o {path} makes one") from error
    except OSError as error:
        raise PlanError(f"cannot read the plan file {path}: {error.strerror}") from error
    except ValueError as error:
        raise PlanError(f"{path} is no plan file of fat-fpga plan: no JSON ({error})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise PlanError(f"{path} is no plan file of fat-fpga plan")
    entry = _Entry(path, "", content)
    if entry.get("version", int) != VERSION:
        raise PlanError(
            f"{path} has plan format {content['version']}, this version of fat-fpga reads format {VERSION}: "
            "plan again from the run"
        )
    try:
        return _plan(entry)
    except PlanError as error:
        raise error if str(error).startswith(str(path)) else PlanError(f"{path}: {error}") from error


def _plan(entry: _Entry) -> Plan:
    model, data, expected = entry.inner("model"), entry.inner("data"), entry.inner("expected")
    faults = expected.items("fault", str)
    counts = [expected.items(key, int) for key in ("correct", "changed")]
    for key, column in zip(("correct", "changed"), counts, strict=True):
        if len(column) != len(faults):
            raise PlanError(f"{entry.path}: expected.{key} has {len(column)} entries, expected.fault {len(faults)}")
    return Plan(
        model=model.get("name", str),
        fingerprint=model.get("fingerprint", str),
        dataset=data.get("name", str),
        dataset_fingerprint=data.get("fingerprint", str),
        images=data.get("images", int),
        golden_correct=entry.get("golden_correct", int),
        kind=entry.get("kind", str),
        asked=entry.get("asked", str),
        worst_correct=entry.get("worst_correct", int),
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
        expected=tuple(map(Expected, faults, *counts)),
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
    )


_NAMES = {str: "a string", int: "an integer", list: "a list", dict: "an object"}


@dataclass(frozen=True)
class _Entry:
    """An object in the file, that knows where it stands."""

    path: Path
    place: str
    value: dict[str, Any]

    def get(self, key: str, kind: type) -> Any:
        """The value under ``key``, which must be of the kind."""
        if key not in self.value:
            raise PlanError(f"{self.path}: {self.place}{key} is missing")
        found = self.value[key]
        if not isinstance(found, kind) or isinstance(found, bool):
            raise PlanError(f"{self.path}: {self.place}{key} must be {_NAMES[kind]}")
        return found

    def number(self, key: str) -> float:
        found = self.value.get(key)
        if not isinstance(found, int | float) or isinstance(found, bool):
            raise PlanError(f"{self.path}: {self.place}{key} must be a number")
        return float(found)

    def items(self, key: str, kind: type) -> tuple[Any, ...]:
        """A list of strings or of integers."""
        found = self.get(key, list)
        if not all(type(item) is kind for item in found):
            raise PlanError(f"{self.path}: every entry of {self.place}{key} must be {_NAMES[kind]}")
        return tuple(found)

    def inner(self, key: str) -> _Entry:
        return _Entry(self.path, f"{self.place}{key}.", self.get(key, dict))

    def inners(self, key: str) -> list[_Entry]:
        """A list of objects."""
        return [_Entry(self.path, f"{self.place}{key}[{i}].", entry) for i, entry in enumerate(self.items(key, dict))]
