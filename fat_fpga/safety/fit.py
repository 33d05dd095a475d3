"""The file of failure rates: what fails how often, what watches it, and what the goal is."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from math import isfinite
from pathlib import Path
from typing import Any

from fat_fpga.arguments import checked
from fat_fpga.boards import Board
from fat_fpga.errors import SafetyError
from fat_fpga.files import read_file, replacing

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FORMAT = 1
GOALS = ("change", "drop", "image")
"""When a fault violates the safety goal: it changes the class of any image; it costs more than so many points; or by
the share of images whose class it changes."""


@dataclass(frozen=True)
class Rate:
    """Failures of a structure, in FIT (failures in 1e9 hours) for one Mbit (1e6 bits).

    Attributes:
        transient, permanent: the rates.
        source: where they are from.
    """

    transient: float
    permanent: float
    source: str


@dataclass(frozen=True)
class Mechanism:
    """A safety mechanism.

    Attributes:
        name: of it.
        covers: elements that it watches, ``conv1 weight``; ``* weight`` is of all layers.
        transient, permanent: diagnostic coverage, 0 to 1: the share of dangerous faults that it keeps from violating
            the goal.
        told: the share of these that it tells of, 0 to 1; the others stay latent.
        fit: failure rate of the mechanism itself, in FIT.
        tested: the share of its own faults that are found before they matter, 0 to 1.
    """

    name: str
    covers: tuple[str, ...]
    transient: float
    permanent: float
    told: float = 1.0
    fit: float = 0.0
    tested: float = 0.0

    def watches(self, layer: str, kind: str) -> bool:
        """Whether it watches an element."""
        return any(name in (f"{layer} {kind}", f"* {kind}", f"{layer} *", "*") for name in self.covers)


@dataclass(frozen=True)
class Fit:
    """What a FIT file says.

    Attributes:
        rates: of structures, by name.
        structures: the structure that holds the bits of each kind of fault.
        bits: bits of elements that a run does not tell, by ``conv1 channel``.
        mechanisms: what watches elements.
        goal: one of `GOALS`.
        points: of accuracy, for ``drop``.
        lifetime: hours of operation in a life, for faults of two elements.
        executions: of the network in an hour; None where it is not told.
        left_out: what the user says is not modelled.
        bits_per_lut: configuration bits behind a LUT of logic, with its routing; None where it is not told.
    """

    rates: Mapping[str, Rate]
    structures: Mapping[str, str]
    bits: Mapping[str, float] = field(default_factory=dict)
    mechanisms: tuple[Mechanism, ...] = ()
    goal: str = "change"
    points: float = 1.0
    lifetime: float = 10_000.0
    executions: float | None = None
    left_out: tuple[str, ...] = ()
    bits_per_lut: float | None = None

    def mechanism(self, layer: str, kind: str) -> Mechanism | None:
        """What watches an element; SafetyError where several do."""
        found = [each for each in self.mechanisms if each.watches(layer, kind)]
        if len(found) > 1:
            raise SafetyError(
                f"{layer} {kind} is covered by {found[0].name} and {found[1].name}: give one mechanism with what both "
                "together cover"
            )
        return found[0] if found else None


@checked
def read_fit(path: str | os.PathLike[str]) -> Fit:
    """Read a FIT file.

    Raises:
        SafetyError: it is no TOML, has an unknown or a missing entry, or a value that cannot be; it names the entry.
        OSError: it cannot be read.
    """
    name = str(path)
    try:
        content = tomllib.loads(read_file(Path(path)).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SafetyError(f"{name} is no TOML: {error}") from error
    reader = _Reader(name)
    reader.known(content, "", {"format", "goal", "rates", "structures", "bits", "logic", "mechanism", "not_modelled"})
    if content.get("format") != FORMAT:
        raise SafetyError(f"{name}: format must be {FORMAT}, got {content.get('format')!r}")
    goal = reader.table(content, "goal", {"violated_by", "points", "lifetime_hours", "executions_per_hour"})
    logic = reader.table(content, "logic", {"bits_per_lut"})
    what = goal.get("violated_by", GOALS[0])
    if what not in GOALS:
        raise SafetyError(f"{name}: goal.violated_by is one of {', '.join(GOALS)}, got {what!r}")
    rates = {
        structure: Rate(
            reader.number(entry, f"rates.{structure}.transient_fit_per_mbit"),
            reader.number(entry, f"rates.{structure}.permanent_fit_per_mbit"),
            reader.text(entry, f"rates.{structure}.source"),
        )
        for structure, entry in reader.tables(content, "rates").items()
    }
    structures = {kind: str(structure) for kind, structure in content.get("structures", {}).items()}
    for kind, structure in structures.items():
        if structure not in rates:
            raise SafetyError(
                f"{name}: structures.{kind} is '{structure}', which has no rates; there are {list(rates)}"
            )
    return Fit(
        rates,
        structures,
        {element: reader.number(content["bits"], f"bits.{element}", element) for element in content.get("bits", {})},
        tuple(reader.mechanism(entry, number) for number, entry in enumerate(content.get("mechanism", []), 1)),
        what,
        reader.number(goal, "goal.points", default=1.0),
        reader.number(goal, "goal.lifetime_hours", default=10_000.0),
        reader.number(goal, "goal.executions_per_hour") if "executions_per_hour" in goal else None,
        tuple(map(str, content.get("not_modelled", []))),
        reader.number(logic, "logic.bits_per_lut") if logic else None,
    )


@checked
def write_template(path: str | os.PathLike[str], part: Board | None = None) -> None:
    """Write a FIT file to fill in, with where rates are published; OSError if it cannot be written.

    Args:
        part: told at its head, with what a rate of the whole part is divided by.
    """
    text = (resources.files("fat_fpga.safety") / "template.toml").read_text(encoding="utf-8")
    if part is not None:
        mbit = part.bram_18k * 18 * 1024 / 1e6
        text = (
            f"# For {part.name}: {part.part}, {part.family}. Its {part.bram_18k:,} block RAMs of 18 Kbit are "
            f"{mbit:.2f} Mbit of data and parity;\n# it has {part.lut:,} LUTs. Take the row of "
            f"{part.family.partition(',')[0]} from the documents below.\n{text}"
        )
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


class _Reader:
    """Takes entries out of tables, and says which one is wrong."""

    def __init__(self, name: str) -> None:
        self._name = name

    def known(self, table: Mapping[str, Any], where: str, names: set[str]) -> None:
        wrong = [key for key in table if key not in names]
        if wrong:
            raise SafetyError(f"{self._name}: unknown entry {where}{wrong[0]}; known are {', '.join(sorted(names))}")

    def table(self, content: Mapping[str, Any], key: str, names: set[str]) -> Mapping[str, Any]:
        found = content.get(key, {})
        if not isinstance(found, dict):
            raise SafetyError(f"{self._name}: {key} must be a table [{key}]")
        self.known(found, f"{key}.", names)
        return found

    def tables(self, content: Mapping[str, Any], key: str) -> Mapping[str, Mapping[str, Any]]:
        found = content.get(key)
        if not isinstance(found, dict) or not found or not all(isinstance(entry, dict) for entry in found.values()):
            raise SafetyError(f"{self._name}: there must be a table [{key}.NAME] for each structure")
        return found

    def number(
        self, table: Mapping[str, Any], path: str, key: str | None = None, default: float | None = None,
        most: float = float("inf"),
    ) -> float:  # fmt: skip
        value = table.get(key or path.rpartition(".")[2], default)
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not isfinite(value)
            or not 0 <= value <= most
        ):
            limit = f"0 to {most:g}" if most < float("inf") else "from 0 up"
            raise SafetyError(f"{self._name}: {path} must be a number {limit}, got {value!r}")
        return float(value)

    def text(self, table: Mapping[str, Any], path: str) -> str:
        value = table.get(path.rpartition(".")[2])
        if not isinstance(value, str) or not value.strip():
            raise SafetyError(f"{self._name}: {path} must say where the rates are from, got {value!r}")
        return value

    def mechanism(self, entry: Mapping[str, Any], number: int) -> Mechanism:
        where = f"mechanism {number}"
        if not isinstance(entry, dict):
            raise SafetyError(f"{self._name}: {where} must be a table [[mechanism]]")
        self.known(entry, f"{where}: ", {"name", "covers", "transient", "permanent", "told", "fit", "tested"})
        covers = entry.get("covers")
        if not isinstance(covers, list) or not covers or not all(isinstance(each, str) for each in covers):
            raise SafetyError(f"{self._name}: {where}: covers must list elements as 'conv1 weight', got {covers!r}")
        return Mechanism(
            self.text({"name": entry.get("name")}, f"{where}.name"),
            tuple(covers),
            self.number(entry, f"{where}.transient", most=1),
            self.number(entry, f"{where}.permanent", most=1),
            self.number(entry, f"{where}.told", default=1.0, most=1),
            self.number(entry, f"{where}.fit", default=0.0),
            self.number(entry, f"{where}.tested", default=0.0, most=1),
        )
