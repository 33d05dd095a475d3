"""An operating point for each block of a network: the paper's fixed ratios, and the least energy for a loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.energy.reliability import Reliability
from fat_fpga.errors import EnergyError

TOLERANCE = 1e-5
"""Points of accuracy by which the solver may miss a loss."""


@dataclass(frozen=True)
class Block:
    """A part of a network whose memories have one supply.

    Attributes:
        name: of it.
        accesses: of an inference.
        points: rate and loss of accuracy in points when this block alone has errors at that rate.
    """

    name: str
    accesses: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Assignment:
    """A rate for each block.

    Attributes:
        rates: by the name of the block; 0 is a reliable memory.
        energy: of an inference, in accesses of a reliable memory.
        loss: sum of the losses of the blocks, in points. That losses add up is an assumption: measure the result.
    """

    rates: dict[str, float]
    energy: float
    loss: float


@checked
def assign(blocks: Sequence[Block], reliability: Reliability, loss: float) -> Assignment:
    """The rates of least energy whose losses add up to at most ``loss`` points.

    Each block takes one of its points, or a reliable memory: an integer program, solved exactly by HiGHS
    (`scipy.optimize.milp`), up to ``TOLERANCE``. A block whose errors do no harm, or help by chance, counts as a loss
    of 0.

    Raises:
        EnergyError: there are no blocks, or the loss is below 0; the nearest that is feasible is 0.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    if not blocks:
        raise EnergyError("an assignment needs at least one block")
    if not loss >= 0:
        raise EnergyError(f"a loss of {loss:g} points is not feasible: the nearest is 0, with reliable memories")
    options = [
        (number, rate, block.accesses * reliability.energy(rate), max(0.0, lost))
        for number, block in enumerate(blocks)
        for rate, lost in ((0.0, 0.0), *block.points)
    ]
    belongs = np.array([[number == own for own, *_ in options] for number in range(len(blocks))], float)
    costs, losses = np.array([cost for *_, cost, _ in options]), np.array([[lost for *_, lost in options]])
    found = milp(
        costs,
        integrality=np.ones(len(options)),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(belongs, 1, 1), LinearConstraint(losses, -np.inf, loss)],
        options={"mip_rel_gap": 0},
    )
    assert found.x is not None, found.message
    chosen = [option for option, taken in zip(options, found.x, strict=True) if taken > 0.5]
    rates = {blocks[number].name: rate for number, rate, _, _ in chosen}
    return Assignment(rates, sum(cost for *_, cost, _ in chosen), sum(lost for *_, lost in chosen))


@checked
def assign_ratios(
    blocks: Sequence[Block], ratios: Sequence[float], reliability: Reliability, loss: float
) -> Assignment:
    """Rates in fixed ratios to each other, as the paper has them (section IV-C): the highest with losses of at most
    ``loss`` points.

    The loss of a block between two of its points is read off a straight line over the rate.

    Raises:
        EnergyError: not one ratio above 0 for each block, or no rate is low enough.
    """
    if len(ratios) != len(blocks) or not blocks or not all(ratio > 0 for ratio in ratios):
        raise EnergyError(f"expected a ratio above 0 for each of {len(blocks)} blocks, got {list(ratios)}")
    if not loss >= 0:
        raise EnergyError(f"a loss of {loss:g} points is not feasible: the nearest is 0, with reliable memories")

    def lost(base: float) -> float:
        return sum(_interpolated(block, base * ratio) for block, ratio in zip(blocks, ratios, strict=True))

    highest = min(max(rate for rate, _ in block.points) / ratio for block, ratio in zip(blocks, ratios, strict=True))
    low, high = 0.0, highest
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if lost(middle) <= loss else (low, middle)
    base = highest if lost(highest) <= loss else low
    rates = {block.name: base * ratio for block, ratio in zip(blocks, ratios, strict=True)}
    energy = sum(block.accesses * reliability.energy(rates[block.name]) for block in blocks)
    return Assignment(rates, energy, lost(base))


def _interpolated(block: Block, rate: float) -> float:
    points = sorted([(0.0, 0.0), *block.points])
    return max(0.0, float(np.interp(rate, [one for one, _ in points], [max(0.0, lost) for _, lost in points])))
