"""Table ``fault`` while it is read, batch by batch, and what holds for it whatever the version of the file."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from sys import intern
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign.columns import AXES
from fat_fpga.campaign.database import damaged
from fat_fpga.campaign.header import Header
from fat_fpga.campaign.origin import PATTERNS
from fat_fpga.campaign.result import Result
from fat_fpga.faults import MODELS, FaultModel, fault_model
from fat_fpga.faults.pattern import JOIN
from fat_fpga.faults.place import EVERYWHERE

BATCH = 10_000
"""Rows that are read at a time: column by column they are handled several times faster than one by one."""
Ints = npt.NDArray[np.int64]


@dataclass
class FaultRows:
    """The rows read so far, in the order of the list.

    Attributes:
        path: the file, for messages.
        texts: text forms of all faults.
        results: the finished ones.
        numbers: of these position, correct and changed images, and chunk.
    """

    path: Path
    texts: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    numbers: tuple[array[int], ...] = field(default_factory=lambda: tuple(array("q") for _ in range(4)))

    def add(self, names: Sequence[Sequence[Any]], counts: Sequence[Sequence[Any]], columns: Sequence[Any]) -> None:
        """Take one batch, column by column; TypeError or OverflowError where a value is of another type.

        Args:
            names: texts, layers, kinds.
            counts: correct, changed, chunk; all None, or none of them.
            columns: as `Result` has them.
        """
        start, done = len(self.texts), [chunk is not None for chunk in counts[-1]]
        self.texts += names[0]
        positions: Sequence[int] = range(start, start + len(done))
        if not all(done):
            undone = [not one for one in done]
            if any(count is not None for column in counts for count in compress(column, undone)):
                damaged(self.path, f"a fault from number {start:,} on has a count and no chunk")
            names, counts, columns = (
                [list(compress(column, done)) for column in part] for part in (names, counts, columns)
            )
            positions = list(compress(positions, done))
        for numbers, found in zip(self.numbers, (positions, *counts), strict=True):
            numbers.extend(found)
        texts, layers, kinds = names
        self.results += map(Result, texts, map(intern, layers), map(intern, kinds), *counts[:2], *columns)

    @property
    def arrays(self) -> tuple[Ints, Ints, Ints, Ints]:
        """``numbers``, each int64 [F]."""
        positions, correct, changed, chunks = (np.frombuffer(numbers, np.int64) for numbers in self.numbers)
        return positions, correct, changed, chunks


def check_counts(rows: FaultRows, header: Header) -> None:
    """Counts are such as a campaign can give: an image whose class does not change is as right or wrong as it was."""
    _, correct, changed, _ = rows.arrays
    images = header.identity.images
    possible = (correct >= 0) & (correct <= images) & (changed <= images)
    possible &= np.abs(correct - header.error_free) <= changed
    if not possible.all():
        result = rows.results[int(np.argmin(possible))]
        damaged(
            rows.path,
            f"{result.fault} has counts that cannot be: {result.correct:,} of {images:,} images correct "
            f"({header.error_free:,} without a fault), {result.changed:,} changed",
        )


def _axes_of_place(model: FaultModel) -> bool:
    """Whether the index of a kind is of channels, rows and columns of the place itself."""
    return all(AXES.get(axis) in (axis, "pe") for axis in model.traits.axes)


def check_places(rows: FaultRows, header: Header) -> None:
    """Results are of places that the network has, and inside of them."""
    layers = {row.name: row for row in header.layers}
    found = {result.kind for result in rows.results}
    inside = {kind for kind in found if kind in MODELS and _axes_of_place(fault_model(kind))}
    for result in rows.results:
        row = layers.get(result.layer)
        if result.kind.startswith(PATTERNS):
            for name in result.layer.split(JOIN):
                if name not in layers and name != EVERYWHERE:
                    damaged(rows.path, f"the network has no layer '{name}', but there is {result.fault}")
        elif row is None or result.value is None:
            for part in result.faults:
                for name in part.layer.split(JOIN):
                    if name not in layers and name != EVERYWHERE:
                        damaged(rows.path, f"the network has no layer '{name}', but there is {result.fault}")
        elif result.kind in inside and not (
            (result.channel is None or result.channel < row.channels)
            and (result.row is None or result.row < row.height)
            and (result.column is None or result.column < row.width)
        ):
            damaged(rows.path, f"{result.fault} is not inside of layer {row.name}")
        if result.of is not None and not (result.pe is not None and 0 <= result.pe < result.of):
            damaged(rows.path, f"{result.fault}: there is no such PE")
