"""Reading a whole run file, with the one validation that everything goes through that opens one.

A file of version 3 is accepted only if every text form, typed column, count and entry is what a campaign wrote: the
fault list, its typed columns and the header are held against their digests, counts against the digest of their chunk.
Version 2 has no digest of counts; its counts are held against each other.
"""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign import version2, version3
from fat_fpga.campaign.count_rows import Counted, read_counts
from fat_fpga.campaign.database import connect, damaged, readable_errors
from fat_fpga.campaign.deviations import read_deviations
from fat_fpga.campaign.digest import fault_list_digest
from fat_fpga.campaign.fault_rows import check_counts, check_places
from fat_fpga.campaign.header import Header, read_header
from fat_fpga.campaign.predictions import DIGEST, Predictions, read_digests
from fat_fpga.campaign.result import Result

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Content:
    """What a run file holds.

    Attributes:
        version: of the file's format.
        header: all but the faults.
        results: the finished faults, by position.
        positions: of the results in the ordered fault list, int64 [F], ascending.
        correct, changed: of the results, int64 [F].
        pending: positions of the faults without a result, int64, ascending.
        counts: what else was counted of the results, int64 [F] by name.
        texts: text forms of all faults of the list.
        predictions: the kept ones, where there are any.
    """

    version: int
    header: Header
    results: tuple[Result, ...]
    positions: Ints
    correct: Ints
    changed: Ints
    pending: Ints
    counts: dict[str, Ints]
    texts: list[str]
    predictions: Predictions | None = None


def read(path: Path) -> Content:
    """Read a run file, finished or not, also while a campaign writes it.

    Raises:
        CampaignError: there is none, it is none, or it is not as a campaign left it; in one line, saying what.
    """
    connection, version = connect(path)
    try:
        with readable_errors(path):
            connection.execute("BEGIN")
            return read_from(connection, path, version)
    finally:
        connection.close()


def read_from(connection: sqlite3.Connection, path: Path, version: int) -> Content:
    """The same from an open file, in one transaction."""
    header = read_header(connection, path, version)
    asked = header.identity.asked
    _check_positions(connection, path, asked)
    with _without_collection():
        read_faults = version2.read_faults if version == 2 else version3.read_faults
        rows = read_faults(connection, path, header)
    if fault_list_digest(rows.texts) != header.identity.fault_list:
        damaged(path, "its list of faults is not the one that its hash was made of")
    check_counts(rows, header)
    check_places(rows, header)
    results, (done, correct, changed, chunks) = rows.results, rows.arrays
    counts = read_counts(connection, path, header, done) if header.identity.counting else {}
    moved: dict[str, Ints] = {}
    kept = None
    if header.outputs is not None:
        moved = dict(zip(("total", "largest"), read_deviations(connection, path, done), strict=True))
        for result, total, largest in zip(results, *(column.tolist() for column in moved.values()), strict=True):
            result.total, result.largest = total, largest
    if header.classes is not None:
        kept = Predictions(header.classes, header.identity.images, done, path)
        moved[DIGEST] = read_digests(connection, path, header.classes, header.identity.images, done)
    if version > 2:
        _check_chunks(connection, path, chunks, Counted(done, correct, changed, {**counts, **moved}))
    worked = sum(session.faults for session in header.sessions)
    if worked != len(results):
        damaged(path, f"{len(results):,} faults have a result, {worked:,} were done by those who worked on it")
    if header.finished is not None and len(results) < asked:
        damaged(path, f"it is marked finished, and {asked - len(results):,} faults have no result")
    pending = np.setdiff1d(np.arange(asked), done, assume_unique=True)
    return Content(version, header, tuple(results), done, correct, changed, pending, counts, rows.texts, kept)


def _check_positions(connection: sqlite3.Connection, path: Path, asked: int) -> None:
    count, first, last = connection.execute("SELECT count(*), min(position), max(position) FROM fault").fetchone()
    if not asked or (count, first, last) != (asked, 0, asked - 1):
        damaged(path, f"{asked:,} faults were asked for, table fault has {count:,} (positions {first} to {last})")


def _check_chunks(connection: sqlite3.Connection, path: Path, chunks: Ints, found: Counted) -> None:
    """Each chunk's results are those that its digest was made of."""
    rows = connection.execute("SELECT id, faults, digest FROM chunk ORDER BY id").fetchall()
    order = np.argsort(chunks, kind="stable")
    ends = np.searchsorted(chunks[order], np.arange(1, len(rows) + 2))
    if [row[0] for row in rows] != list(range(1, len(rows) + 1)) or ends[0] != 0 or ends[-1] != len(order):
        damaged(path, f"its results are not those of its {len(rows):,} chunks")
    for number, faults, digest in rows:
        own = order[ends[number - 1] : ends[number]]
        if len(own) != faults or found.digest(own) != digest:
            damaged(path, f"the results of chunk {number} are not those that its digest was made of")


@contextmanager
def _without_collection() -> Iterator[None]:
    """Millions of records are made, none in a circle; looking for circles among them takes longer than making them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
