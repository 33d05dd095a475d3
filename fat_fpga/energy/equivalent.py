"""By which factor a rate of erasures stands for a rate of masked bits: p_e = c p."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.errors import EnergyError
from fat_fpga.reports.curves import Curve, Point

FACTORS = (0.1, 30.0)
"""Smallest and largest factor that is looked for."""
STEPS = 2000


@dataclass(frozen=True)
class Equivalent:
    """The factor of least squares.

    Attributes:
        factor: c; an erasure of words with probability c p is as bad as masked bits with probability p.
        rows: at each rate p of masked bits that is compared: p, mean accuracy in percent, that of
            erasures of c p, read off a straight line over the logarithm of the rate, and half of the 95 % interval of
            the difference of both means.
    """

    factor: float
    rows: tuple[tuple[float, float, float, float], ...]

    @property
    def agree(self) -> bool:
        """Whether no difference is larger than half of its interval."""
        return all(abs(one - other) <= half for _, one, other, half in self.rows)


@checked
def equivalent(masked: Curve, erased: Curve) -> Equivalent:
    """The factor c with the least mean of squared differences of accuracy.

    Rates whose c p is above the highest rate of the erasures are not compared, but half of them have to be. Below the
    lowest rate of the erasures the accuracy is that of the lowest.

    Raises:
        EnergyError: fewer than two rates above 0, or no factor for which two rates can be compared.
    """
    one, other = ([point for point in curve.points if point.rate > 0] for curve in (masked, erased))
    if len(one) < 2 or len(other) < 2:
        raise EnergyError("a factor of rates needs two rates above 0 in both sweeps")
    best: tuple[float, float] | None = None
    for factor in np.geomspace(*FACTORS, STEPS):
        rows = _rows(one, other, float(factor))
        if len(rows) >= max(2, len(one) / 2):
            error = float(np.mean([(a - b) ** 2 for _, a, b, _ in rows]))
            best = (error, float(factor)) if best is None or error < best[0] else best
    if best is None:
        raise EnergyError(
            f"the rates {one[0].rate:g} to {one[-1].rate:g} of masked bits and {other[0].rate:g} to "
            f"{other[-1].rate:g} of erasures have too little in common"
        )
    return Equivalent(best[1], tuple(_rows(one, other, best[1])))


def _rows(masked: Sequence[Point], erased: Sequence[Point], factor: float) -> list[tuple[float, float, float, float]]:
    logs = [log(point.rate) for point in erased]
    means, halves = [point.mean for point in erased], [point.half for point in erased]
    found = []
    for point in masked:
        where = log(point.rate * factor)
        if where <= logs[-1]:
            other, half = float(np.interp(where, logs, means)), float(np.interp(where, logs, halves))
            found.append((point.rate, point.mean, other, sqrt(point.half**2 + half**2)))
    return found
