"""Chains that only scale, shift and limit: fixed point, without a quantiser or with a wide one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import numpy as np
import numpy.typing as npt

from fat_fpga.network.layers import IntArray, Requantise
from fat_fpga.network.lowering.chain import AFFINE, FAR, Chain
from fat_fpga.network.lowering.constants import ROUNDING, whole
from fat_fpga.network.lowering.graph import attributes, label
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.operators import QUANTISERS
from fat_fpga.network.lowering.real import Real

LIMITS = ("Relu", "Clip", "Min", "Max")
"""Operators that limit a value, and otherwise leave it."""
LARGEST_FACTOR = 2**12
"""Of factors by which channels have a common grid."""
LARGEST_DENOMINATOR = 2**8
"""Of an offset in steps of the grid, where float32 has rounded it."""
ROUNDINGS = {"ROUND": "even", "HALF_EVEN": "even", "FLOOR": "down"}
UNLIMITED = -(2**31), 2**31 - 1
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Affine:
    """``scale * clip(factors * x + offsets, low, high)`` for integers ``x``; see `Requantise`."""

    factors: IntArray
    offsets: IntArray
    low: int
    high: int
    scale: float

    @property
    def plain(self) -> bool:
        """Whether it changes no integer."""
        return bool(np.all(self.factors == 1) and not self.offsets.any()) and (self.low, self.high) == UNLIMITED

    @property
    def limited(self) -> bool:
        """Whether it has a smallest and a largest result."""
        return self.low > UNLIMITED[0] and self.high < UNLIMITED[1]

    def layer(self, name: str, node: str) -> Requantise:
        return Requantise(name, self.factors, self.offsets, 0, self.low, self.high, "even", node)


def affine_of(chain: Chain, real: Real, exact: bool = False) -> Affine | str:
    """What a chain without a quantiser makes of integers, on the coarsest grid that all channels have; or why there is
    none.

    Args:
        exact: take nothing for a multiple of the grid that is one up to the rounding of float32 only.
    """
    found = _line(chain, real)
    if isinstance(found, str):
        return found
    slopes, shifts, (low, high) = found
    nonzero = slopes[slopes != 0]
    if not nonzero.size:
        return "the chain makes a constant of it"
    base = float(np.abs(nonzero).min())
    ratios = [_fraction(slope / base, LARGEST_FACTOR, exact) for slope in slopes]
    if any(ratio is None for ratio in ratios):
        return "its channels have scales that have no grid in common"
    offsets = [_fraction(shift / base, LARGEST_DENOMINATOR, exact) for shift in shifts]
    wrong = [channel for channel, offset in enumerate(offsets) if offset is None]
    if wrong:
        return f"a bias of {shifts[wrong[0]]:g} is no multiple of its step {base:g}, nor of a fraction of that"
    every = [value for value in (*ratios, *offsets) if value is not None]
    whole_ = lcm(*(value.denominator for value in every))
    common = gcd(*(int(value * whole_) for value in every))
    factors, moved = ([int((v or 0) * whole_) // common for v in values] for values in (ratios, offsets))
    scale = base * common / whole_
    if max(map(abs, factors)) > LARGEST_FACTOR or max(map(abs, moved)) >= 2**31:
        return "its channels have scales or biases that have no grid in common"
    ends = []
    for bound, unlimited in ((low, UNLIMITED[0]), (high, UNLIMITED[1])):
        steps = unlimited if bound is None else whole(np.array(bound), scale)
        if steps is None:
            return f"it is cut at {bound:g}, which is no multiple of the step {scale:g}"
        ends.append(int(steps))
    if ends[0] >= ends[1]:
        return "the chain makes a constant of it"
    return Affine(np.array(factors, np.int32), np.array(moved, np.int32), ends[0], ends[1], float(np.float32(scale)))


def fixed_point(chain: Chain, real: Real, grid: Grid, name: str) -> Requantise | None:
    """The layer that a chain with a quantiser at its end is, where factors and offsets are exact in fixed point."""
    count, levels = len(chain.steps), grid.levels
    if chain.nodes[-1].op_type == "DequantizeLinear":  # which only scales what a QuantizeLinear, and a Clip, make
        count -= 1 + (count > 2 and chain.nodes[-2].op_type == "Clip")
    last = chain.nodes[count - 1]
    rounding = ROUNDINGS.get(str(attributes(last).get("rounding_mode", "ROUND")).upper())
    if levels is None or levels.step != 1 or rounding is None:
        return None
    if last.op_type not in ("Quant", "IntQuant", "QuantizeLinear"):
        return None
    found = _line(chain.part(0, count - 1), real)
    if isinstance(found, str):
        return None
    slopes, shifts, limits = found
    slopes, shifts = slopes / grid.scale, shifts / grid.scale
    low, high = levels.min, levels.max
    for bound, least in zip(limits, (True, False), strict=True):
        if bound is not None:
            end = int(np.rint(bound / grid.scale))
            low, high = (max(low, end), high) if least else (low, min(high, end))
    for shift in range(32):
        factors, offsets = (np.ldexp(values, shift) for values in (slopes, shifts))
        if max(np.abs(factors).max(), np.abs(offsets).max()) >= 2**31:
            return None
        rounded = [np.rint(values) for values in (factors, offsets)]
        if all(np.all(np.abs(a - b) <= 2.0**-30) for a, b in zip(rounded, (factors, offsets), strict=True)):
            if low >= high:
                return None
            integers = [values.astype(np.int32) for values in rounded]
            return Requantise(name, integers[0], integers[1], shift, low, high, rounding, last.name)
    return None


def _line(chain: Chain, real: Real) -> tuple[Floats, Floats, tuple[float | None, float | None]] | str:
    """Slopes [C] and shifts [C] of a chain of affine nodes, and the limits at its end; or what it is instead."""
    operators = [step.operator.node.op_type for step in chain.steps]
    start = next((i for i, operator in enumerate(operators) if operator not in AFFINE), len(operators))
    other = [step for step in chain.steps[start:] if step.operator.node.op_type not in LIMITS]
    if other or any(len(step.nodes) > 1 for step in chain.steps):
        functions = [step.nodes[-1] for step in other or chain.steps]
        culprit = next((node for node in reversed(functions) if node.op_type not in QUANTISERS), functions[-1])
        return f"{label(culprit)} needs a quantiser behind it"
    integers = np.repeat(np.array([[0], [2**20]], np.int64), chain.count, axis=1)
    double = real.double(integers)
    if double is None:
        return "its grids have nothing in common"
    shifts, ends = chain.part(0, start)(double)
    slopes: Floats = (ends - shifts) / 2**20
    limits = chain.part(start, len(operators))(np.repeat([[-FAR], [FAR]], chain.count, axis=1))
    if np.any(limits != limits[:, :1]):
        return "it is cut at bounds of each channel"
    low, high = (float(value) for value in limits[:, 0])
    return slopes, shifts, (None if low == -FAR else low, None if high == FAR else high)


def _fraction(value: float, largest: int, exact: bool) -> Fraction | None:
    """The fraction of small numbers that a quotient of float32 numbers stands for; None where it is of none."""
    found = Fraction(value).limit_denominator(largest)
    off, allowed = abs(value - float(found)), ROUNDING * max(abs(value), 2.0**-24)
    if off == 0 or (not exact and off <= allowed and allowed * found.denominator**2 < 0.5):
        return found
    return None
