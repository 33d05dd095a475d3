"""What faults do to images: the result of an engine, for some images or for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.counts import Counts
from fat_fpga.engines.deviation import Deviation
from fat_fpga.engines.images import Labels


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a list of faults does to a set of images.

    Attributes:
        golden: int32 [N], predicted classes of the fault-free network.
        correct: int64 [F], images classified correctly under each fault.
        changed: int64 [F], images whose predicted class differs from the fault-free one.
        predictions: int32 [F, N] if asked for, else None.
        counts: what else was asked for, int64 [F] by name; see `fat_fpga.engines.counts`.
        deviation: of the outputs, where these are no classes. Then the "class" of an image is 0 where its output is the
            fault-free one, else 1, and labels are 0: ``correct`` counts the images whose output is unchanged.
    """

    golden: npt.NDArray[np.int32]
    correct: npt.NDArray[np.int64]
    changed: npt.NDArray[np.int64]
    predictions: npt.NDArray[np.int32] | None
    counts: Counts = field(default_factory=dict)
    deviation: Deviation | None = None

    def __repr__(self) -> str:
        return f"<Outcome: {len(self.correct):,} faults, {len(self.golden):,} images>"


def outcome_of(
    golden: npt.NDArray[np.int32], table: npt.NDArray[np.int32], labels: Labels, predictions: bool,
    deviation: Deviation | None = None,
) -> Outcome:  # fmt: skip
    """The outcome that follows from every prediction.

    Args:
        golden: int32 [N].
        table: int32 [F, N].
        predictions: whether the outcome keeps the table.
    """
    return Outcome(
        golden=golden,
        correct=(table == labels).sum(axis=1),
        changed=(table != golden).sum(axis=1),
        predictions=table if predictions else None,
        deviation=deviation,
    )


def over_faults(parts: Sequence[Outcome]) -> Outcome:
    """One outcome from those of different faults on the same images, in their order; at least one."""
    tables = [part.predictions for part in parts if part.predictions is not None]
    return Outcome(
        parts[0].golden,
        np.concatenate([part.correct for part in parts]),
        np.concatenate([part.changed for part in parts]),
        np.concatenate(tables) if tables else None,
        {name: np.concatenate([part.counts[name] for part in parts]) for name in parts[0].counts},
    )


def over_images(parts: Iterable[Outcome], faults: int, images: int, predictions: bool = False) -> Outcome:
    """One outcome from those of the same faults on consecutive images.

    Counts add up; what an outcome has for each image is put in a row. No part is kept longer than it takes to add it.

    Args:
        parts: of all the images, in their order.
        faults, images: how many there are.
        predictions: whether the parts have predictions, and the whole keeps them.
    """
    golden = np.empty(images, np.int32)
    correct, changed = np.zeros(faults, np.int64), np.zeros(faults, np.int64)
    table = np.empty((faults, images), np.int32) if predictions else None
    counts: dict[str, npt.NDArray[np.int64]] = {}
    start, deviation = 0, None
    for part in parts:
        if part.deviation is not None:
            deviation = deviation or Deviation.none(faults)
            deviation.take(part.deviation)
        block = slice(start, start + len(part.golden))
        golden[block] = part.golden
        correct += part.correct
        changed += part.changed
        for name, count in part.counts.items():
            counts[name] = counts.get(name, 0) + count
        if table is not None and part.predictions is not None:
            table[:, block] = part.predictions
        start = block.stop
    assert start == images, f"outcomes of {start} images, expected {images}"
    return Outcome(golden, correct, changed, table, counts, deviation)
