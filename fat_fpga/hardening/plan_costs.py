"""What a plan costs: figures without copies, as planned, and with every channel or PE triplicated."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fat_fpga.hardening.cheapest import Builder
from fat_fpga.hardening.costs.macs import MacsModel
from fat_fpga.hardening.costs.model import Between, Built
from fat_fpga.hardening.plan import Cost

BETWEEN = "LUTs of window generators and input thresholds"
"""What is the same with copies and without."""


def costs_of(
    builder: Builder, built: Sequence[Built], clock: float | None, between: Sequence[Between] = ()
) -> tuple[Cost, ...]:
    """The model's price and resources, and the price of what stands between units; under a folding also MACs, cycles,
    and frames a second at a clock in MHz."""
    plain, full = builder.unprotected(), builder.full()

    def cost(name: str, figure: Callable[[Sequence[Built]], float]) -> Cost:
        return Cost(name, figure(plain), figure(built), None if full is None else figure(full))

    def resource(name: str) -> Cost:
        return cost(name, lambda network: builder.resources(network)[name])

    macs, hertz = MacsModel(), 1e6 * (clock or 0)
    rows = [cost(builder.model.title, builder.price)]
    if between:
        same = sum(one.price for one in between)
        rows.append(Cost(BETWEEN, same, same, None if full is None else same))
    rows += map(resource, builder.resources(plain))
    if builder.model.folded:
        rows.append(cost(macs.title, lambda network: sum(map(macs.price, network))))
        rows.append(cost("cycles of the slowest unit", slowest))
    if builder.model.folded and clock:
        rows.append(cost(f"frames a second at {clock:g} MHz", lambda network: hertz / slowest(network)))
    return tuple(rows)


def slowest(built: Sequence[Built]) -> int:
    """Cycles of the unit that sets the rate."""
    return max(one.cycles for one in built)
