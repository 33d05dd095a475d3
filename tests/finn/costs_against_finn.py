"""The planner's costs against FINN's own estimates of whole networks.

``.venv-finn/bin/python -m tests.finn.costs_against_finn`` prints the table of docs/planning.md. FINN gets the network
with its weights, and narrows accumulators to them; the planner gets what a run file keeps: sizes and datatypes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fat_fpga.boards import Board, board
from fat_fpga.campaign.layer_table import layer_table
from fat_fpga.finn.estimates import LayerEstimate, estimate
from fat_fpga.finn.folding import read_build_folding
from fat_fpga.hardening.costs.finn import FinnModel
from fat_fpga.hardening.costs.model import Built
from fat_fpga.hardening.design import units_of
from fat_fpga.hardening.values import with_values
from fat_fpga.network import Network
from fat_fpga.network.folding import Fold, divisors
from fat_fpga.text import align
from tests.finn.cost_networks import DESIGNS, network_of

RANDOM = 12
"""Random foldings of each network."""


@dataclass(frozen=True)
class Compared:
    """LUTs, BRAM_18K and DSPs by FINN and by the planner, and LUTs of each unit.

    Attributes:
        units: name, LUTs by FINN, LUTs by the planner.
    """

    name: str
    folding: str
    finn: tuple[int, int, int]
    ours: tuple[int, int, int]
    units: tuple[tuple[str, int, int], ...]

    @property
    def error(self) -> float:
        """Of the LUTs, in percent of FINN's."""
        return 100 * (self.ours[0] / self.finn[0] - 1)

    @property
    def worst_unit(self) -> tuple[float, str]:
        """The largest error of LUTs of a unit, in percent of FINN's; units that both build from DSPs have none."""
        errors = [(100 * (ours / finn - 1) if finn else 0.0 if not ours else float("inf"), name)
                  for name, finn, ours in self.units]  # fmt: skip
        return max(errors, key=lambda found: abs(found[0]))


def compared(network: Network, folding: str, part: Board, values: bool = False) -> Compared:
    """One network under a folding, by FINN and by the planner without FINN.

    Args:
        values: whether the planner is given the model, too.
    """
    asked = read_build_folding(folding, network)
    finn = estimate(network, asked, part)
    rows, model = layer_table(network), FinnModel(live=False, board=part)
    design = with_values(units_of(rows), network) if values else units_of(rows)
    built = [Built(unit, 0, asked.folds[unit.name].pe, asked.folds[unit.name].simd) for unit in design]
    folds = {unit.name: Fold(asked.folds[unit.name].pe, asked.folds[unit.name].simd) for unit in design}
    between = model.between(rows, folds, max(one.cycles for one in built))
    resources = [model.resources(one) for one in built]
    theirs = [layer for layer in finn.layers if layer.node.startswith("MVAU")]
    check_cycles(theirs, built)
    return Compared(
        network.name,
        folding,
        (finn.lut, finn.bram_18k, finn.dsp),
        (
            round(sum(map(model.price, built)) + sum(one.price for one in between)),
            round(sum(needs["BRAM_18K"] for needs in resources)),
            round(sum(needs["DSP"] for needs in resources)),
        ),
        tuple((one.unit.name, layer.lut, round(model.price(one))) for one, layer in zip(built, theirs, strict=True)),
    )


def check_cycles(theirs: list[LayerEstimate], built: list[Built]) -> None:
    """AssertionError unless each unit takes as many cycles by FINN as by the planner."""
    assert [layer.cycles for layer in theirs] == [one.cycles for one in built]


def random_foldings(network: Network, count: int, seed: int = 0) -> Iterator[str]:
    """Foldings of any legal PEs; every other one with a single SIMD lane everywhere, where accumulators weigh most."""
    rng, design = np.random.default_rng(seed), units_of(layer_table(network))
    for number in range(count):
        yield ",".join(
            f"{rng.choice(divisors(unit.channels))}x{rng.choice(divisors(unit.lanes)) if number % 2 else 1}"
            for unit in design
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.finn.costs_against_finn", description=__doc__)
    parser.add_argument("--board", default="ZCU104", help="ZCU104, Ultra96 or Pynq-Z1 (default: ZCU104)")
    parser.add_argument("--random", type=int, default=RANDOM, help=f"random foldings each (default: {RANDOM})")
    args = parser.parse_args()
    part = board(args.board)
    head = ["network", "LUT by FINN", "from the run", "worst unit", "with --model", "BRAM_18K", "DSP"]
    rows = [[*head, f"{args.random} random foldings", "worst unit", "with --model", "BRAM_18K, DSP"]]
    for design in DESIGNS:
        network = network_of(design)
        own = compared(network, design.folding, part)
        known = compared(network, design.folding, part, values=True)
        foldings = list(random_foldings(network, args.random))
        others = [compared(network, folding, part) for folding in foldings]
        closer = [compared(network, folding, part, values=True) for folding in foldings]
        rows.append([
            design.name, f"{own.finn[0]:,}", f"{own.error:+.1f} %", f"{own.worst_unit[0]:+.1f} %",
            f"{known.error:+.1f} %", f"{own.finn[1]}, {own.ours[1]}", f"{own.finn[2]}, {own.ours[2]}",
            _range(others), f"{max((other.worst_unit[0] for other in others), key=abs):+.1f} %", _range(closer),
            _equal(others),
        ])  # fmt: skip
    print(f"{part.name}\n\n{align(rows)}")


def _range(found: list[Compared]) -> str:
    errors = [one.error for one in found]
    return f"{min(errors):+.1f} to {max(errors):+.1f} %"


def _equal(found: list[Compared]) -> str:
    differing = sum(one.finn[1:] != one.ours[1:] for one in found)
    return "equal" if not differing else f"{differing} differ"


if __name__ == "__main__":
    main()
