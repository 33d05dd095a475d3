"""Run files that somebody altered: told in one line, or harmless; never other counts, a traceback, or no end."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.cli.main import main
from fat_fpga.errors import CampaignError
from fat_fpga.faults import fault_space, parse_fault

from .tiny import FOLDING, Watched, tiny_data, tiny_network

VALUES = (
    "NULL", "-1", "0", "1", "7", "1000000000000000000", "3.5", "9e999", "''", "'17'", "'conv9'", "'-1,+1'", "x'00ff'",
    "zeroblob(3000000)", "{column} + 1", "-{column}", "{column} || 'x'", "char(0)", "'a' || char(10) || 'b'",
)  # fmt: skip
TABLES = ("meta", "layer", "image", "fault", "member", "chunk", "session", "count")
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT {columns} FROM n"
Alter = Callable[[Path, random.Random], None]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with faults of every kind and sets."""
    path, network = tmp_path_factory.mktemp("whole") / "a.run", tiny_network()
    texts = ["conv0/channel[1] = -1 & conv1/weight[0,1,1,0].bit[0] ^ 1", "*/pe[1 of 2] = +1"]
    faults = [parse_fault(text) for text in texts]
    for kind in ("channel", "pixel", "element", "pe", "weight", "threshold", "accumulator", "activation"):
        faults += fault_space(network, kind, pes=FOLDING, frames=12).sample(5, seed=1)
    run_campaign(
        network, tiny_data(12), list(dict.fromkeys(faults)), path, "reference", chunk=10, counting=("outcomes",)
    )
    return path


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unfinished run."""
    path, network = tmp_path_factory.mktemp("part") / "a.run", tiny_network()
    faults = fault_space(network, "weight").sample(40)
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, tiny_data(12), faults, path, Watched(3), chunk=7, counting=("outcomes", "errors"))
    return path


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def _columns(path: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _where(path: Path, table: str, rng: random.Random) -> str:
    key = _columns(path, table)[0]
    return f'"{key}" = (SELECT "{key}" FROM {table} ORDER BY "{key}" LIMIT 1 OFFSET {rng.randrange(30)})'


def update(path: Path, rng: random.Random) -> None:
    table = rng.choice((*TABLES, "fault", "meta"))
    column = f'"{rng.choice(_columns(path, table))}"'
    value = rng.choice(VALUES).replace("{column}", column)
    where = _where(path, table, rng) if rng.random() < 0.8 else "1"
    sql(path, f"UPDATE {table} SET {column} = {value} WHERE {where}")


def swap_counts(path: Path, rng: random.Random) -> None:
    by = rng.choice((1, -1, 2, 1024))
    sql(
        path,
        f"UPDATE fault SET {rng.choice(('correct', 'changed'))} = correct + {by} WHERE {_where(path, 'fault', rng)}",
    )


def delete(path: Path, rng: random.Random) -> None:
    table = rng.choice(TABLES)
    sql(path, f"DELETE FROM {table} WHERE {_where(path, table, rng) if rng.random() < 0.7 else '1'}")


def insert(path: Path, rng: random.Random) -> None:
    table = rng.choice(TABLES)
    names = _columns(path, table)
    values = ", ".join(rng.choice(VALUES).replace("{column}", "5") for _ in names)
    sql(path, f"INSERT INTO {table} VALUES ({values})")


def forget(path: Path, rng: random.Random) -> None:
    """A chunk as if it had never been, but for those who worked on it."""
    chunk = rng.randrange(1, 4)
    sql(
        path,
        f"UPDATE fault SET correct = NULL, changed = NULL, chunk = NULL WHERE chunk = {chunk}",
        f"DELETE FROM chunk WHERE id = {chunk}",
    )


def schema(path: Path, rng: random.Random) -> None:
    table = rng.choice(TABLES)
    names = _columns(path, table)
    numbered = ", ".join(f'x AS "{name}"' for name in names)
    statements = rng.choice(
        [
            [f"DROP TABLE {table}"],
            [f"ALTER TABLE {table} RENAME TO other"],
            [f"ALTER TABLE {table} ADD COLUMN extra INTEGER DEFAULT 3"],
            [f'ALTER TABLE {table} RENAME COLUMN "{names[-1]}" TO other'],
            [f"DROP TABLE {table}", f"CREATE VIEW {table} AS {ENDLESS.format(columns=numbered)}"],
            [f"ALTER TABLE {table} RENAME TO t", f"CREATE VIEW {table} AS SELECT * FROM t UNION ALL SELECT * FROM t"],
            [f"CREATE TRIGGER other AFTER UPDATE ON {table} BEGIN DELETE FROM fault; END"],
            [f'CREATE INDEX other ON {table} ("{names[0]}")'],
            ["CREATE TABLE other (x)"],
            [f"CREATE VIEW other AS {ENDLESS.format(columns='x')}"],
            [f"CREATE TABLE t AS SELECT * FROM {table}", f"DROP TABLE {table}", f"ALTER TABLE t RENAME TO {table}"],
            ["ANALYZE"],
            [f"UPDATE sqlite_master SET sql = replace(sql, 'INTEGER', 'TEXT') WHERE name = '{table}'"],
            [f"UPDATE sqlite_master SET rootpage = {rng.randrange(40)} WHERE name = '{table}'"],
            [f"UPDATE sqlite_master SET sql = {rng.choice(VALUES[:14])} WHERE name = '{table}'"],
            [f"PRAGMA user_version = {rng.choice((0, 1, 2, 4, -1, 99))}"],
            [f"PRAGMA application_id = {rng.randrange(9)}"],
            ["PRAGMA journal_mode = WAL"],
        ]
    )  # fmt: skip
    sql(path, *statements)


def flip_bits(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 1, 1, 3, 50))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def spoil_pages(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    pages = len(content) // 4096
    a, b = (4096 * rng.randrange(pages) for _ in range(2))
    kind = rng.randrange(4)
    if kind == 0:
        content[a : a + 4096] = content[b : b + 4096]
    elif kind == 1:
        content[a : a + 4096] = bytes(4096)
    elif kind == 2:
        del content[a + rng.randrange(4096) :]
    else:
        content[a : a + 12] = rng.randbytes(12)
    path.write_bytes(content)


ALTERATIONS: dict[Alter, int] = {
    update: 80, swap_counts: 15, delete: 20, insert: 20, forget: 4, schema: 60, flip_bits: 40, spoil_pages: 20,
}  # fmt: skip


@pytest.fixture
def in_time() -> Iterator[None]:
    """No single look at a file takes longer than this; Python is asked in between by SQLite."""

    def late(*_: object) -> None:
        raise TimeoutError("no answer in a minute")

    before = signal.signal(signal.SIGALRM, late)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("seed", [0])
@pytest.mark.parametrize("which", ["whole", "part"])
@pytest.mark.usefixtures("in_time")
def test_altered_files_are_refused_in_one_line_or_harmless(
    seed: int, which: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    source: Path = request.getfixturevalue(which)
    original, rng, path = Run.open(source), random.Random(f"{seed} {which}"), tmp_path / "a.run"
    refused = harmless = 0
    for alter, times in ALTERATIONS.items():
        for _ in range(times):
            shutil.copy(source, path)
            try:
                alter(path, rng)
            except sqlite3.Error:
                continue  # SQLite itself would not have it
            signal.alarm(60)
            code = main(["report", str(path)])
            signal.alarm(0)
            told = capsys.readouterr()
            if code == 0:
                found = Run.open(path)
                assert found.results == original.results, alter
                assert (found.identity, found.layers, found.error_free, found.asked) == (
                    original.identity, original.layers, original.error_free, original.asked,
                )  # fmt: skip
                harmless += 1
            else:
                assert (code, told.err.count("\n"), told.out) == (2, 1, ""), told
                assert str(path) in told.err
                assert len(told.err) < 600
                refused += 1
    assert refused > 100
    assert harmless > 10


def test_every_count_is_held_by_its_digest(whole: Path, tmp_path: Path) -> None:
    path, run = tmp_path / "a.run", Run.open(whole)
    for position in range(run.asked):
        shutil.copy(whole, path)
        sql(path, f"UPDATE fault SET changed = 12 - (changed = 12) WHERE position = {position}")
        with pytest.raises(CampaignError, match=r"the results of chunk .* are not those|counts that cannot be"):
            Run.open(path)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM fault WHERE position = 3", r"\d+ faults were asked for, table fault has \d+"),
        ("UPDATE fault SET layer = 'conv9' WHERE position = 3", "typed columns .* are not what their digest"),
        ("UPDATE fault SET fault = 'conv9/channel[0] = +1' WHERE position = 3", "its list of faults is not the one"),
        ("UPDATE fault SET correct = 'many' WHERE position = 3", "a value of another type"),
        ("UPDATE fault SET correct = NULL WHERE position = 3", "a value of another type"),
        ("UPDATE meta SET value = 11 WHERE key = 'error_free'", "is said to be right on 11 images"),
        ("UPDATE meta SET value = 'x' WHERE key = 'asked'", "entry 'asked' of meta is 'x', expected int"),
        ("DELETE FROM meta WHERE key = 'kinds'", "meta has no entry 'kinds'"),
        ("UPDATE layer SET macs = macs + 1 WHERE position = 0", "what it says of network, data or fault list"),
        ("UPDATE image SET label = (label + 1) % 4 WHERE position = 0", "on .* images, and table image differs|digest"),
        ("UPDATE chunk SET digest = '' WHERE id = 2", "the results of chunk 2 are not those"),
        ("DELETE FROM chunk WHERE id = 2", "its results are not those of its 4 chunks"),
        ("UPDATE member SET channel = 2 WHERE number = 0", "is not the set of its members"),
        ("DELETE FROM member", "a set holds each fault once|is not the set of its members"),
        ("DELETE FROM session", "were done by those who worked on it"),
        ("CREATE TABLE other (x)", "it holds a table 'other' that is none of run format 3"),
        ("DROP TABLE image", "it has no table image"),
        ("ALTER TABLE image ADD COLUMN x", "its table image is not the one of run format 3"),
        ("CREATE TRIGGER t AFTER UPDATE ON fault BEGIN DELETE FROM fault; END", "it holds a trigger 't'"),
    ],
)
def test_what_is_wrong_is_named(whole: Path, tmp_path: Path, statement: str, words: str) -> None:
    path = tmp_path / "a.run"
    shutil.copy(whole, path)
    sql(path, statement)
    with pytest.raises(CampaignError, match=words):
        Run.open(path)
    before = path.read_bytes()
    with pytest.raises(CampaignError, match=words):
        run_campaign(tiny_network(), tiny_data(12), fault_space(tiny_network()), path, "reference")
    assert path.read_bytes() == before
