"""Predictions of every image under every fault, which a campaign keeps on request (``--keep-predictions``).

Table ``prediction`` of a run file has a row for each finished fault. A class takes as few bits as tell all
classes of the network apart; the images of a fault follow each other, the lowest bit first, and the last byte is filled
with zeros.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign.database import connect, damaged, readable_errors

CLASSES = "prediction_classes"
"""The entry of ``meta`` with the number of classes; only where predictions are kept."""
DIGEST = "predictions"
"""What the digest of a chunk calls them."""
INSERT_PREDICTION = "INSERT INTO prediction VALUES (?, ?)"
Ints = npt.NDArray[np.int64]


def bits_of(classes: int) -> int:
    """Bits that one prediction takes."""
    return max(1, (classes - 1).bit_length())


def bytes_of(classes: int, images: int) -> int:
    """Bytes that the predictions under one fault take."""
    return -(-images * bits_of(classes) // 8)


def pack(table: npt.NDArray[np.int32], classes: int) -> list[bytes]:
    """Predictions int32 [F, N] as one string of bits for each fault."""
    places = np.arange(bits_of(classes), dtype=np.int32)
    return [np.packbits((row[:, None] >> places) & 1, bitorder="little").tobytes() for row in table]


def unpack(packed: bytes, classes: int, images: int) -> npt.NDArray[np.int32]:
    """Predictions int32 [N] from what `pack` made."""
    width = bits_of(classes)
    found = np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little", count=images * width)
    values: npt.NDArray[np.int32] = (found.reshape(images, width).astype(np.int32) << np.arange(width)).sum(
        axis=1, dtype=np.int32
    )
    return values


def digests(packed: Sequence[bytes]) -> Ints:
    """The first 64 bits of SHA-256 over each, as little-endian integers, for the digest of a chunk."""
    return np.array(
        [int.from_bytes(hashlib.sha256(row).digest()[:8], "little", signed=True) for row in packed], np.int64
    )


@dataclass(frozen=True, eq=False)
class Predictions:
    """The kept predictions of a run; a fault's are read from the file when they are asked for.

    Attributes:
        classes, images: of the network and the data.
        positions: of the results in the ordered fault list, int64 [F].
        path: the run file; None where ``rows`` has them.
        rows: packed predictions by position.
    """

    classes: int
    images: int
    positions: Ints
    path: Path | None
    rows: Mapping[int, bytes] | None = None

    def packed(self, numbers: Sequence[int]) -> list[bytes]:
        """The packed predictions under the results of these numbers (from 0, in the order of `Run.results`).

        Raises:
            CampaignError: the file cannot be read any more.
        """
        wanted = [int(self.positions[number]) for number in numbers]
        if self.rows is not None:
            return [self.rows[position] for position in wanted]
        assert self.path is not None
        connection, _ = connect(self.path)
        with closing(connection), readable_errors(self.path):
            ask = "SELECT classes FROM prediction WHERE position = ?"
            found = [connection.execute(ask, (position,)).fetchone() for position in wanted]
        length = bytes_of(self.classes, self.images)
        for row in found:
            if row is None or not isinstance(row[0], bytes) or len(row[0]) != length:
                damaged(self.path, "table prediction is not as it was when the file was opened")
        return [row[0] for row in found]

    def of(self, number: int) -> npt.NDArray[np.int32]:
        """The predicted class of each image under result ``number``, int32 [N]."""
        return unpack(self.packed([number])[0], self.classes, self.images)

    def in_memory(self) -> Predictions:
        """The same without the file."""
        packed = self.packed(range(len(self.positions)))
        return replace(self, path=None, rows=dict(zip(self.positions.tolist(), packed, strict=True)))


def classes_of(meta: Mapping[str, Any], path: Path) -> int | None:
    """The number of classes from the entries of a run file; None where it keeps no predictions."""
    found = meta.get(CLASSES)
    if found is None or (type(found) is int and 0 < found < 1 << 31):
        return found
    damaged(path, f"entry '{CLASSES}' of meta is {found!r:.60}, expected a number of classes")


def read_digests(connection: sqlite3.Connection, path: Path, classes: int, images: int, positions: Ints) -> Ints:
    """The digest of each finished fault's predictions, int64 [F]; CampaignError unless each of them has its row."""
    length, found, where = bytes_of(classes, images), [], []
    if not connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'prediction'").fetchone()[0]:
        damaged(path, "it has no table prediction")
    for position, packed in _rows(connection):
        if type(position) is not int or not isinstance(packed, bytes) or len(packed) != length:
            damaged(path, f"table prediction holds what is no {images:,} predictions")
        where.append(position)
        found.append(int(digests([packed])[0]))
    if where != positions.tolist():
        damaged(path, f"table prediction has {len(where):,} rows, {len(positions):,} faults have a result")
    return np.array(found, np.int64)


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[Any, Any]]:
    yield from connection.execute("SELECT position, classes FROM prediction ORDER BY position")
