"""Reading JSON files of ours. Every value is asked for by its key and type, and an error names the file and the place.

Plans, foldings and descriptions of boards are read on boards, which have numpy and pynq alone: so these checks use no
package.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from fat_fpga.errors import FatFpgaError
from fat_fpga.files import read_file
from fat_fpga.one_line import CONTROL

LARGEST = 2**63
"""Integers are below it, and not below its negative: what a machine word holds."""
_NAMES = {str: "a string", int: "an integer", list: "a list", dict: "an object", bool: "true or false"}


def read_object(path: str | PathLike[str], what: str, error: type[FatFpgaError]) -> Entry:
    """The object that a JSON file holds.

    Args:
        what: the file should be, for messages: ``a plan file``.
        error: to raise where it is none.
    """
    path = Path(path)
    try:
        content = read_file(path)
    except OSError as problem:
        raise error(f"cannot read {path}, expected {what}: {problem.strerror or problem}") from problem
    return object_of(content, path, what, error)


def object_of(content: bytes | str, path: Path, what: str, error: type[FatFpgaError]) -> Entry:
    """The object in the text ``content`` of the file ``path``; see `read_object`."""
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        found = json.loads(text, object_pairs_hook=_unique)
    except RecursionError as problem:
        raise error(f"{path} is no {_bare(what)}: it is nested too deeply") from problem
    except ValueError as problem:  # of json, of decoding, and of numbers with thousands of digits
        raise error(f"{path} is no {_bare(what)}: no JSON ({problem})") from problem
    if not isinstance(found, dict):
        raise error(f"{path} is no {_bare(what)}: expected a JSON object, got {_shown(found)}")
    return Entry(path, "", found, error)


def _bare(what: str) -> str:
    return what.partition(" ")[2]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key '{next(key for key in keys if keys.count(key) > 1)}' is there twice in one object")
    return found


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list | dict):
        return f"{_NAMES[type(value)]} of {len(value)}"
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= 40 else f"{text[:40]}..."


@dataclass(frozen=True)
class Entry:
    """An object in the file, that knows where it stands.

    Attributes:
        path: of the file.
        place: of the object in it, with a point behind: ``units[3].``; empty for the whole.
        value: the object.
        error: to raise.
    """

    path: Path
    place: str
    value: dict[str, Any]
    error: type[FatFpgaError]

    def get(self, key: str, kind: type, least: int | None = None, most: int | None = None) -> Any:
        """The value under ``key``, which must be of the kind, and between two limits where they are given."""
        if key not in self.value:
            raise self.error(f"{self.path}: {self.place}{key} is missing")
        return self._checked(self.value[key], kind, f"{self.place}{key}", least, most)

    def number(self, key: str) -> float:
        """The finite number under ``key``."""
        found = self.value.get(key)
        if not isinstance(found, int | float) or isinstance(found, bool):
            raise self.error(f"{self.path}: {self.place}{key} must be a number, got {_shown(found)}")
        if not -LARGEST <= found < LARGEST or not math.isfinite(found):
            raise self.error(f"{self.path}: {self.place}{key} must be a number below 2^63, got {_shown(found)}")
        return float(found)

    def items(self, key: str, kind: type, least: int | None = None, most: int | None = None) -> tuple[Any, ...]:
        """The list under ``key``, whose entries must all be of the kind."""
        found = self.get(key, list)
        return tuple(self._checked(v, kind, f"{self.place}{key}[{i}]", least, most) for i, v in enumerate(found))

    def matrix(self, key: str, columns: int | None, least: int, most: int) -> list[list[int]]:
        """The list of lists of integers under ``key``, all of them ``columns`` long, or as long as the first."""
        rows = self.items(key, list)
        columns = len(rows[0]) if columns is None and rows else columns
        for i, row in enumerate(rows):
            if len(row) != columns:
                raise self.error(f"{self.path}: {self.place}{key}[{i}] must have {columns} entries, has {len(row)}")
            for j, value in enumerate(row):
                self._checked(value, int, f"{self.place}{key}[{i}][{j}]", least, most)
        return [list(row) for row in rows]

    def inner(self, key: str) -> Entry:
        """The object under ``key``."""
        return Entry(self.path, f"{self.place}{key}.", self.get(key, dict), self.error)

    def optional(self, key: str) -> Entry | None:
        """The object under ``key``; None where that is null or missing."""
        return None if self.value.get(key) is None else self.inner(key)

    def inners(self, key: str) -> list[Entry]:
        """The objects of the list under ``key``."""
        found = self.items(key, dict)
        return [Entry(self.path, f"{self.place}{key}[{i}].", entry, self.error) for i, entry in enumerate(found)]

    def one_of(self, key: str, known: Iterable[str]) -> str:
        """The string under ``key``, which must be one of ``known``."""
        found: str = self.get(key, str)
        if found not in (known := tuple(known)):
            raise self.error(f"{self.path}: {self.place}{key} must be one of {', '.join(known)}, got {_shown(found)}")
        return found

    def _checked(self, found: Any, kind: Any, place: str, least: int | None, most: int | None) -> Any:
        if not isinstance(found, kind) or isinstance(found, bool) is not (kind is bool):
            raise self.error(f"{self.path}: {place} must be {_NAMES[kind]}, got {_shown(found)}")
        if kind is str and CONTROL.search(found):
            raise self.error(f"{self.path}: {place} must be text without control characters, got {_shown(found)}")
        if kind is int:
            low, high = -LARGEST if least is None else least, LARGEST - 1 if most is None else most
            if not low <= found <= high:
                raise self.error(f"{self.path}: {place} must be from {low} to {high}, got {_shown(found)}")
        return found
