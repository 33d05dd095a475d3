"""Accuracy by energy, and energies compared at equal accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fat_fpga.arguments import checked
from fat_fpga.energy.reliability import Reliability
from fat_fpga.errors import EnergyError


@dataclass(frozen=True)
class EnergyPoint:
    """A network at one energy.

    Attributes:
        energy: of an inference, in accesses of a reliable memory (eta E0).
        accuracy: in percent.
        probability: of a wrong bit; 0 of a reliable memory.
    """

    energy: float
    accuracy: float
    probability: float = 0.0


@checked
def energy_curve(
    energy: float, error_free: float, points: Sequence[tuple[float, float]], reliability: Reliability
) -> list[EnergyPoint]:
    """The points of a sweep by energy, ascending; the last one is the reliable memory.

    Args:
        energy: E0, of an inference with reliable memories.
        error_free: accuracy without errors, in percent.
        points: rate and mean accuracy in percent of each point.
        reliability: energy by rate.
    """
    found = [EnergyPoint(energy * reliability.energy(rate), accuracy, rate) for rate, accuracy in points if rate > 0]
    return sorted([*found, EnergyPoint(float(energy), error_free)], key=lambda point: (point.energy, point.accuracy))


@checked
def least_energy(points: Sequence[EnergyPoint], accuracy: float) -> float:
    """The least energy of an accuracy, on the straight lines between points of rising energy and accuracy.

    Points that need more energy than another one for no more accuracy are left out.

    Raises:
        EnergyError: no point reaches it; the message names the largest accuracy.
    """
    front = _front(points)
    if not front or front[-1].accuracy < accuracy:
        nearest = f"the nearest is {front[-1].accuracy:.2f} % at {front[-1].energy:,.0f} accesses" if front else "none"
        raise EnergyError(f"an accuracy of {accuracy:.2f} % is not reached: {nearest}")
    if accuracy <= front[0].accuracy:
        return front[0].energy
    for low, high in pairwise(front):
        if accuracy <= high.accuracy:
            share = (accuracy - low.accuracy) / (high.accuracy - low.accuracy)
            return low.energy + share * (high.energy - low.energy)
    raise AssertionError


@checked
def best_reduction(faulty: Sequence[EnergyPoint], reliable: Sequence[EnergyPoint]) -> tuple[float, EnergyPoint] | None:
    """The largest factor by which a faulty memory needs less energy than a reliable network of the same accuracy.

    Args:
        faulty: points of one network.
        reliable: networks of several sizes with reliable memories.

    Returns:
        The factor and the faulty point; None where no reliable network has the accuracy of a faulty point. A point
        below the worst reliable network is not compared: how small that one could be is not known.
    """
    worst = min(point.accuracy for point in reliable)
    found = []
    for point in faulty:
        if point.accuracy >= worst and point.probability > 0:
            try:
                found.append((least_energy(reliable, point.accuracy) / point.energy, point))
            except EnergyError:
                continue
    return max(found, key=lambda pair: pair[0]) if found else None


def _front(points: Sequence[EnergyPoint]) -> list[EnergyPoint]:
    """The points that no other one beats in both, by energy."""
    found: list[EnergyPoint] = []
    for point in sorted(points, key=lambda point: (point.energy, -point.accuracy)):
        if not found or point.accuracy > found[-1].accuracy:
            found.append(point)
    return found
