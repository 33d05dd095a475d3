"""The planner against all subsets of channels, and all foldings of them, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.boards import Board
from fat_fpga.campaign.layer_table import layer_table
from fat_fpga.errors import PlanError
from fat_fpga.hardening.costs.estimate import Arithmetic
from fat_fpga.hardening.costs.finn import arithmetic_of, look_up
from fat_fpga.hardening.costs.model import Built
from fat_fpga.hardening.criticality import Criticality, criticality_of
from fat_fpga.hardening.design import UnitShape, units_of
from fat_fpga.hardening.plan_costs import slowest
from fat_fpga.hardening.planner import Planner
from fat_fpga.hardening.refusals import enough
from fat_fpga.hardening.target import Target
from tests.campaign.tiny import tiny_network, tiny_run, tiny_run_of
from tests.hardening.small import FOLDS, any_criticality, cost_model, pes_and_lanes, tiny_criticality

MODELS = ("macs", "folded", "finn")
Subset = dict[str, frozenset[int]]


def subsets(criticality: Criticality) -> Iterator[Subset]:
    """Every set of channels of the units that have activations."""
    each = []
    for name, worst in criticality.worst.items():
        channels = range(len(worst))
        each.append([(name, frozenset(s)) for count in range(len(worst) + 1) for s in combinations(channels, count)])
    for chosen in product(*each):
        yield dict(chosen)


def worst_of(criticality: Criticality, subset: Subset) -> int:
    """Images correct under the worst fault that is left, straight from the definition."""
    left = [int(v) for name, worst in criticality.worst.items() for c, v in enumerate(worst) if c not in subset[name]]
    return min([criticality.golden, *left])


def price_of(name: str, criticality: Criticality, subset: Subset, cycles: int, keep: bool) -> float | None:
    """The least price of a subset over all foldings, by formulae written down once more, None if there is none.

    ``keep``: units without copies keep their folding where it is quick enough.
    """
    total = 0.0
    for unit in criticality.design:
        voted = len(subset.get(unit.name, ()))
        rows, (pe, simd) = unit.channels + 2 * voted, pes_and_lanes(FOLDS[unit.name])
        if name == "macs":
            total += unit.pixels * (unit.inputs * rows + voted)
            continue
        prices = []
        kept = keep and not voted and rows // pe * unit.inputs // simd * unit.pixels <= cycles
        for pes in [pe] if kept else range(1, rows + 1):
            if rows % pes or (voted and pes < 3) or rows // pes * unit.inputs // simd * unit.pixels > cycles:
                continue
            votes = -(-voted * pes // rows)
            if name == "folded":
                prices.append(pes * simd + votes)
            else:
                found = look_up(_arithmetic(criticality, unit.name), rows, pes, simd)
                assert found is not None
                lanes = min(d for d in range(1, unit.channels + 1)
                            if unit.channels % d == 0 and unit.channels // d <= rows // pes)  # fmt: skip
                buffered = rows if pes != rows and (voted < unit.channels or pes % 3) else 0
                prices.append(found.lut + ((80 + 33 * voted + 2 * lanes + buffered) if voted else 0))
        if not prices:
            return None
        total += min(prices)
    return total


def _arithmetic(criticality: Criticality, name: str) -> Arithmetic:
    return arithmetic_of(next(unit for unit in criticality.design if unit.name == name))


def planner_of(name: str, criticality: Criticality, monkeypatch: pytest.MonkeyPatch, cycles: int | None) -> Planner:
    folds = {} if name == "macs" else FOLDS
    return Planner(criticality, cost_model(name, monkeypatch), folds, cycles=None if name == "macs" else cycles)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", range(4))
def test_all_subsets(name: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tiny_run(tmp_path / "tiny.run")
    criticality = criticality_of(run) if seed == 0 else any_criticality(run, np.random.default_rng(seed))
    slowest_of_all = []
    for unit in criticality.design:
        pe, simd = pes_and_lanes(FOLDS[unit.name])
        slowest_of_all.append(unit.channels // pe * unit.inputs // simd * unit.pixels)
    plain = max(slowest_of_all)
    keep = seed in (0, 1)  # by default the rate is that of the folding; else it is asked for
    cycles = plain + (0, 0, 1000, -200)[seed]
    planner = planner_of(name, criticality, monkeypatch, None if keep else cycles)
    assert planner.unprotected == price_of(name, criticality, {}, cycles, keep)
    known = [
        (worst_of(criticality, subset), price)
        for subset in subsets(criticality)
        if (price := price_of(name, criticality, subset, cycles, keep)) is not None
    ]
    assert len(known) > 4
    for target in range(criticality.golden + 1):
        possible = [price for worst, price in known if worst >= target]
        built = planner.least(target)
        assert (built is None) == (not possible)
        if built is not None:
            assert planner.builder.price(built) == min(possible)
            assert planner.promise(built) >= target
            assert all(one.cycles <= cycles for one in built) or name == "macs"
            plan = planner.plan(target)  # which checks rows, PEs and copies
            chosen = {unit.unit: frozenset(unit.replicated) for unit in plan.units}
            assert worst_of(criticality, chosen) == plan.worst_correct >= target
    front = [(point.worst_correct, point.price) for point in planner.front()]
    undominated = {
        (w, p) for w, p in known if not any((w2 >= w and p2 < p) or (w2 > w and p2 <= p) for w2, p2 in known)
    }
    assert set(front) == undominated
    assert len(front) == len(undominated)
    for ratio in (Fraction(1), Fraction("1.2"), Fraction("1.5"), Fraction(2), Fraction(4)):
        affordable = [worst for worst, price in known if price <= planner.unprotected * ratio]
        if affordable:
            assert planner.plan_for_budget(ratio).worst_correct == max(affordable)
        else:
            with pytest.raises(PlanError, match="too small: the cheapest network costs"):
                planner.plan_for_budget(ratio)


def test_limits_of_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the cheapest ways do not fit, all combinations of ways are compared: against each of them in turn."""
    criticality = tiny_criticality(tmp_path)
    model, target = cost_model("finn", monkeypatch), criticality.golden
    free = Planner(criticality, model, FOLDS, cycles=1000)
    cheapest = free.least(target)
    assert cheapest is not None
    used = free.builder.resources(cheapest)["BRAM_18K"]
    combinations_of_ways = list(product(*(
        [c.built for c in free.builder._quick(unit, free.forced(target)[unit.name])] for unit in criticality.design
    )))  # fmt: skip
    for bram in range(1, int(used) + 2):
        fitting = [
            free.builder.price(built)
            for built in combinations_of_ways
            if free.builder.resources(built)["BRAM_18K"] <= bram
        ]
        planner = Planner(criticality, model, FOLDS, Board("small", "XC0", 10**6, bram, 10), cycles=1000)
        built = planner.least(target)
        assert (built is None) == (not fitting)
        if built is not None:
            assert planner.builder.price(built) == min(fitting)
        else:
            with pytest.raises(PlanError, match=f"of {bram} BRAM_18K"):
                planner.plan(target)


