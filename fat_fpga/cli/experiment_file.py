"""Experiment files: each table is a command, its entries are the options of that command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from fat_fpga.errors import CampaignError
from fat_fpga.files import read_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FORMAT = 1
STEPS = {"campaign": "model", "sweep": "model", "report": "run", "plan": "runs", "safety": "runs"}
"""The commands of a file, in the order in which they are done, and the entry that stands for their first argument. Runs
are those of the file's own campaign and sweep where they are not given."""


@dataclass(frozen=True)
class Step:
    """A command of an experiment.

    Attributes:
        command: its name.
        arguments: the command line without ``fat-fpga``.
    """

    command: str
    arguments: list[str]


def read_experiment(path: str | os.PathLike[str]) -> list[Step]:
    """The steps of an experiment file.

    Raises:
        CampaignError: it is no TOML, of another format, or has an unknown table or entry; it names it.
        OSError: it cannot be read.
    """
    try:
        content = tomllib.loads(read_file(Path(path)).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CampaignError(f"{path} is no TOML: {error}") from error
    if content.pop("format", None) != FORMAT:
        raise CampaignError(f"{path}: the first line must be format = {FORMAT}")
    for name in content:
        if name not in STEPS:
            raise CampaignError(
                f"{path}: unknown table [{name}]; known are {', '.join(STEPS)}{_near(name, list(STEPS))}"
            )
    steps, runs = [], list[str]()
    for command in STEPS:
        tables = content.get(command, [])
        for table in tables if isinstance(tables, list) else [tables]:
            if not isinstance(table, dict):
                raise CampaignError(f"{path}: {command} must be a table [{command}]")
            steps.append(_step(str(path), command, table, runs))
            if STEPS[command] == "model":
                runs.append(str(table.get("output", "")))
    if not steps:
        raise CampaignError(f"{path}: there is no step in it; known are {', '.join(f'[{name}]' for name in STEPS)}")
    return steps


def _step(path: str, command: str, table: Mapping[str, Any], runs: list[str]) -> Step:
    first = STEPS[command]
    known = options_of(command)
    words = [command]
    given = table.get(first, runs if first != "model" else None)
    if given is None or given == []:
        raise CampaignError(f"{path}: [{command}] needs {first} =")
    words += _first(path, command, first, given)
    for key, value in table.items():
        if key == first:
            continue
        name = f"--{key.replace('_', '-')}"
        if name not in known:
            raise CampaignError(f"{path}: [{command}] has no {key}{_near(name, list(known))}")
        words += list(_option(path, f"[{command}] {key}", name, known[name], value))
    return Step(command, words)


def _first(path: str, command: str, first: str, given: Any) -> list[str]:
    """The first argument: a model, a run, or several runs."""
    values = given if isinstance(given, list) else [given]
    if not all(isinstance(value, str) and value for value in values):
        raise CampaignError(f"{path}: [{command}] {first} must be a name, got {given!r}")
    if first == "run" and len(values) > 1:
        raise CampaignError(f"{path}: [{command}] needs {first} =, as there are several runs: {', '.join(values)}")
    return values


def _option(path: str, where: str, name: str, action: argparse.Action, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        value = ",".join(map(str, value))
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise CampaignError(f"{path}: {where} is true or false, got {value!r}")
        if value:
            yield name
    elif isinstance(value, (bool, dict)):
        raise CampaignError(f"{path}: {where} needs a value, got {value!r}")
    else:
        yield f"{name}={value}"


def options_of(command: str) -> dict[str, argparse.Action]:
    """The options of a command by their long name."""
    from fat_fpga.cli.main import build_parser

    (commands,) = (each for each in build_parser()._actions if isinstance(each, argparse._SubParsersAction))
    actions = commands.choices[command]._actions
    return {name: action for action in actions for name in action.option_strings
            if name.startswith("--") and name != "--help"}  # fmt: skip


def _near(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"; did you mean {near[0].removeprefix('--').replace('-', '_')}?" if near else ""


def schema() -> dict[str, Any]:
    """The JSON Schema of experiment files, for editors: ``fat_fpga/cli/experiment.schema.json``."""
    many = ["string", "number", "array"]
    properties: dict[str, Any] = {"format": {"const": FORMAT}}
    for command, first in STEPS.items():
        entries: dict[str, Any] = {first: {"type": ["string", "array"] if first == "runs" else "string"}}
        for name, action in options_of(command).items():
            entry: dict[str, Any] = {"type": "boolean" if action.nargs == 0 else many}
            if action.choices:
                entry = {"enum": list(action.choices)}
            entries[name[2:].replace("-", "_")] = entry
        required = ["model", "output"] if first == "model" else []
        table = {"type": "object", "additionalProperties": False, "properties": entries, "required": required}
        properties[command] = {"anyOf": [table, {"type": "array", "items": table}]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Experiment file of fat-fpga run",
        "type": "object",
        "additionalProperties": False,
        "required": ["format"],
        "properties": properties,
    }
