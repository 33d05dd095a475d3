"""Which faults share a run: transients of different images, each in its own row of the batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fat_fpga.modules.edits import EVERY_ROW, Edit
from fat_fpga.modules.faulty_run import LATE
from fat_fpga.modules.replay import Replay
from fat_fpga.modules.sites import Where


@dataclass(frozen=True, eq=False)
class Group:
    """Faults of one run.

    Attributes:
        faults: their numbers.
        rows: of the batch, the one that each fault is in; None where there is one fault, which is in any.
        edits: what they do.
    """

    faults: list[int]
    rows: list[int] | None
    edits: list[Edit]


def grouped(replay: Replay, edits: Sequence[Sequence[Edit]], apart: bool) -> Iterator[Group]:
    """Every fault that does something, in runs.

    Faults of one row each are put together, those that matter late with others that do, so that much is reused.

    Args:
        apart: whether the images of a batch do not see each other; else each fault has a run of its own.
    """
    single: list[tuple[int, int, int]] = []
    for number, own in enumerate(edits):
        row = _row(own)
        if not own:
            continue
        if row is None or not apart:
            yield Group([number], None, list(own))
        else:
            first = min((time for edit in own for time in replay.times(edit)), default=LATE)
            single.append((first, number, row))
    runs: dict[int, list[tuple[int, int]]] = {}
    place: dict[int, int] = {}
    for _, number, row in sorted(single, reverse=True):
        run = place.get(row, 0)
        place[row] = run + 1
        runs.setdefault(run, []).append((number, row))
    for members in runs.values():
        yield Group(
            [number for number, _ in members],
            [row for _, row in members],
            [edit for number, _ in members for edit in edits[number]],
        )


def _row(edits: Sequence[Edit]) -> int | None:
    """The only row of the batch that a fault is in; None where it is in several, or in what is stored."""
    if any(edit.site.where in (Where.PARAMETER, Where.QUANTISED) for edit in edits):
        return None
    rows = np.unique(np.concatenate([edit.rows for edit in edits])) if edits else np.empty(0, np.int64)
    return int(rows[0]) if len(rows) == 1 and rows[0] != EVERY_ROW else None
