"""Batch norms that give back the thresholds of an integer network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

NEVER = 2**30
"""Thresholds from here on, of either sign, stand for one that every sum meets, or none."""


@dataclass(frozen=True)
class Lines:
    """``gain * (accumulator - place) + at`` for each channel, in place of its thresholds.

    Attributes:
        gain, place, at: float64 [M].
        free: bool [M], where any positive gain would do.
        exact: whether every threshold is met by the same integers as before.
    """

    gain: FloatArray
    place: FloatArray
    at: FloatArray
    free: NDArray[np.bool_]
    exact: bool

    @property
    def columns(self) -> tuple[NDArray[Any], ...]:
        """Gain, place, at and free."""
        return self.gain, self.place, self.at, self.free


def lines_through(thresholds: NDArray[np.int32], boundaries: FloatArray) -> Lines:
    """Find for each channel the line that reaches each boundary where its threshold is met.

    Threshold ``t`` is met from the accumulator ``t`` on, not at ``t - 1``, so the line must cross the boundary between
    the two. Of all lines the one is taken whose largest distance from the middles ``t - 1/2`` is least: it is exact if
    that is below 1/2, and it always is where the thresholds come from a batch norm and an evenly spaced quantiser.

    Args:
        thresholds: int32 [M, T], ascending.
        boundaries: [T], ascending: inputs of the quantiser at which it takes the next level.
    """
    lines, exact = [], True
    for channel in thresholds.astype(np.float64):
        known = np.abs(channel) < NEVER
        places, at = channel[known] - 0.5, boundaries[known]
        if not known.any():  # constant: -1 in front of all sums, or behind
            places, at = np.clip(channel[:1], -NEVER, NEVER), boundaries[:1]
        if len(places) == 1:
            lines.append((1.0, places[0], at[0], True))
            continue
        slope, start, away = _least_distance(at, places)
        exact &= away < 0.5
        lines.append((1 / slope, start, 0.0, False))
    gain, place, level, free = (np.array(column) for column in zip(*lines, strict=True))
    return Lines(gain, place, level, free, exact)


def _least_distance(at: FloatArray, places: FloatArray) -> tuple[float, float, float]:
    """Slope, start and largest distance of the rising line nearest to all points (at, places), by its largest distance.

    It is parallel to a line through two of them.
    """
    first, second = np.triu_indices(len(at), 1)
    least = 1e-3 / (at[-1] - at[0])  # all thresholds equal: a step of several levels, between two integers
    slopes = np.unique(np.maximum((places[second] - places[first]) / (at[second] - at[first]), least))
    rest = places - slopes[:, None] * at
    distance = np.ptp(rest, axis=1) / 2
    best = int(np.argmin(distance))
    return float(slopes[best]), float((rest[best].max() + rest[best].min()) / 2), float(distance[best])
