"""What the scores of a module say: classes, and outcome classes of a fault on an image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.counts import NONFINITE
from fat_fpga.engines.images import Labels

Scores = npt.NDArray[np.float64]
NO_CLASS = -1
"""The class of an image whose scores are not all finite: it is none, and so never right."""


def predicted(scores: Scores) -> npt.NDArray[np.int32]:
    """Classes int32 [N] of scores [N, classes]: the first largest; of a single score 1 above 0, else 0.

    ``NO_CLASS`` where a score is NaN or infinite.
    """
    finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(scores).all(axis=1))
    safe = np.where(finite[:, None], scores, 0.0)
    found = np.asarray(safe[:, 0] > 0) if scores.shape[1] == 1 else safe.argmax(axis=1)
    classes: npt.NDArray[np.int32] = np.where(finite, found, NO_CLASS).astype(np.int32)
    return classes


def outcome_counts(before: Scores, after: Scores, same: npt.NDArray[np.bool_], labels: Labels) -> dict[str, int]:
    """Images in each outcome class (Li et al., SC'17; see `fat_fpga.engines.counts`); an image whose scores are not
    finite is in ``nonfinite``, and in no other but critical.

    Args:
        before, after: scores [N, classes] without the fault, which are finite, and with it.
        same: whether all scores of an image are the same, bit for bit, [N].
    """
    images = np.arange(len(before))
    was, now = predicted(before), predicted(after)
    finite = now != NO_CLASS
    safe = np.where(finite[:, None], after, 0.0)
    wide = before if before.shape[1] > 1 else np.concatenate([-before, before], axis=1)
    safe = safe if safe.shape[1] > 1 else np.concatenate([-safe, safe], axis=1)
    own = safe[images, was][:, None]
    numbers = np.arange(safe.shape[1])
    rank = ((safe > own) | ((safe == own) & (numbers < was[:, None]))).sum(axis=1)
    highest = wide[images, was]
    with np.errstate(over="ignore"):
        distance = np.abs(safe.max(axis=1) - highest)
    found = {
        "masked": same,
        "noncritical": finite & ~same & (was == now),
        "sdc1": finite & (was != now),
        "detected": np.zeros(len(before), np.bool_),
        NONFINITE: ~finite,
        "sdc5": finite & (rank >= 5),
        "sdc10": finite & (distance > 0.1 * np.abs(highest)),
        "sdc20": finite & (distance > 0.2 * np.abs(highest)),
        "critical": (was == labels) & (now != labels),
    }
    return {name: int(which.sum()) for name, which in found.items()}
