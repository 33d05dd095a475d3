"""The run file while a campaign writes it.

Safe against kill -9 at any moment: a run file appears complete with its identity and fault list, results come
in one transaction for each chunk, and nothing that was recorded is ever computed or written again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fat_fpga import __version__
from fat_fpga.campaign import schema
from fat_fpga.campaign.database import connect, readable_errors, transaction
from fat_fpga.campaign.identity import Identity
from fat_fpga.campaign.layer_table import LayerRow
from fat_fpga.campaign.origin import Origin
from fat_fpga.campaign.selection import kind_of
from fat_fpga.errors import CampaignError
from fat_fpga.faults import AnyFault
from fat_fpga.files import replacing


def now() -> str:
    """The time, UTC, ISO 8601 to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


class Store:
    """An open run file: ``create`` or ``open`` it, ``close`` it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._session = 0

    @classmethod
    def create(
        cls,
        path: Path,
        identity: Identity,
        origin: Origin,
        layers: Sequence[LayerRow],
        faults: Sequence[AnyFault],
        labels: npt.NDArray[np.int64],
        golden: npt.NDArray[np.int32],
    ) -> Store:
        """A new run file, complete with all but results; OSError or CampaignError where it cannot be made.

        Args:
            origin: how the fault list came about.
            faults: the ordered list that ``identity`` was made of.
            labels: [N].
            golden: predicted classes of the fault-free network, [N].
        """
        meta = {
            **asdict(identity),
            **origin.entries(),
            "error_free": int((labels == golden).sum()),
            "created": now(),
            "finished": None,
            "version": __version__,
        }
        rows = [(i, str(f), f.layer, kind_of(f), f.index_text, f.effect_text, None, None) for i, f in enumerate(faults)]
        with replacing(path) as temporary, readable_errors(path):
            connection = sqlite3.connect(temporary)
            try:
                connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {schema.VERSION}")
                connection.executescript(schema.TABLES)
                connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
                connection.executemany(f"INSERT INTO layer VALUES ({','.join('?' * len(LayerRow._fields))})", layers)
                images = zip(range(len(labels)), labels.tolist(), golden.tolist(), strict=True)
                connection.executemany("INSERT INTO image VALUES (?, ?, ?)", images)
                connection.executemany("INSERT INTO fault VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
                connection.commit()
            finally:
                connection.close()
        return cls.open(path, identity)

    @classmethod
    def open(cls, path: Path, identity: Identity) -> Store:
        """The run file of the campaign ``identity``; CampaignError, saying what differs, if it holds another one."""
        store = cls(path, connect(path))
        try:
            with readable_errors(path):
                meta = dict(store._connection.execute("SELECT key, value FROM meta"))
            known = {f.name: meta[f.name] for f in fields(Identity) if f.name in meta}
            differences = Identity(**known).differences(identity)
            if differences:
                raise CampaignError(
                    f"{path} holds another campaign: {'; '.join(differences)}. "
                    "Continue with what it was started with, or name another output file"
                )
        except BaseException:
            store.close()
            raise
        return store

    def pending(self) -> list[int]:
        """Positions, in the ordered fault list, of the faults that have no result yet."""
        with readable_errors(self.path):
            rows = self._connection.execute("SELECT position FROM fault WHERE correct IS NULL ORDER BY position")
            return [row[0] for row in rows]

    def golden(self) -> npt.NDArray[np.int32]:
        """Predicted classes of the fault-free network, [N]."""
        with readable_errors(self.path):
            rows = self._connection.execute("SELECT predicted FROM image ORDER BY position").fetchall()
        return np.array(rows, np.int32)[:, 0]

    def begin_session(self, engine: str) -> None:
        """Note that somebody sits down to work on this campaign."""
        with transaction(self._connection, self.path):
            added = self._connection.execute(
                "INSERT INTO session (started, engine, version) VALUES (?, ?, ?)", (now(), engine, __version__)
            )
            self._session = added.lastrowid or 0

    def record(
        self,
        positions: Sequence[int],
        correct: npt.NDArray[np.int64],
        changed: npt.NDArray[np.int64],
        seconds: float,
    ) -> None:
        """Keep the results of one chunk, all or none; CampaignError if another process was faster."""
        results = zip(correct.tolist(), changed.tolist(), positions, strict=True)
        with transaction(self._connection, self.path):
            written = self._connection.executemany(
                "UPDATE fault SET correct = ?, changed = ? WHERE position = ? AND correct IS NULL", results
            )
            if written.rowcount != len(positions):
                raise CampaignError(f"another process is working on {self.path}: let that one finish")
            self._connection.execute(
                "UPDATE session SET faults = faults + ?, seconds = seconds + ? WHERE id = ?",
                (len(positions), seconds, self._session),
            )

    def finish(self) -> None:
        """Close the campaign; CampaignError unless every fault that was asked for has its result."""
        with transaction(self._connection, self.path):
            row = self._connection.execute("SELECT count(*), count(correct), count(changed) FROM fault").fetchone()
            asked = self._connection.execute("SELECT value FROM meta WHERE key = 'asked'").fetchone()[0]
            if row != (asked, asked, asked):
                raise CampaignError(f"{self.path}: {asked:,} faults were asked for, {row[1]:,} have a result")
            self._connection.execute("UPDATE meta SET value = ? WHERE key = 'finished' AND value IS NULL", (now(),))

    def close(self) -> None:
        """Close the file; what was recorded stays."""
        self._connection.close()
