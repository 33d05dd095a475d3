"""Opening run files, and telling them from everything else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from fat_fpga.campaign import schema
from fat_fpga.errors import CampaignError

STEPS = 1_000_000
"""Of SQLite's machine between two looks at how many there were."""
FREE_STEPS, STEPS_PER_BYTE = 100_000_000, 100
"""No reading of an intact file takes more steps than these together."""

LONGEST = 300
"""Characters of a message on what is wrong, which may quote the file."""


def damaged(path: Path, what: str) -> NoReturn:
    """CampaignError for a run file that is not as a campaign left it."""
    short = what if len(what) <= LONGEST else what[:LONGEST] + " ..."
    clean = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in short)
    raise CampaignError(f"{path} is damaged or was altered: {clean}. Restore it from a copy, or start a new run")


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a CampaignError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        reason = str(error)
        if reason == "interrupted":
            damaged(path, "reading it does not come to an end")
        full = {"database or disk is full": "is full", "disk I/O error": "is full, at a limit, or fails"}.get(reason)
        if full:
            raise CampaignError(
                f"the disk with {path} {full}: nothing that was saved is lost. "
                "Make room, and the same command continues"
            ) from error
        raise CampaignError(f"cannot use the run file {path}: {reason}") from error
    except UnicodeDecodeError as error:
        damaged(path, f"a text in it is no UTF-8 ({error.reason})")


def connect(path: Path) -> tuple[sqlite3.Connection, int]:
    """A connection to an existing run file, which has the tables of a version that can be read, and that version.

    Raises:
        CampaignError: there is no such file, it is no run file, of an unknown version, or has other tables.
    """
    if not path.is_file():
        raise CampaignError(f"no run file at {path}: fat-fpga campaign MODEL --data DATA -o {path} makes one")
    with readable_errors(path):
        # Read-write even for readers: after a crash the first to come rolls the open transaction back.
        connection = sqlite3.connect(path.resolve().as_uri() + "?mode=rw", uri=True, isolation_level=None, timeout=30)
    try:
        _limit(connection, path)
        try:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise CampaignError(f"{path} is not a run file of fat-fpga campaign ({error})") from error
        if application != schema.APPLICATION_ID:
            raise CampaignError(f"{path} is not a run file of fat-fpga campaign")
        if version not in schema.TABLES:
            known = " and ".join(map(str, schema.TABLES))
            raise CampaignError(
                f"{path} has run format {version}, this version of fat-fpga reads formats {known}: "
                "use the version that wrote it, or start a new run"
            )
        _check_tables(connection, path, version)
    except BaseException:
        connection.close()
        raise
    return connection, version


def _limit(connection: sqlite3.Connection, path: Path) -> None:
    """Nothing in the file is run as a program, and no reading of it goes on for ever."""
    left = FREE_STEPS + STEPS_PER_BYTE * path.stat().st_size

    def step() -> bool:
        nonlocal left
        left -= STEPS
        return left < 0

    connection.execute("PRAGMA trusted_schema = OFF")
    connection.set_progress_handler(step, STEPS)


def _check_tables(connection: sqlite3.Connection, path: Path, version: int) -> None:
    with readable_errors(path):
        found = set(connection.execute(schema.MASTER))
    must, may = schema.objects(version)
    for type_, name, table, _ in sorted(found - may, key=repr):
        if (type_, name, table) in {known[:3] for known in may}:
            damaged(path, f"its {type_} {name} is not the one of run format {version}")
        damaged(path, f"it holds a {type_} '{name}' that is none of run format {version}")
    for type_, name, *_ in sorted(must - found, key=repr):
        damaged(path, f"it has no {type_} {name}")


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All of the block's writes, or none."""
    with readable_errors(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk ends it by itself
                connection.execute("ROLLBACK")
            raise
