"""From runs, a network and its folding to the options of each layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from fat_fpga.boards import Board
from fat_fpga.campaign import Run
from fat_fpga.errors import PlanError
from fat_fpga.hardening.costs.finn import FinnModel
from fat_fpga.hardening.costs.model import Between, Built
from fat_fpga.hardening.design import UnitShape, branching, design_of
from fat_fpga.hardening.folding import legal_folding
from fat_fpga.hardening.layerwise.choose import Limits, Option
from fat_fpga.hardening.layerwise.evidence import WORST, Evidence, check_alike, evidence
from fat_fpga.hardening.layerwise.measure import Measures
from fat_fpga.hardening.layerwise.price import prices
from fat_fpga.hardening.values import check_model, with_values
from fat_fpga.network import Network
from fat_fpga.network.folding import Fold


@dataclass(frozen=True, eq=False)
class Problem:
    """What measures can be had in each layer.

    Attributes:
        network: its name.
        run: one without measures.
        base, others: what runs say, without measures and with each.
        options: by layer.
        between: what stands between the units, with measures as without.
        model: FINN's estimates.
        board: whose limits are kept.
        notes: what was not measured, and what is counted instead.
    """

    network: str
    run: Run
    base: Evidence
    others: tuple[Evidence, ...]
    options: Mapping[str, tuple[Option, ...]]
    between: tuple[Between, ...]
    model: FinnModel
    board: Board | None
    notes: tuple[str, ...]

    @property
    def limits(self) -> Limits | None:
        """What the part leaves for the units."""
        if self.board is None:
            return None
        return self.board.lut - sum(one.price for one in self.between), self.board.bram_18k, self.board.dsp

    @property
    def golden(self) -> int:
        """Images correct without faults and measures."""
        return self.base.golden


def problem(
    network: Network,
    folds: Mapping[str, Fold],
    without: Sequence[Run],
    having: Sequence[tuple[Measures, Sequence[Run]]],
    judge: str = WORST,
    up_to: float | None = None,
    board: Board | None = None,
) -> Problem:
    """The options of each layer.

    Args:
        network: without measures.
        folds: PEs and SIMD lanes of each unit.
        without: runs without measures: each kind of fault and each rate in them is a threat.
        having: runs with measures.
        judge, up_to: as of `evidence`.
        board: a part that it has to fit, and that FINN's estimates are for.

    Raises:
        PlanError: runs are not of this network, on other images than each other, or say too little.
    """
    first = without[0]
    check_model(first, network)
    check_alike(first, [run for _, runs in having for run in runs])
    base = evidence(Measures(), without, judge, up_to)
    others = tuple(evidence(measures, runs, judge, up_to) for measures, runs in having)
    design = with_values(design_of(first, network), network)
    for one in others:
        _check_network(one, base, design)
    told, notes = legal_folding(design, dict(folds))
    plain = {unit.name: Built(unit, 0, told[unit.name].pe, told[unit.name].simd or 1) for unit in design}
    cycles = max(built.cycles for built in plain.values())
    model = FinnModel.of(board)
    between = model.between(first.layers, told, cycles, branching(first, network))
    options = {}
    for unit in design:
        found: list[Option] = []
        for own in (base, *others):
            if own.measures.tmr and own.channels.get(unit.name) != 3 * unit.channels:
                continue  # the run has no copies there, as of the last unit
            worst = _worst(unit.name, own, base)
            priced = prices(own.measures, unit, told[unit.name], model, cycles, own.protection)
            found += [Option(own.measures, price, worst) for price in priced]
        options[unit.name] = tuple(found)
    notes += _notes(base, others, [unit.name for unit in design])
    return Problem(network.name, first, base, others, options, tuple(between), model, board, tuple(notes))


def _check_network(one: Evidence, base: Evidence, design: Sequence[UnitShape]) -> None:
    """PlanError where a network cannot be the one without measures, with these."""
    same = one.fingerprint == base.fingerprint
    if same and (one.measures.tmr or one.measures.clip):
        raise PlanError(f"the runs given as {one.measures} are on the network without measures: give those with them")
    if not same and not (one.measures.tmr or one.measures.clip):
        raise PlanError(
            f"the runs given as {one.measures} are on another network ({one.fingerprint[:8]}) than those without "
            f"measures ({base.fingerprint[:8]}): a code changes none"
        )
    lacking = [unit.name for unit in design if unit.name not in one.channels]
    if lacking:
        raise PlanError(f"the runs given as {one.measures} are on a network without {lacking[0]}")
    blind = [threat for threat in base.threats if threat not in one.threats]
    if one.measures.clip and blind:
        raise PlanError(f"{one.measures} changes what a network computes, and {blind[0]} was not measured with it")
    if one.measures.tmr and not one.measures.clip and one.golden != base.golden:
        raise PlanError(f"the runs given as {one.measures} differ from those without faults: copies change nothing")


def _worst(layer: str, own: Evidence, base: Evidence) -> Fraction:
    """Images correct under the worst threat in a layer, with measures; as without where that was not measured."""
    left = [
        own.outcomes.get((layer, threat), worst) for (where, threat), worst in base.outcomes.items() if where == layer
    ]
    return min([Fraction(own.golden), *left])


def _notes(base: Evidence, others: Sequence[Evidence], units: Sequence[str]) -> list[str]:
    found = []
    for threat in base.threats:
        spared = [unit for unit in units if (unit, threat) not in base.outcomes]
        if spared:
            found.append(f"{threat}: no such faults were in {', '.join(spared)}")
        beyond = list(dict.fromkeys(layer for layer, own in base.outcomes if own == threat and layer not in units))
        if beyond:
            found.append(f"{threat}: the promise leaves out {', '.join(beyond)}, which are no matrix-vector units")
        blind = [str(one.measures) for one in others if threat not in one.threats]
        if blind:
            found.append(f"{threat}: not measured with {', '.join(blind)}, counted as without")
    return found