@pytest.mark.parametrize("seed", range(4))
def test_all_subsets_of_pes(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tiny_run_of(tmp_path / "pes.run", "pe")
    folds = {"conv0": FOLDS["conv0"], "conv1": FOLDS["conv1"], "fc2": FOLDS["fc2"]}
    with pytest.raises(PlanError, match="2 PEs in conv1"):
        Planner(criticality_of(run, "pe"), cost_model("folded", monkeypatch), folds).least(0)
    folds["conv1"] = folds["conv1"]._replace(pe=2)
    real = criticality_of(run, "pe")
    rng = np.random.default_rng(seed)
    worst = {name: rng.integers(0, real.golden + 2, len(counts)) for name, counts in real.worst.items()}
    criticality = real if seed == 0 else Criticality(run, "pe", real.design, worst, real.changed, real.expected)
    design = tuple(unit if unit.name != "conv1" else _wider(unit) for unit in criticality.design)
    criticality = Criticality(run, "pe", design, criticality.worst, criticality.changed, criticality.expected)
    planner = Planner(criticality, cost_model("folded", monkeypatch), folds)
    for target in criticality.targets:
        prices = []
        for subset in subsets(criticality):
            if worst_of(criticality, subset) >= target:
                total = 0
                for unit in design:
                    copies, (pe, simd) = len(subset.get(unit.name, ())), pes_and_lanes(folds[unit.name])
                    total += (pe + 2 * copies) * simd + copies
                prices.append(total)
        plan = planner.plan(target)
        assert plan.costs[0].planned == min(prices)
        assert plan.worst_correct >= target
        for planned in plan.units:
            assert planned.folds == planned.channels // folds[planned.unit].pe  # as quick as before


def _wider(unit: UnitShape) -> UnitShape:
    return replace(unit, channels=4)  # 3 channels are no multiple of 2 PEs


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    criticality = tiny_criticality(tmp_path)
    planner = planner_of("macs", criticality, monkeypatch, None)
    with pytest.raises(PlanError, match=f"nearest possible {enough(criticality.golden, criticality.target)}$"):
        planner.plan(criticality.golden + 1)
    tight = Planner(criticality, cost_model("folded", monkeypatch), FOLDS, cycles=1)
    for ask in (lambda: tight.plan(0), lambda: tight.plan_for_budget(Fraction(9)), tight.front):
        with pytest.raises(PlanError, match="conv0 takes 324 cycles at least with 1 SIMD lane, 1 were asked for"):
            ask()
    run = tiny_run_of(tmp_path / "some.run", "channel", sample=5)
    with pytest.raises(PlanError, match="every channel of every unit at every value"):
        criticality_of(run)


def test_nearest_possible_is_possible() -> None:
    """The error that a message names is one that can be asked for."""
    assert enough(7402, Target("accuracy", 10_000)) == "--worst-error 25.98"
    assert enough(7, Target("accuracy", 30)) == "--worst-error 76.666667"
    assert enough(7, Target("cost", 30, Fraction(5, 2), "1;0 25;1 0")) == "--worst-cost 1.916667"
    for images in (7, 30, 10_000, 999_983):
        for correct in range(0, images, max(1, images // 97)):
            asked = 100 - Fraction(enough(correct, Target("accuracy", images)).split()[1])
            assert correct - 1 < asked * images / 100 <= correct


def test_costs_of_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    criticality = tiny_criticality(tmp_path)
    planner = Planner(criticality, cost_model("folded", monkeypatch), FOLDS, clock=50)
    plan = planner.plan(criticality.golden)
    costs = {cost.name: cost for cost in plan.costs}
    built = planner.least(criticality.golden)
    assert built is not None
    assert costs["frames a second at 50 MHz"].planned == 50e6 / slowest(built)
    assert costs["cycles of the slowest unit"].unprotected == 4 // 2 * 9 // 1 * 36
    assert plan.expected == criticality.expected
    assert len(plan.expected) == 14


def test_votes_in_a_beat() -> None:
    unit = next(iter(_units()))
    assert Built(unit, 2, 4, 1).votes == 1  # two channels in two folds
    assert Built(unit, 3, 5, 1).votes == 2  # three channels in two folds


def _units() -> tuple[UnitShape, ...]:
    return units_of(layer_table(tiny_network()))


def test_copies_can_make_a_unit_cheaper(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 rows within 115,200 cycles take 8 PEs; 70 rows, three channels triplicated, take 5."""
    from fat_fpga.hardening.cheapest import Builder
    from fat_fpga.hardening.design import UnitShape
    from fat_fpga.network.folding import Fold

    conv0 = UnitShape("conv0", 64, 27, 3, 900, "INT2", "INT8", "INT2")
    last = UnitShape("fc1", 10, 64, 64, 1, "INT2", "INT2", "")
    folds = {"conv0": Fold(8, 3), "fc1": Fold(1, 1)}
    built = Builder((conv0, last), folds, cost_model("folded", monkeypatch), 115_200).cheapest({})
    assert built is not None
    assert (built[0].voted, built[0].rows, built[0].pe, built[0].cycles) == (3, 70, 5, 113_400)


def test_network_with_voters(tmp_path: Path) -> None:
    """A campaign on a hardened network is the proof of a plan, not the ground for another."""
    from fat_fpga.campaign import run_campaign
    from fat_fpga.faults import fault_space
    from fat_fpga.hardening import harden
    from tests.campaign.tiny import tiny_data, tiny_network

    criticality = tiny_criticality(tmp_path)
    hardened = harden(tiny_network(), Planner(criticality).plan(criticality.golden))
    run = run_campaign(hardened, tiny_data(), fault_space(hardened), tmp_path / "hardened.run", "reference")
    with pytest.raises(PlanError, match=r"has voters already \(conv0.vote\)"):
        criticality_of(run)


@pytest.mark.parametrize("kind", ["macs", "folded", "finn"])
def test_full_tmr_triplicates_everything(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    what = tiny_criticality(tmp_path)
    planner = Planner(what, cost_model(kind, monkeypatch), FOLDS if kind != "macs" else {})
    plan = planner.plan_for_everything()
    assert [len(unit.replicated) for unit in plan.units] == [4, 3, 0]
    assert plan.worst_correct == what.golden
    assert all(cost.full_tmr == pytest.approx(cost.planned) for cost in plan.costs)
