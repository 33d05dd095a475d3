"""Faults of run files of version 3, which have typed columns, members of sets, and chunks with digests."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from fat_fpga.campaign.columns import COLUMNS, fault_of
from fat_fpga.campaign.database import damaged
from fat_fpga.campaign.digest import COLUMNS_DIGEST, ColumnsDigest
from fat_fpga.campaign.fault_rows import BATCH, FaultRows
from fat_fpga.campaign.header import Header
from fat_fpga.campaign.origin import PATTERNS
from fat_fpga.campaign.selection import kind_of
from fat_fpga.errors import CampaignError, FaultError
from fat_fpga.faults import Fault, Pattern, parse_fault
from fat_fpga.faults.fault import FaultSet


def read_faults(connection: sqlite3.Connection, path: Path, header: Header) -> FaultRows:
    """All rows; CampaignError where a typed column is not what the campaign wrote."""
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    cursor = connection.execute(
        f"SELECT fault, layer, kind, {names}, correct, changed, chunk FROM fault ORDER BY position LIMIT ?",
        (header.identity.asked,),
    )
    rows, digest = FaultRows(path), ColumnsDigest()
    try:
        while batch := cursor.fetchmany(BATCH):
            columns = list(zip(*batch, strict=True))
            digest.add(columns[1], columns[2], columns[3:-3])
            rows.add(columns[:3], columns[-3:], columns[3:-3])
    except (TypeError, OverflowError) as error:
        damaged(path, f"table fault holds a value of another type ({error})")
    stored = connection.execute("SELECT value FROM meta WHERE key = ?", (COLUMNS_DIGEST,)).fetchone()
    if stored != (digest.hexdigest(),):
        damaged(path, "typed columns of table fault are not what their digest was made of")
    members = _members(connection, path)
    _check_sets(connection, path, members)
    for position, result in zip(rows.numbers[0], rows.results, strict=True):
        if result.value is None and not result.kind.startswith(PATTERNS):
            result.members = members[position]
    return rows


def _members(connection: sqlite3.Connection, path: Path) -> dict[int, tuple[Fault, ...]]:
    """The single faults of each set."""
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    found: dict[int, list[Fault]] = {}
    query = f"SELECT position, number, layer, kind, {names} FROM member ORDER BY position, number"
    for position, number, layer, kind, *columns in connection.execute(query):
        own = found.setdefault(position, [])
        if number != len(own) or not isinstance(layer, str) or not isinstance(kind, str):
            damaged(path, f"table member is wrong at fault {position}, number {number!r:.20}")
        if not all(value is None or type(value) is int for value in columns):
            damaged(path, f"table member is wrong at fault {position}, number {number!r:.20}")
        try:
            own.append(fault_of(layer, kind, tuple(columns)))
        except FaultError as error:  # of a package that is not installed here, or altered
            raise CampaignError(f"{path}: {error}") from error
    return {position: tuple(own) for position, own in found.items()}


def _check_pattern(path: Path, position: int, text: str, layer: str, kind: str) -> None:
    """A pattern is what its columns say."""
    try:
        found = parse_fault(text)
    except FaultError as error:
        damaged(path, f"fault {position}: {error}")
    if not isinstance(found, Pattern) or (str(found), found.layer, kind_of(found)) != (text, layer, kind):
        damaged(path, f"fault {position}, {text!r:.80}, is not what its columns say")


def _check_sets(connection: sqlite3.Connection, path: Path, members: Mapping[int, tuple[Fault, ...]]) -> None:
    """Each set is what its members say, and nothing else has members."""
    seen = 0
    for position, text, layer, kind in connection.execute(
        "SELECT position, fault, layer, kind FROM fault WHERE value IS NULL"
    ):
        if isinstance(kind, str) and kind.startswith(PATTERNS):
            _check_pattern(path, position, text, layer, kind)
            continue
        try:
            own = FaultSet(members.get(position, ()))
        except FaultError as error:
            damaged(path, str(error))
        if (str(own), own.layer, kind_of(own)) != (text, layer, kind):
            damaged(path, f"fault {position}, {text!r:.80}, is not the set of its members")
        seen += 1
    if seen != len(members):
        damaged(path, "table member holds faults that are in no set")
