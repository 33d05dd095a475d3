"""The fewest parameters that reach an error under deviations (Vialatte and Leduc-Primeau 2017, section V-B)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fat_fpga.arguments import checked
from fat_fpga.sizes.measured import Measured


@dataclass(frozen=True)
class Need:
    """What a target needs at a rate.

    Attributes:
        target: highest error, in percent.
        rate: probability of a deviation.
        smallest: the network with the fewest parameters that reaches the target there; None where none does.
        increase: its parameters relative to those that the target needs without deviations, less 1; None where one of
            the two is missing.
    """

    target: float
    rate: float
    smallest: Measured | None
    increase: float | None


@checked
def fewest(measured: Sequence[Measured], deviation: str, rate: float, target: float) -> Measured | None:
    """The network with the fewest parameters whose error is at most ``target`` percent; None where none has."""
    reached = [one for one in measured if one.error(deviation, rate) <= target]
    return min(reached, key=lambda one: (one.parameters, one.candidate.name), default=None)


@checked
def needs(measured: Sequence[Measured], deviation: str, rates: Sequence[float], targets: Sequence[float]) -> list[Need]:
    """For each target and rate the smallest network; rate 0 is without deviations."""
    found = []
    for target in targets:
        without = fewest(measured, deviation, 0, target)
        for rate in rates:
            smallest = fewest(measured, deviation, rate, target)
            increase = None
            if smallest is not None and without is not None:
                increase = smallest.parameters / without.parameters - 1
            found.append(Need(target, rate, smallest, increase))
    return found


@checked
def best_of(measured: Sequence[Measured], layers: int, count: int = 5) -> list[Measured]:
    """The networks of so many layers with the fewest errors without deviations (Figures 1 and 2 take five)."""
    of_layers = [one for one in measured if one.candidate.layers == layers]
    return sorted(of_layers, key=lambda one: (one.error_free, one.parameters))[:count]
