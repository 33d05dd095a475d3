"""Why a plan cannot be had, and the nearest that can."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from fat_fpga.errors import PlanError
from fat_fpga.hardening.cheapest import Builder
from fat_fpga.hardening.plan_costs import slowest
from fat_fpga.hardening.target import Target

if TYPE_CHECKING:
    from fat_fpga.hardening.planner import Planner


def check_rate(builder: Builder, cycles: int | None, clock: float | None) -> None:
    """PlanError for fewer cycles than some unit takes with all the PEs that it can have, on a part of any size.

    Args:
        cycles: most for an image; None for any number.
        clock: MHz.
    """
    fewest = {unit.name: builder.fewest_cycles(unit) for unit in builder.design}
    slowest_unit = max(fewest, key=lambda name: fewest[name])
    least = fewest[slowest_unit]
    if cycles is None or cycles >= least:
        return
    simd = builder.folds[slowest_unit].simd or 1
    what = f"{slowest_unit} takes {least:,} cycles at least with {simd} SIMD {'lane' if simd == 1 else 'lanes'}"
    if clock is None:
        raise PlanError(f"{what}, {cycles:,} were asked for: take more SIMD lanes in the folding")
    asked = f"{clock * 1e6 / cycles:,.0f}" if cycles else "so many"
    raise PlanError(
        f"{asked} frames a second cannot be reached: {what}; the most is --fps {_rate(clock, least)} at {clock:g} MHz, "
        "a higher rate needs more SIMD lanes in the folding"
    )


def impossible(planner: Planner, target: int) -> str:
    """Why no network can be built that keeps the measure at ``target``: the part is too small."""
    about = planner.criticality.target
    possible = [t for t in planner.criticality.targets if t < target and planner.least(t) is not None]
    where = ""
    if planner.board:
        used = _cheapest_use(planner, target)
        where = f" on {planner.board.name}" + (f" ({used})" if used else "")
    text = f"no network with a {about.title} of {about.text(target)} can be built{where}; "
    if possible:
        return text + f"nearest possible: {enough(possible[-1], about)}"
    return text + "not even the network without copies: take another folding or a larger part" + _slower(planner)


def enough(value: int, about: Target) -> str:
    """The option to ask with where ``value`` is the most that can be had: its error, rounded up."""
    error = ceil(about.full * 10**6 * Fraction(about.most - value, about.most))
    option = "--worst-cost" if about.costs else "--worst-error"
    return f"{option} {f'{error / 10**6:.6f}'.rstrip('0').rstrip('.')}"


def _cheapest_use(planner: Planner, target: int) -> str:
    """What the cheapest network would take of the part, were there no limits."""
    assert planner.board is not None
    free = planner.builder.unlimited()
    built = free.cheapest(planner.forced(target))
    if built is None:
        return ""
    total = free.resources(built)
    lut = free.price(built) + sum(one.price for one in planner.between)
    return (
        f"it takes {lut:,.0f} of {planner.board.lut:,} LUTs, "
        f"{total.get('BRAM_18K', 0):,.0f} of {planner.board.bram_18k:,} BRAM_18K"
    )


def _slower(planner: Planner) -> str:
    """The highest rate at which the network without copies fits the part, if there is one and a clock to tell it."""
    builder = planner.builder
    slower = [cycles for cycles in builder.cycle_counts({}) if cycles > (builder.cycles or 0)]
    low, high = 0, len(slower)
    while low < high:  # what fits at a rate fits at every lower one: bisection
        middle = (low + high) // 2
        if builder.within(slower[middle], keep=False).cheapest({}) is not None:
            high = middle
        else:
            low = middle + 1
    if planner.clock is None or low == len(slower):
        return ""
    network = builder.within(slower[low], keep=False).cheapest({})
    assert network is not None
    return f", or a lower rate: it fits at --fps {_rate(planner.clock, int(slowest(network)))}"


def _rate(clock: float, cycles: int) -> str:
    """Frames a second, rounded down so that they can be asked for."""
    rate = clock * 1e6 / cycles
    return str(floor(rate)) if rate >= 10 else f"{floor(rate * 1000) / 1000:g}"
