"""The cheapest measure for each layer, for one promised worst case: an integer program, solved exactly by HiGHS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fat_fpga.hardening.layerwise.measure import Measures
from fat_fpga.hardening.layerwise.price import Price


@dataclass(frozen=True)
class Option:
    """One way to build one layer.

    Attributes:
        measures: of the layer.
        price: of it.
        worst: images correct under the worst threat in the layer, and no more than without faults.
    """

    measures: Measures
    price: Price
    worst: Fraction


Options = Mapping[str, Sequence[Option]]
"""By layer; each has at least one."""
Limits = tuple[float, float, float]
"""LUTs, BRAM_18K and DSP slices that the layers may take together."""


@dataclass(frozen=True)
class Chosen:
    """An option for each layer."""

    options: Mapping[str, Option]

    @property
    def uses(self) -> tuple[int, int, int]:
        """LUTs, BRAM_18K, DSP slices of all layers."""
        sums = np.array([option.price.uses for option in self.options.values()]).sum(axis=0)
        return int(sums[0]), int(sums[1]), int(sums[2])

    @property
    def worst(self) -> Fraction:
        """Images correct under any one threat in any one layer."""
        return min(option.worst for option in self.options.values())

    def cost(self, bram_luts: float) -> float:
        """LUTs, and for each BRAM_18K so many."""
        luts, bram, _ = self.uses
        return luts + bram_luts * bram


def choose(options: Options, target: Fraction, bram_luts: float, limits: Limits | None = None) -> Chosen | None:
    """The cheapest option for each layer whose worst case is at least ``target``; None where there is none.

    Each threat is in one layer, and a measure in another layer does nothing about it, so a worst case is kept by
    exactly the choices in which each layer keeps it. What binds layers together are the limits of a part, and clipped
    activations, which are in all layers or in none.

    Args:
        bram_luts: LUTs that one BRAM_18K counts as.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    open_options = [(layer, option) for layer, own in options.items() for option in own if option.worst >= target]
    if {layer for layer, _ in open_options} != set(options):
        return None
    uses = np.array([option.price.uses for _, option in open_options], float)
    count = len(open_options)
    rows, ends = [], []
    for layer in options:  # one option each
        rows.append([layer == own for own, _ in open_options] + [0])
        ends.append((1.0, 1.0))
    for layer in options:  # the last variable says whether activations are clipped
        rows.append([layer == own and option.measures.clip for own, option in open_options] + [-1])
        ends.append((0.0, 0.0))
    for resource, most in enumerate(limits or ()):
        rows.append([*uses[:, resource], 0])
        ends.append((-np.inf, most))
    low, high = np.array(ends, float).T
    found = milp(
        np.array([*(uses[:, 0] + bram_luts * uses[:, 1]), 0]),
        integrality=np.ones(count + 1),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(np.array(rows, float), low, high),
        options={"mip_rel_gap": 0},
    )
    if found.x is None:
        return None
    return Chosen({layer: option for (layer, option), taken in zip(open_options, found.x, strict=False) if taken > 0.5})


def targets(options: Options) -> list[Fraction]:
    """Every worst case that some choice can have, without limits, ascending."""
    most = min(max(option.worst for option in own) for own in options.values())
    return sorted({option.worst for own in options.values() for option in own if option.worst <= most})


def highest(options: Options, bram_luts: float, limits: Limits | None = None) -> Chosen | None:
    """The choice with the best worst case that can be had; None where nothing keeps the limits."""
    best, known = None, targets(options)
    low, high = 0, len(known)
    while low < high:  # a choice for a target is one for every lower target
        middle = (low + high) // 2
        found = choose(options, known[middle], bram_luts, limits)
        if found is None:
            high = middle
        else:
            best, low = found, middle + 1
    return best


def front(options: Options, bram_luts: float, limits: Limits | None = None) -> list[Chosen]:
    """Every best trade of worst case and cost, the cheapest first."""
    found: list[Chosen] = []
    for target in targets(options):
        one = choose(options, target, bram_luts, limits)
        if one is None:
            break
        while found and one.cost(bram_luts) <= found[-1].cost(bram_luts):
            found.pop()
        found.append(one)
    return found
