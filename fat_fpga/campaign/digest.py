"""Digests in a run file: they tell when a bit in it has changed. All are SHA-256 in hexadecimal."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

HEADER = "header"
"""The entry of ``meta`` with the digest of what a campaign never changes."""
COLUMNS_DIGEST = "columns"
"""The entry of ``meta`` with the digest of the fault list's typed columns."""
NULL = -(1 << 63)
"""What stands for NULL in them."""
CHANGING = (HEADER, "finished")
"""Entries of ``meta`` that it leaves out."""


def header_digest(meta: Mapping[str, Any], layers: Sequence[Sequence[Any]], images: Sequence[Sequence[int]]) -> str:
    """Of all entries of ``meta`` but those of ``CHANGING``, and of the tables ``layer`` and ``image``.

    It is over the JSON text, without spaces and in ASCII, of three lists: entries as ``[key, value]`` by key, rows of
    ``layer``, rows of ``image``, by position.
    """
    entries = sorted([key, value] for key, value in meta.items() if key not in CHANGING)
    text = json.dumps([entries, [list(row) for row in layers], [list(row) for row in images]], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def chunk_digest(
    positions: npt.NDArray[np.int64],
    correct: npt.NDArray[np.int64],
    changed: npt.NDArray[np.int64],
    counts: Mapping[str, npt.NDArray[np.int64]] | None = None,
) -> str:
    """Of the results of one chunk: ``position, correct, changed`` of each fault, by position, as little-endian 64-bit
    integers; where more is counted, each row goes on with those numbers in the order of their names, and the names,
    joined by line feeds, come before all."""
    names = sorted(counts or ())
    columns = [positions, correct, changed, *((counts or {})[name] for name in names)]
    rows = np.stack(columns, axis=1)[np.argsort(positions)]
    return hashlib.sha256("\n".join(names).encode() + rows.astype("<i8").tobytes()).hexdigest()


def fault_list_digest(texts: Sequence[str]) -> str:
    """Of the text forms of the ordered faults, joined by line feeds."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


class ColumnsDigest:
    """Of layers, kinds and typed columns of the ordered faults; they are added batch by batch.

    It is over three digests, each as 32 bytes: of all layers, each followed by a line feed; of all kinds likewise; and
    of the typed columns, row by row, as little-endian 64-bit integers, the smallest of them for NULL.
    """

    def __init__(self) -> None:
        self._parts = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()

    def add(self, layers: Sequence[str], kinds: Sequence[str], columns: Sequence[Sequence[int | None]]) -> None:
        """Take more faults; TypeError or OverflowError where a value is none of 64 bits."""
        for part, texts in zip(self._parts, (layers, kinds), strict=False):
            part.update(("\n".join(texts) + "\n").encode())
        rows = np.stack([_integers(column) for column in columns], axis=1)
        self._parts[2].update(rows.astype("<i8").tobytes())

    def hexdigest(self) -> str:
        return hashlib.sha256(b"".join(part.digest() for part in self._parts)).hexdigest()


def _integers(column: Sequence[int | None]) -> npt.NDArray[np.int64]:
    """int64; nothing but an integer or None is taken."""
    empty = column.count(None)
    if empty == len(column):
        return np.full(len(column), NULL, np.int64)
    filled = [NULL if value is None else value for value in column] if empty else column
    return np.frombuffer(array("q", cast("Sequence[int]", filled)), np.int64)
