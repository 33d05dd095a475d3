"""What a fault costs beyond accuracy: the five highest scores, and the user's costs of taking one class for another."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.arguments import checked
from fat_fpga.engines.images import Labels
from fat_fpga.errors import EngineError
from fat_fpga.files import read_file
from fat_fpga.network.layers import IntArray

TOP5, COST = "top5", "cost"
"""Names of what is counted: images whose label is among the five highest scores; the sum of costs over the images."""
PREFIX = f"{COST}:"
"""What is to be counted of costs is the matrix itself: ``cost:`` and its text."""
HIGHEST = 5
MOST_CLASSES, MOST_UNITS = 256, 10**9


@dataclass(frozen=True, eq=False)
class CostMatrix:
    """What it costs to take one class for another, exact.

    Attributes:
        units: int64 [classes, classes], by true class and predicted class, in units of the last decimal.
        decimals: of the costs; one cost is ``10**decimals`` units.
    """

    units: npt.NDArray[np.int64]
    decimals: int

    @property
    def classes(self) -> int:
        return len(self.units)

    @property
    def largest(self) -> int:
        """The highest cost, in units."""
        return int(self.units.max())

    @property
    def text(self) -> str:
        """The matrix as a run file keeps it; `of_text` reads it."""
        return f"{self.decimals};{';'.join(' '.join(map(str, row)) for row in self.units.tolist())}"

    @property
    def counting(self) -> str:
        """What a campaign is asked to count."""
        return PREFIX + self.text

    def total(self, table: IntArray, labels: Labels) -> npt.NDArray[np.int64]:
        """Costs int64 [F] in units, summed over the images, of predictions int32 [F, N]; ``-1`` (no class at all) costs
        as much as the worst class of its row."""
        rows = np.concatenate([self.units, self.units.max(axis=1, keepdims=True)], axis=1)
        found = np.zeros(len(table), np.int64)
        for label in np.unique(labels):
            found += rows[label][table[:, labels == label]].sum(axis=1)
        return found

    @classmethod
    def of_text(cls, text: str) -> CostMatrix:
        """The matrix that has this text; EngineError if none has."""
        decimals, *rows = text.split(";")
        try:
            found = cls(np.array([[int(cell) for cell in row.split()] for row in rows], np.int64), int(decimals))
        except (ValueError, OverflowError) as error:
            raise EngineError(f"'{text:.60}' is no cost matrix") from error
        units = found.units
        if units.ndim != 2 or len(units) != units.shape[1] or not 0 <= found.decimals <= 9 or found.text != text:
            raise EngineError(f"'{text:.60}' is no cost matrix")
        if units.min() < 0 or units.max() > MOST_UNITS or len(units) > MOST_CLASSES:
            raise EngineError(f"'{text:.60}' is no cost matrix")
        return found


def cost_matrix_of(counting: Sequence[str]) -> CostMatrix | None:
    """The cost matrix among what is to be counted, if there is one."""
    found = [name for name in counting if name.startswith(PREFIX)]
    if len(found) > 1:
        raise EngineError("there are two cost matrices: give one")
    return _read(found[0].removeprefix(PREFIX)) if found else None


_read = lru_cache(maxsize=16)(CostMatrix.of_text)


def check_criteria(counting: Sequence[str], name: str, classes: int) -> None:
    """EngineError where top-5 or costs cannot be counted in a network of so many classes."""
    if TOP5 in counting and classes <= HIGHEST:
        raise EngineError(f"{name} has {classes} classes, so each is among the {HIGHEST} highest: leave top-5 out")
    matrix = cost_matrix_of(counting)
    if matrix is not None and matrix.classes != classes:
        raise EngineError(f"the cost matrix is of {matrix.classes} classes, and {name} has {classes}")


def among_highest(scores: npt.NDArray[Any], labels: Labels) -> int:
    """Images whose label is among the five highest scores [N, classes]; of equal scores the first class is before.

    An image with a score that is no finite number has no classes, and is none of them.
    """
    known = (labels >= 0) & (labels < scores.shape[1]) & np.isfinite(scores).all(axis=1)
    scores, labels = scores[known], labels[known]
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    before = (scores > own) | ((scores == own) & (np.arange(scores.shape[1]) < labels[:, None]))
    return int((before.sum(axis=1) < HIGHEST).sum())


@checked
def read_cost_matrix(path: str | os.PathLike[str], names: Sequence[str] = ()) -> CostMatrix:
    """Read a cost matrix from a CSV file: a row for each true class, a column for each predicted one.

    A first row and a first column may name the classes.

    Args:
        names: of the data set's classes, in their order; named rows and columns must be these.

    Raises:
        EngineError: it is no square table of numbers from 0 up; it names row and column.
        OSError: it cannot be read.
    """
    where = str(path)
    try:
        text = read_file(Path(path)).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EngineError(f"{where} is no CSV file: {error}") from error
    rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    if len(rows) > MOST_CLASSES + 1:
        raise EngineError(f"{where} has {len(rows):,} rows: a cost matrix has at most {MOST_CLASSES} classes")
    rows = _without_names(where, rows, names)
    cells = [[_cost(where, i, j, cell) for j, cell in enumerate(row)] for i, row in enumerate(rows)]
    if not cells or any(len(row) != len(cells) for row in cells):
        odd = next((f"row {i} has {len(row)} columns" for i, row in enumerate(cells) if len(row) != len(cells)), "")
        raise EngineError(
            f"{where}: a cost matrix has as many columns as rows, got {len(cells)} rows{', ' * bool(odd)}{odd}"
        )
    decimals = max(_decimals(cell) for row in cells for cell in row)
    scaled = [[int(cell.scaleb(decimals)) for cell in row] for row in cells]
    if decimals > 9 or max(map(max, scaled)) > MOST_UNITS:
        raise EngineError(f"{where}: costs go up to {MOST_UNITS:,} in steps of their last decimal; give shorter ones")
    if not any(map(any, scaled)):
        raise EngineError(f"{where}: every cost is 0, so no fault costs anything")
    return CostMatrix(np.array(scaled, np.int64), decimals)


def _without_names(where: str, rows: list[list[str]], names: Sequence[str]) -> list[list[str]]:
    """The cells alone, where the first row and column name classes."""
    if not rows or not rows[0] or _number(rows[0][-1]) is not None:
        return rows
    if any(not row for row in rows):
        return rows
    told: Mapping[str, list[str]] = {"columns": rows[0][1:], "rows": [row[0] for row in rows[1:]]}
    for what, found in told.items():
        stripped = [name.strip() for name in found]
        if names and stripped != list(names):
            raise EngineError(f"{where}: its {what} are {stripped!r:.80}, and the classes are {list(names)!r:.80}")
    return [row[1:] for row in rows[1:]]


def _number(cell: str) -> Decimal | None:
    try:
        return Decimal(cell.strip())
    except InvalidOperation:
        return None


def _cost(where: str, row: int, column: int, cell: str) -> Decimal:
    value = _number(cell)
    if value is None or not value.is_finite() or value < 0:
        raise EngineError(
            f"{where}: the cost of class {column} for class {row} must be a number from 0 up, got {cell!r:.40}"
        )
    return value


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
