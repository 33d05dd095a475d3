"""The run file while a campaign writes it.

Safe against kill -9 at any moment: a run file appears complete with its identity and fault list, results come
in one transaction for each chunk, and nothing that was recorded is ever computed or written again. One process
works on a file at a time; a lock says so, which ends with the process.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign import schema
from fat_fpga.campaign.content import Content, read
from fat_fpga.campaign.database import connect, readable_errors, transaction
from fat_fpga.campaign.digest import chunk_digest
from fat_fpga.campaign.identity import Identity
from fat_fpga.campaign.new_file import SESSION, Sheet, insert_counts, now, worker, write
from fat_fpga.campaign.origin import Origin
from fat_fpga.campaign.predictions import DIGEST, INSERT_PREDICTION, digests
from fat_fpga.engines.counts import Counts
from fat_fpga.engines.deviation import Deviation
from fat_fpga.errors import CampaignError
from fat_fpga.faults import AnyFault
from fat_fpga.files import remove_leftovers, replacing
from fat_fpga.locks import WORKING, Lock, hold


class Store:
    """An open run file that this process alone works on: ``create`` or ``open`` it, ``close`` it.

    Attributes:
        path: the file.
        pending: positions, in the ordered fault list, of the faults that had no result when it was opened.
        golden: predicted classes of the fault-free network, int32 [N].
        top5: images whose label is among its five highest scores, where that is counted.
    """

    def __init__(
        self, path: Path, lock: Lock, pending: Sequence[int], golden: npt.NDArray[np.int32], top5: int | None,
        session: str | None = None,
    ) -> None:  # fmt: skip
        """The file that this process has the lock on, which is given back if the file cannot be opened.

        Args:
            session: the engine of a session to be noted; None if the last one in the file is this one.
        """
        self.path, self.pending, self.golden, self.top5 = path, pending, golden, top5
        self._lock = lock
        self._session: int | None = None
        try:
            self._connection, _ = connect(path)
        except BaseException:
            lock.release()
            raise
        self._connection.set_progress_handler(None, 0)
        try:
            if pending:
                with transaction(self._connection, path):
                    if session is not None:
                        self._connection.execute(SESSION, worker(session))
                    (self._session,) = self._connection.execute("SELECT max(id) FROM session").fetchone()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, path: Path, sheet: Sheet, engine: str) -> Store:
        """A new run file, complete with all but results; where another process was faster, the one that it made.

        Args:
            engine: what this process works with, noted as a session.

        Raises:
            OSError, CampaignError: the file cannot be made, or another process works on it.
        """
        lock = None
        try:
            with readable_errors(path), replacing(path, new=True) as temporary:
                write(temporary, sheet, engine)
                lock = hold(temporary, WORKING)
        except FileExistsError:
            if lock is not None:
                lock.release()
            return cls.open(path, sheet.identity, sheet.faults, engine)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        assert lock is not None, "nobody else knows the temporary name"
        return cls(path, lock, range(len(sheet.faults)), sheet.golden, sheet.top5)

    @classmethod
    def open(cls, path: Path, identity: Identity, faults: Sequence[AnyFault], engine: str) -> Store:
        """The run file of the campaign ``identity``, in the format of today if it is not finished.

        Args:
            faults: the ordered list that ``identity`` was made of.
            engine: what this process works with, noted as a session if there is anything to do.

        Raises:
            CampaignError: it holds another campaign, is damaged, or another process works on it; it says which.
        """
        remove_leftovers(path.resolve())
        lock = hold(path, WORKING)
        if lock is None:
            raise CampaignError(f"another process is working on {path}{_who(path)}: let that one finish")
        session: str | None = engine
        try:
            content = _content(path, identity)
            if len(content.pending) and content.version < schema.VERSION:
                lock, old, session = _renewed(path, content, faults, engine), lock, None
                old.release()
        except BaseException:
            lock.release()
            raise
        return cls(path, lock, content.pending.tolist(), content.header.golden, content.header.top5, session)

    def record(
        self,
        positions: Sequence[int],
        correct: npt.NDArray[np.int64],
        changed: npt.NDArray[np.int64],
        seconds: float,
        counts: Counts | None = None,
        deviation: Deviation | None = None,
        predictions: Sequence[bytes] | None = None,
    ) -> None:
        """Keep the results of one chunk, all or none; CampaignError if another process was faster.

        Args:
            predictions: packed, one for each fault, where they are kept.
        """
        moved = {} if deviation is None else {"total": deviation.total, "largest": deviation.largest}
        kept = {} if predictions is None else {DIGEST: digests(predictions)}
        digest = chunk_digest(np.array(positions, np.int64), correct, changed, {**(counts or {}), **moved, **kept})
        with transaction(self._connection, self.path):
            (chunk,) = self._connection.execute("SELECT count(*) + 1 FROM chunk").fetchone()
            results = (
                (*row, chunk, at) for *row, at in zip(correct.tolist(), changed.tolist(), positions, strict=True)
            )
            written = self._connection.executemany(
                "UPDATE fault SET correct = ?, changed = ?, chunk = ? WHERE position = ? AND correct IS NULL", results
            )
            if written.rowcount != len(positions):
                raise CampaignError(f"another process is working on {self.path}: let that one finish")
            insert_counts(self._connection, positions, counts or {})
            if moved:
                rows = zip(positions, *(column.tolist() for column in moved.values()), strict=True)
                self._connection.executemany("INSERT INTO deviation VALUES (?, ?, ?)", rows)
            if predictions is not None:
                self._connection.executemany(INSERT_PREDICTION, zip(positions, predictions, strict=True))
            self._connection.execute("INSERT INTO chunk VALUES (?, ?, ?)", (chunk, len(positions), digest))
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
        """Close the file; what was recorded stays. A session that did nothing is forgotten."""
        try:
            if self._session is not None:
                with suppress(sqlite3.Error):
                    self._connection.execute("DELETE FROM session WHERE id = ? AND faults = 0", (self._session,))
        finally:
            self._connection.close()
            self._lock.release()


def _content(path: Path, identity: Identity) -> Content:
    """What the file holds; CampaignError, saying what differs, if that is another campaign."""
    content = read(path)
    differences = content.header.identity.differences(identity)
    if differences:
        raise CampaignError(
            f"{path} holds another campaign: {'; '.join(differences)}. "
            "Continue with what it was started with, or name another output file"
        )
    return content


def grow(path: Path, identity: Identity, origin: Origin, faults: Sequence[AnyFault], engine: str) -> None:
    """Give a finished run file a longer list of faults, among which are its own; their results stay.

    Args:
        identity, faults: of the longer campaign; the list is ordered.
        engine: what this process works with.

    Raises:
        CampaignError: the file is of another network or data set, its faults are not all in the list, or another
            process works on it.
    """
    lock = hold(path, WORKING)
    if lock is None:
        raise CampaignError(f"another process is working on {path}{_who(path)}: let that one finish")
    try:
        content = read(path)
        place = {str(fault): position for position, fault in enumerate(faults)}
        same = replace(identity, fault_list=content.header.identity.fault_list)
        differences = content.header.identity.differences(same)
        if differences or any(result.fault not in place for result in content.results):
            what = "; ".join(differences) or "some of its faults are not in the longer list"
            raise CampaignError(f"{path} holds another campaign: {what}")
        positions = np.array([place[result.fault] for result in content.results], np.int64)
        header = replace(content.header, identity=identity, origin=origin, finished=None)
        _renewed(path, replace(content, header=header, positions=positions), faults, engine).release()
    finally:
        lock.release()


def _renewed(path: Path, content: Content, faults: Sequence[AnyFault], engine: str) -> Lock:
    """Write the file anew in the format of today, whole or not at all; the lock on it."""
    header = content.header
    sheet = Sheet(header.identity, header.origin, header.layers, faults, header.labels, header.golden,
        classes=header.classes, top5=header.top5, experiment=header.experiment,
    )  # fmt: skip
    lock = None
    try:
        with readable_errors(path), replacing(path) as temporary:
            write(temporary, sheet, engine, content)
            lock = hold(temporary, WORKING)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    assert lock is not None, "nobody else knows the temporary name"
    return lock


def _who(path: Path) -> str:
    """Who works on the file, as far as it says."""
    try:
        connection, _ = connect(path)
    except CampaignError:
        return ""
    try:
        started, host, process = connection.execute(
            "SELECT started, host, process FROM session ORDER BY id DESC LIMIT 1"
        ).fetchone()
    except (sqlite3.Error, TypeError):
        return ""
    finally:
        connection.close()
    if host == socket.gethostname() and not _lives(process):
        return ""  # the one that has the lock has not noted itself yet
    return f" (process {process} on {host}, since {started})"


def _lives(process: int) -> bool:
    """Whether there is such a process on this host."""
    try:
        os.kill(process, 0)
    except (OSError, OverflowError, TypeError) as error:
        return isinstance(error, PermissionError)
    return True
