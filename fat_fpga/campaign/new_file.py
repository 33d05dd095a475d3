"""Making a run file: complete with identity, fault list and fault-free predictions, and without results."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga import __version__
from fat_fpga.campaign import schema
from fat_fpga.campaign.columns import columns_of
from fat_fpga.campaign.content import Content
from fat_fpga.campaign.deviations import Worth
from fat_fpga.campaign.digest import COLUMNS_DIGEST, HEADER, ColumnsDigest, chunk_digest, header_digest
from fat_fpga.campaign.header import EXPERIMENT
from fat_fpga.campaign.identity import Identity
from fat_fpga.campaign.layer_table import LayerRow
from fat_fpga.campaign.origin import Origin
from fat_fpga.campaign.predictions import CLASSES, DIGEST, INSERT_PREDICTION, digests
from fat_fpga.campaign.selection import kind_of
from fat_fpga.engines.counts import Counts
from fat_fpga.engines.criteria import TOP5
from fat_fpga.faults import AnyFault, FaultSet
from fat_fpga.plugins import used

SESSION = "INSERT INTO session (started, engine, version, host, process) VALUES (?, ?, ?, ?, ?)"


def now() -> str:
    """The time, UTC, ISO 8601 to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def worker(engine: str) -> tuple[str, str, str, str, int]:
    """The row of table ``session`` for this process; to the version belong those of the packages that it has loaded."""
    return now(), engine, ", ".join([__version__, *used()]), socket.gethostname(), os.getpid()


@dataclass(frozen=True, eq=False)
class Sheet:
    """What a new run file holds.

    Attributes:
        identity: of the campaign.
        origin: how the fault list came about.
        layers: the network.
        faults: the ordered list that ``identity`` was made of.
        labels: [N].
        golden: predicted classes of the fault-free network, [N].
        outputs: what the network's outputs are, where they are no classes.
        classes: of the network, where predictions are kept.
        top5: images whose label is among the five highest scores of the fault-free network, where that is counted.
        experiment: text of the experiment file that the campaign is of.
    """

    identity: Identity
    origin: Origin
    layers: Sequence[LayerRow]
    faults: Sequence[AnyFault]
    labels: npt.NDArray[np.int64]
    golden: npt.NDArray[np.int32]
    outputs: Worth | None = None
    classes: int | None = None
    top5: int | None = None
    experiment: str | None = None


def write(path: Path, sheet: Sheet, engine: str, old: Content | None = None) -> None:
    """Write a new file at ``path``, which is nobody else's yet.

    Args:
        engine: what this process is going to work with; noted as the last session.
        old: results and sessions of another file of the same campaign, which are taken over.

    Raises:
        sqlite3.Error: it cannot be written.
    """
    images = [(int(label), int(golden)) for label, golden in zip(sheet.labels, sheet.golden, strict=True)]
    meta: dict[str, Any] = {
        **asdict(sheet.identity),
        **sheet.origin.entries(),
        **(sheet.outputs.entries() if sheet.outputs else {}),
        **({CLASSES: sheet.classes} if sheet.classes is not None else {}),
        **({EXPERIMENT: sheet.experiment} if sheet.experiment is not None else {}),
        **({TOP5: sheet.top5} if sheet.top5 is not None else {}),
        "error_free": int((sheet.labels == sheet.golden).sum()),
        "created": old.header.created if old else now(),
        "finished": old.header.finished if old else None,
        "version": old.header.version if old else __version__,
    }
    rows = [(str(fault), fault.layer, kind_of(fault), *columns_of(fault)) for fault in sheet.faults]
    digest = ColumnsDigest()
    columns = list(zip(*rows, strict=True))
    digest.add(columns[1], columns[2], columns[3:])
    meta[COLUMNS_DIGEST] = digest.hexdigest()
    meta[HEADER] = header_digest(meta, sheet.layers, images)
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode = MEMORY")  # a kill leaves no journal; whoever makes it starts anew
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
        for statement in schema.TABLES[schema.VERSION]:
            connection.execute(statement)
        if sheet.identity.counting:
            connection.execute(schema.COUNT)
        if sheet.outputs is not None:
            connection.execute(schema.DEVIATION)
        if sheet.classes is not None:
            connection.execute(schema.PREDICTION)
        _fill(connection, sheet, rows, meta, images)
        if old:
            _take_over(connection, old)
        connection.execute(SESSION, worker(engine))
        connection.commit()
    finally:
        connection.close()


def _fill(
    connection: sqlite3.Connection,
    sheet: Sheet,
    rows: Sequence[tuple[Any, ...]],
    meta: Mapping[str, Any],
    images: Sequence[tuple[int, int]],
) -> None:
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    connection.executemany(f"INSERT INTO layer VALUES ({_marks(len(LayerRow._fields))})", sheet.layers)
    connection.executemany("INSERT INTO image VALUES (?, ?, ?)", ((i, *row) for i, row in enumerate(images)))
    connection.executemany(
        f"INSERT INTO fault VALUES ({_marks(18)})",
        ((i, *row, None, None, None) for i, row in enumerate(rows)),
    )
    connection.executemany(
        f"INSERT INTO member VALUES ({_marks(15)})",
        (
            (i, number, part.layer, part.kind, *columns_of(part))
            for i, fault in enumerate(sheet.faults)
            if isinstance(fault, FaultSet)
            for number, part in enumerate(fault.faults)
        ),
    )


def _take_over(connection: sqlite3.Connection, old: Content) -> None:
    """Results of an older file, as one chunk, and the sessions in which they were made."""
    if len(old.positions):
        rows = zip(old.correct.tolist(), old.changed.tolist(), old.positions.tolist(), strict=True)
        connection.executemany("UPDATE fault SET correct = ?, changed = ?, chunk = 1 WHERE position = ?", rows)
        insert_counts(connection, old.positions.tolist(), old.counts)
        kept = None if old.predictions is None else old.predictions.packed(range(len(old.positions)))
        more = {} if kept is None else {DIGEST: digests(kept)}
        digest = chunk_digest(old.positions, old.correct, old.changed, {**old.counts, **more})
        connection.execute("INSERT INTO chunk VALUES (1, ?, ?)", (len(old.positions), digest))
        if kept is not None:
            connection.executemany(INSERT_PREDICTION, zip(old.positions.tolist(), kept, strict=True))
    connection.executemany(
        "INSERT INTO session (started, engine, version, host, process, faults, seconds) VALUES (?, ?, ?, '', 0, ?, ?)",
        old.header.sessions,
    )


def insert_counts(connection: sqlite3.Connection, positions: Sequence[int], counts: Counts) -> None:
    """Write what was counted beside right and changed classes."""
    for name, images in counts.items():
        rows = ((position, name, number) for position, number in zip(positions, images.tolist(), strict=True))
        connection.executemany("INSERT INTO count VALUES (?, ?, ?)", rows)


def _marks(count: int) -> str:
    return ", ".join("?" * count)
