"""The tables of a run file.

One SQLite file is one campaign. ``fault`` holds the whole list from the start; ``correct``, ``changed`` and ``chunk``
are NULL until the fault is done, and are never written twice. ``chunk`` has a digest over the results of each
transaction (`fat_fpga.campaign.digest`), ``member`` the single faults of sets.

A file holds exactly the tables of its version, to the letter. What comes later is a table of ``OPTIONAL`` where files
without it stay as they are, or else a new version.
"""

from __future__ import annotations

import sqlite3
from functools import cache

APPLICATION_ID = 0x46415446
"""Marks the file as one of ours ("FATF")."""

VERSION = 3
"""Of the tables that are written; kept in ``PRAGMA user_version``."""

_META = "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID"
_LAYER = """CREATE TABLE layer (
    position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL, node TEXT NOT NULL,
    channels INTEGER NOT NULL, height INTEGER NOT NULL, width INTEGER NOT NULL, levels TEXT NOT NULL,
    weight_type TEXT NOT NULL, weights INTEGER NOT NULL, macs INTEGER NOT NULL
)"""
_IMAGE = "CREATE TABLE image (position INTEGER PRIMARY KEY, label INTEGER NOT NULL, predicted INTEGER NOT NULL)"
_ADDRESS = """channel INTEGER, row INTEGER, "column" INTEGER, input_channel INTEGER, threshold INTEGER,
    pe INTEGER, "of" INTEGER, bit INTEGER, flip INTEGER, value INTEGER, frame INTEGER"""

TABLES = {
    2: (
        _META,
        _LAYER,
        _IMAGE,
        """CREATE TABLE fault (
    position INTEGER PRIMARY KEY, fault TEXT NOT NULL UNIQUE,
    layer TEXT NOT NULL, kind TEXT NOT NULL, "index" TEXT NOT NULL, effect TEXT NOT NULL,
    correct INTEGER, changed INTEGER
)""",
        """CREATE TABLE session (
    id INTEGER PRIMARY KEY, started TEXT NOT NULL, engine TEXT NOT NULL, version TEXT NOT NULL,
    faults INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0
)""",
    ),
    3: (
        _META,
        _LAYER,
        _IMAGE,
        f"""CREATE TABLE fault (
    position INTEGER PRIMARY KEY, fault TEXT NOT NULL, layer TEXT NOT NULL, kind TEXT NOT NULL,
    {_ADDRESS},
    correct INTEGER, changed INTEGER, chunk INTEGER
)""",
        f"""CREATE TABLE member (
    position INTEGER NOT NULL, number INTEGER NOT NULL, layer TEXT NOT NULL, kind TEXT NOT NULL,
    {_ADDRESS},
    PRIMARY KEY (position, number)
) WITHOUT ROWID""",
        "CREATE TABLE chunk (id INTEGER PRIMARY KEY, faults INTEGER NOT NULL, digest TEXT NOT NULL)",
        """CREATE TABLE session (
    id INTEGER PRIMARY KEY, started TEXT NOT NULL, engine TEXT NOT NULL, version TEXT NOT NULL,
    host TEXT NOT NULL, process INTEGER NOT NULL,
    faults INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0
)""",
    ),
}
"""The statements that make the tables of each version that can be read."""

COUNT = """CREATE TABLE count (
    position INTEGER NOT NULL, name TEXT NOT NULL, images INTEGER NOT NULL, PRIMARY KEY (position, name)
) WITHOUT ROWID"""
"""What a campaign counts of a fault beside right and changed classes, where it was asked to."""
DEVIATION = "CREATE TABLE deviation (position INTEGER PRIMARY KEY, total INTEGER NOT NULL, largest INTEGER NOT NULL)"
"""Where the outputs are no classes: a row for each finished fault; in units, over all values of all images."""
PREDICTION = "CREATE TABLE prediction (position INTEGER PRIMARY KEY, classes BLOB NOT NULL)"
"""Where predictions are kept: a row for each finished fault, see `fat_fpga.campaign.predictions`."""
OPTIONAL: dict[int, tuple[str, ...]] = {2: (), 3: (COUNT, DEVIATION, PREDICTION)}
"""Tables that a file of a version may have, too."""

MASTER = "SELECT type, name, tbl_name, sql FROM sqlite_master LIMIT 100"


@cache
def objects(version: int) -> tuple[frozenset[tuple[str, ...]], frozenset[tuple[str, ...]]]:
    """What ``sqlite_master`` must, and what it may hold, as SQLite itself writes it."""
    return _made(TABLES[version]), _made(TABLES[version] + OPTIONAL[version])


def _made(statements: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    connection = sqlite3.connect(":memory:")
    try:
        for statement in statements:
            connection.execute(statement)
        return frozenset(connection.execute(MASTER))
    finally:
        connection.close()
