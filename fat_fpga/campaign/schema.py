"""The tables of a run file.

One SQLite file is one campaign. ``fault`` holds the whole list from the start; ``correct`` and ``changed`` are
NULL until the fault is done, and are never written twice.
"""

APPLICATION_ID = 0x46415446
"""Marks the file as one of ours ("FATF")."""

VERSION = 2
"""Of the tables below; kept in ``PRAGMA user_version``."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE layer (
    position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL, node TEXT NOT NULL,
    channels INTEGER NOT NULL, height INTEGER NOT NULL, width INTEGER NOT NULL, levels TEXT NOT NULL,
    weight_type TEXT NOT NULL, weights INTEGER NOT NULL, macs INTEGER NOT NULL
);
CREATE TABLE image (position INTEGER PRIMARY KEY, label INTEGER NOT NULL, predicted INTEGER NOT NULL);
CREATE TABLE fault (
    position INTEGER PRIMARY KEY, fault TEXT NOT NULL UNIQUE,
    layer TEXT NOT NULL, kind TEXT NOT NULL, "index" TEXT NOT NULL, effect TEXT NOT NULL,
    correct INTEGER, changed INTEGER
);
CREATE TABLE session (
    id INTEGER PRIMARY KEY, started TEXT NOT NULL, engine TEXT NOT NULL, version TEXT NOT NULL,
    faults INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0
);
"""
