"""Building a plan into a network."""

from __future__ import annotations

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.errors import PlanError
from fat_fpga.hardening.plan import Plan
from fat_fpga.hardening.rewrite import Layout, laid_out
from fat_fpga.network import Network


@checked
def harden(network: Network, plan: Plan) -> Network:
    """The network with the plan's copies and voters in it; its fault-free function is the same.

    Raises:
        PlanError: the plan is of another model.
    """
    if plan.fingerprint != network.fingerprint:
        raise PlanError(
            f"the plan is for {plan.model} ({plan.fingerprint[:8]}), this model is {network.name} "
            f"({network.fingerprint[:8]}): plan from a campaign on this model"
        )
    return laid_out(network, {unit.unit: Layout(unit.rows, unit.order) for unit in plan.units if unit.changed})


@checked
def check_same_function(network: Network, hardened: Network, images: int = 16) -> None:
    """PlanError if any class score differs on so many random images."""
    from fat_fpga.crosscheck import random_images
    from fat_fpga.engines.reference import execute

    pixels = random_images(network, images)
    last = network.scores
    if not np.array_equal(execute(network, pixels)[last], execute(hardened, pixels)[last]):
        raise PlanError(f"the hardened network does not compute what {network.name} does: please report it")


@checked
def folding_of(plan: Plan) -> dict[str, dict[str, int]]:
    """PE and SIMD of each hardened unit by name, in the form that ``--folding`` reads from a JSON file."""
    return {unit.unit: {"PE": unit.pe, "SIMD": unit.simd} for unit in plan.units}
