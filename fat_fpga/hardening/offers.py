"""The next cheaper and the next faster folding of a plan: what another rate would cost."""

from __future__ import annotations

from dataclasses import dataclass

from fat_fpga.hardening.plan_costs import slowest
from fat_fpga.hardening.planner import Planner


@dataclass(frozen=True)
class Offer:
    """A network of the same promise at another rate.

    Attributes:
        cycles: of its slowest unit, for an image.
        price: in the cost model's measure.
        folding: PEs and SIMD lanes of each unit: ``16x3,33x32``.
    """

    cycles: int
    price: float
    folding: str


def offers(planner: Planner, target: int) -> tuple[Offer | None, Offer | None]:
    """The fastest network that is cheaper than the plan for a target, and the cheapest one that is faster.

    None where there is no such network, or the model knows no folding.
    """
    built, builder = planner.least(target), planner.builder
    if built is None or not planner.model.folded:
        return None, None
    forced, now, price = planner.forced(target), int(slowest(built)), builder.price(built)

    def offer(cycles: int) -> Offer | None:
        network = builder.within(cycles).cheapest(forced)
        if network is None:
            return None
        folding = ",".join(f"{one.pe}x{one.simd}" for one in network)
        return Offer(int(slowest(network)), builder.price(network), folding)

    steps = builder.cycle_counts(forced)
    cheaper, faster = None, None
    slower = [cycles for cycles in steps if cycles > now]
    low, high = 0, len(slower)
    while low < high:  # the price falls as more cycles are allowed: bisection
        middle = (low + high) // 2
        found = offer(slower[middle])
        if found is not None and found.price < price:
            cheaper, high = found, middle
        else:
            low = middle + 1
    for cycles in reversed([cycles for cycles in steps if cycles < now]):
        faster = offer(cycles)
        if faster is not None:
            break
    return cheaper, faster
