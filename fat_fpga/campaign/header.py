"""The small tables of a run file, read and checked: what was done, on which network, on which images, by whom."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign.database import damaged
from fat_fpga.campaign.deviations import Worth
from fat_fpga.campaign.digest import HEADER, header_digest
from fat_fpga.campaign.identity import Identity
from fat_fpga.campaign.layer_table import LayerRow
from fat_fpga.campaign.origin import Origin
from fat_fpga.campaign.predictions import classes_of
from fat_fpga.engines.criteria import TOP5
from fat_fpga.errors import CampaignError

_LEVELS = re.compile(r"(-?\d{1,10}(,-?\d{1,10})*)?")
_LEAST = {"position": -1, "channels": 1, "height": 1, "width": 1, "weights": 0, "macs": 0}
EXPERIMENT = "experiment"
_ENTRIES = 1000
"""Entries of ``meta`` that are read; there are some twenty."""


class Session(NamedTuple):
    """One time that somebody worked on the campaign: when, with what, how many faults, in how many seconds."""

    started: str
    engine: str
    version: str
    faults: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Header:
    """All of a run file but its faults.

    Attributes:
        identity: model, data set and fault list, by name and hash.
        origin: how the fault list came about.
        error_free: images that the fault-free network classifies correctly.
        created, finished: ISO 8601, UTC; ``finished`` is None while faults are missing.
        version: of fat_fpga, that made the file.
        layers: the network, layer by layer.
        sessions: who worked on it, in order.
        labels: int64 [N].
        golden: int32 [N], predicted classes of the fault-free network.
        outputs: what its outputs are, where they are no classes. Then the "class" of an image is 0 where its output is
            the fault-free one, else 1, and labels are 0: accuracy is the share of images with an unchanged output.
        classes: number of classes of the network, where predictions are kept.
        top5: images whose label is among the five highest scores of the fault-free network, where that was counted.
        experiment: text of the experiment file that the campaign is of, where there was one.
    """

    identity: Identity
    origin: Origin
    error_free: int
    created: str
    finished: str | None
    version: str
    layers: tuple[LayerRow, ...]
    sessions: tuple[Session, ...]
    labels: npt.NDArray[np.int64]
    golden: npt.NDArray[np.int32]
    outputs: Worth | None
    classes: int | None
    top5: int | None
    experiment: str | None


def read_header(connection: sqlite3.Connection, path: Path, version: int) -> Header:
    """Read and check it; CampaignError names what is not as a campaign left it."""
    meta = dict(connection.execute(f"SELECT key, value FROM meta LIMIT {_ENTRIES}"))
    for key, value in meta.items():
        if not isinstance(key, str) or not isinstance(value, (str, int, type(None))):
            damaged(path, f"entry {key!r:.60} of meta is a {type(value).__name__}")
    layers = connection.execute("SELECT * FROM layer ORDER BY position").fetchall()
    images = connection.execute("SELECT position, label, predicted FROM image ORDER BY position").fetchall()
    sessions = connection.execute(
        "SELECT started, engine, version, faults, seconds FROM session ORDER BY id"
    ).fetchall()
    identity, origin = _entries(Identity, meta, path), _origin(meta, path)
    _check_rows(path, "layer", layers, LayerRow)
    _check_rows(path, "session", sessions, Session)
    _check_layers(path, layers)
    table = _images(path, images, identity.images)
    error_free = _entry(meta, "error_free", int, path)
    if error_free != int((table[:, 1] == table[:, 2]).sum()):
        damaged(path, f"the fault-free network is said to be right on {error_free:,} images, and table image differs")
    header = Header(
        identity=identity,
        origin=origin,
        error_free=error_free,
        created=_time(meta, "created", path),
        finished=None if meta.get("finished", "") is None else _time(meta, "finished", path),
        version=_entry(meta, "version", str, path),
        layers=tuple(map(LayerRow._make, layers)),
        sessions=tuple(map(Session._make, sessions)),
        labels=table[:, 1],
        golden=table[:, 2].astype(np.int32),
        outputs=Worth.of_entries(meta, path),
        classes=classes_of(meta, path),
        top5=_entry(meta, TOP5, int, path) if TOP5 in identity.counting.split(",") else None,
        experiment=_entry(meta, EXPERIMENT, str, path) if EXPERIMENT in meta else None,
    )
    if version > 2 and meta.get(HEADER) != header_digest(meta, layers, [row[1:] for row in images]):
        damaged(path, "what it says of network, data or fault list is not what its digest was made of")
    return header


def _entries(cls: type[Identity], meta: Mapping[str, Any], path: Path) -> Identity:
    """The entries of meta that are the fields of a class; those with a default may be missing."""
    hints = get_type_hints(cls)
    return cls(**{f.name: _entry(meta, f.name, hints[f.name], path) for f in fields(cls) if _asked(f, meta)})


def _origin(meta: Mapping[str, Any], path: Path) -> Origin:
    """How the fault list came about; the strata are JSON, all else is as it stands."""
    hints = get_type_hints(Origin) | {"strata": str | None}
    for field in fields(Origin):
        if _asked(field, meta):
            _entry(meta, field.name, hints[field.name], path)
    try:
        return Origin.of_entries(meta)
    except CampaignError as error:
        damaged(path, str(error))


def _asked(field: Field[Any], meta: Mapping[str, Any]) -> bool:
    return field.name in meta or field.default is MISSING


def _entry(meta: Mapping[str, Any], key: str, kind: Any, path: Path) -> Any:
    if key not in meta:
        damaged(path, f"meta has no entry '{key}'")
    value = meta[key]
    if not isinstance(value, kind) or (isinstance(value, int) and not 0 <= value < 1 << 62):
        name = kind.__name__ if isinstance(kind, type) else str(kind)
        damaged(path, f"entry '{key}' of meta is {value!r:.60}, expected {name}{' from 0 up' if kind is int else ''}")
    return value


def _time(meta: Mapping[str, Any], key: str, path: Path) -> str:
    value: str = _entry(meta, key, str, path)
    try:
        datetime.fromisoformat(value)
    except ValueError:
        damaged(path, f"entry '{key}' of meta is {value!r:.60}, expected a time in ISO 8601")
    return value


def _check_rows(path: Path, table: str, rows: Sequence[Sequence[Any]], cls: type[LayerRow] | type[Session]) -> None:
    """Every value has the type that the record has, and no number is below what it can be."""
    hints = get_type_hints(cls)
    for row in rows:
        for (name, kind), value in zip(hints.items(), row, strict=True):
            good = isinstance(value, (kind, int) if kind is float else kind)
            if not good or (kind is not str and not (isfinite(value) and _LEAST.get(name, 0) <= value < 1 << 62)):
                damaged(path, f"table {table} has {value!r:.60} as {name}")


def _check_layers(path: Path, layers: Sequence[Sequence[Any]]) -> None:
    for number, values in enumerate(layers, -1):
        row = LayerRow(*values)
        if row.position != number:
            damaged(path, f"table layer has no row {number}")
        if not _LEVELS.fullmatch(row.levels):
            damaged(path, f"table layer has {row.levels!r:.60} as levels of {row.name!r:.60}")


def _images(path: Path, rows: Sequence[Sequence[Any]], count: int) -> npt.NDArray[np.int64]:
    """int64 [N, 3]: position, label, predicted class."""
    if not all(type(value) is int and 0 <= value < 1 << 31 for row in rows for value in row):
        damaged(path, "table image holds what is no image and no class")
    if len(rows) != count or [row[0] for row in rows] != list(range(count)):
        damaged(path, f"table image has {len(rows):,} rows, the campaign is on {count:,} images")
    if not count:
        damaged(path, "the campaign is on no images")
    return np.array(rows, np.int64)
