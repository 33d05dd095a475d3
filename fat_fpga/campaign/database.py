"""Opening run files, and telling them from everything else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fat_fpga.campaign import schema
from fat_fpga.errors import CampaignError


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a CampaignError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        if "disk is full" in str(error):
            raise CampaignError(
                f"the disk with {path} is full: nothing that was saved is lost. Make room, and "
                "the same command continues"
            ) from error
        raise CampaignError(f"cannot use the run file {path}: {error}") from error


def connect(path: Path) -> sqlite3.Connection:
    """A connection to an existing run file.

    Raises:
        CampaignError: there is no such file, it is no run file, or one of another format version.
    """
    if not path.is_file():
        raise CampaignError(f"no run file at {path}: fat-fpga campaign MODEL --data DATA -o {path} makes one")
    with readable_errors(path):
        # Read-write even for readers: after a crash the first to come rolls the open transaction back.
        connection = sqlite3.connect(path.resolve().as_uri() + "?mode=rw", uri=True, isolation_level=None, timeout=30)
    try:
        try:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise CampaignError(f"{path} is not a run file of fat-fpga campaign ({error})") from error
        if application != schema.APPLICATION_ID:
            raise CampaignError(f"{path} is not a run file of fat-fpga campaign")
        if version != schema.VERSION:
            raise CampaignError(
                f"{path} has run format {version}, this version of fat-fpga reads format {schema.VERSION}: "
                "use the version that wrote it, or start a new run"
            )
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All of the block's writes, or none."""
    with readable_errors(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if connection.in_transaction:  # a full disk ends it by itself
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
