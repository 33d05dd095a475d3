"""Run files: damaged bytes, and what SQL can change in a database that stays one."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.fuzz.damage import damaged
from tests.fuzz.target import Rng, Target, pick
from tests.fuzz.targets import json_files

VALUES = (
    "NULL", "''", "0", "-1", "1", "9223372036854775807", "1e300", "'text'", "x'00ff'", "zeroblob(300)", "'{}'", "'[]'",
    "printf('%.*c', 20000, 'x')", "char(27)||'[2J'", "'nan'", "9e999", "'conv0/channel[0] = 1'", "randomblob(40)",
)  # fmt: skip


def _spoil(rng: Rng, good: Path, folder: Path) -> list[str]:
    path = folder / "a.run"
    source = good / str(pick(rng, "tiny.run", "channels.run"))
    if rng.random() < 0.25:
        path.write_bytes(damaged(source.read_bytes(), rng))
    else:
        shutil.copy(source, path)
        with closing(sqlite3.connect(path)) as database:
            for _ in range(int(rng.integers(1, 3))):
                try:
                    database.execute(_statement(rng, database))
                    database.commit()
                except sqlite3.Error:
                    continue
    what = int(rng.integers(6))
    if what == 0:
        return ["report", "a.run", "--csv", "a.csv", "--json", "a.json"]
    if what == 1:
        return ["compare", "a.run", str(good / "channels.run"), "--allow-different-data"]
    if what == 2:
        return ["plan", "a.run", "--budget", "1.5x", "--cost", "macs", "-o", "p.json", "-q"]
    if what == 3:
        return ["verify", str(good / "plan.json"), "a.run"]
    if what == 4:
        model, data = str(good / "tiny.onnx"), f"npz:{good / 'tiny.npz'}"
        return ["campaign", model, "--data", data, "--engine", "reference", "-o", "a.run", "-q"]
    return ["report", "a.run"]


def _statement(rng: Rng, database: sqlite3.Connection) -> str:
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    table = str(pick(rng, *tables))
    columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
    column, value, what = str(pick(rng, *columns)), str(pick(rng, *VALUES)), rng.random()
    rowid = f'(SELECT rowid FROM "{table}" ORDER BY rowid LIMIT 1 OFFSET {int(rng.integers(0, 10))})'
    if what < 0.5:
        return f'UPDATE "{table}" SET "{column}" = {value} WHERE rowid = {rowid}'
    if what < 0.6:
        return f'UPDATE "{table}" SET "{column}" = {value}'
    if what < 0.75:
        return f'DELETE FROM "{table}" WHERE rowid >= {rowid}'
    if what < 0.8:
        return f'DROP TABLE "{table}"'
    if what < 0.85:
        return f'ALTER TABLE "{table}" RENAME COLUMN "{column}" TO "other"'
    if what < 0.9:
        return "CREATE TABLE foreign_table (a)"
    return f"PRAGMA {pick(rng, 'user_version = 99', 'application_id = 1', 'user_version = -1')}"


TARGET = Target("run_files", 4, json_files._prepare, _spoil)
