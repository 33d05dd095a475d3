"""Table ``count`` of a run file: what was counted of each fault beside right and changed classes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign.database import damaged
from fat_fpga.campaign.digest import chunk_digest
from fat_fpga.campaign.header import Header
from fat_fpga.engines.counts import MODULE_OUTCOME_NAMES, NO_IMAGES, NONFINITE, PARTS

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Counted:
    """All that was counted of the finished faults, int64 [F] each."""

    positions: Ints
    correct: Ints
    changed: Ints
    counts: Mapping[str, Ints]

    def digest(self, which: Ints) -> str:
        """Of some of the faults, as that of their chunk."""
        counts = {name: numbers[which] for name, numbers in self.counts.items()}
        return chunk_digest(self.positions[which], self.correct[which], self.changed[which], counts)


def read_counts(connection: sqlite3.Connection, path: Path, header: Header, done: Ints) -> dict[str, Ints]:
    """What is in the table, int64 [F] by name in the order of ``done``; CampaignError where that is no count of each
    finished fault, or outcome classes do not add up to the images."""
    if not connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'count'").fetchone()[0]:
        damaged(path, "it has no table count")
    found: dict[str, tuple[list[int], list[int]]] = {}
    rows = connection.execute("SELECT position, name, images FROM count ORDER BY name, position")
    for position, name, images in rows:
        if type(position) is not int or not isinstance(name, str) or type(images) is not int:
            damaged(path, "table count holds a value of another type")
        if images < 0 or (name not in NO_IMAGES and images > header.identity.images):
            damaged(path, f"table count holds {images} of {header.identity.images:,} images")
        numbers = found.setdefault(name, ([], []))
        numbers[0].append(position)
        numbers[1].append(images)
    expected = done.tolist()
    for name, (positions, _) in found.items():
        if positions != expected:
            damaged(path, f"table count does not hold '{name:.40}' of every finished fault")
    counts = {name: np.array(found[name][1], np.int64) for name in sorted(found, key=_order)}
    if all(name in counts for name in PARTS) and expected:
        total = sum(counts[name] for name in (*PARTS, NONFINITE) if name in counts)
        if not np.array_equal(total, np.full(len(expected), header.identity.images)):
            damaged(path, "outcome classes in table count do not add up to the images")
    return counts


def _order(name: str) -> tuple[int, int, str]:
    """Puts outcome classes in their usual order, and classes by number."""
    names = MODULE_OUTCOME_NAMES
    known = names.index(name) if name in names else len(names)
    return known, len(name), name
