"""Grouping channels into PEs: against all groupings, and against PE faults of networks that are really reordered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.errors import PlanError
from fat_fpga.faults import parse_fault
from fat_fpga.hardening.costs.folded import FoldedModel
from fat_fpga.hardening.gather import Group, Groups, Trial, gather, gathered, natural, order_of, search
from fat_fpga.hardening.planner import Planner
from fat_fpga.network import MatrixVectorUnit, Network
from fat_fpga.network.folding import Fold
from tests.campaign.tiny import tiny_data, tiny_network
from tests.hardening.small import tiny_criticality

FOLDS = {"conv0": Fold(2, 1), "conv1": Fold(3, 2), "fc2": Fold(2, 1)}


def groupings(channels: Sequence[int], folds: int) -> Iterator[Groups]:
    """Every way to share channels out to lanes of so many folds."""
    if not channels:
        yield ()
        return
    first, rest = channels[0], channels[1:]
    for others in combinations(rest, folds - 1):
        for more in groupings([c for c in rest if c not in others], folds):
            yield ((first, *others), *more)


def reordered(network: Network, unit: str, order: Sequence[int]) -> Network:
    """Rows of a unit and columns of the next one in another order."""
    layers, last = list(network.layers), None
    for i, layer in enumerate(network.layers):
        if not isinstance(layer, MatrixVectorUnit):
            continue
        if last == unit:
            layers[i] = replace(layer, weights=np.ascontiguousarray(layer.weights[:, list(order)]))
        if layer.name == unit:
            assert layer.thresholds is not None
            layers[i] = replace(
                layer,
                weights=np.ascontiguousarray(layer.weights[list(order)]),
                thresholds=layer.thresholds[list(order)],
            )
        last = layer.name
    return replace(network, layers=tuple(layers))


@pytest.mark.parametrize(("channels", "pe"), [(8, 4), (8, 2), (9, 3), (6, 3), (6, 6), (6, 1)])
def test_fewest_lanes(channels: int, pe: int) -> None:
    """The criterion: lanes that hold a channel that misses the target on its own. No grouping has fewer."""
    rng, folds = np.random.default_rng(channels * pe), channels // pe
    ranked = [int(c) for c in rng.permutation(channels)]
    for critical in range(channels + 1):
        bad = set(ranked[:critical])
        least = min(sum(bool(bad & set(group)) for group in groups) for groups in groupings(range(channels), folds))
        full = -(-critical // folds)
        for groups in (gathered(ranked, pe, full), gathered(ranked, pe, pe)):
            assert sorted(c for group in groups for c in group) == list(range(channels))
            assert {len(group) for group in groups} == {folds}
            assert sum(bool(bad & set(group)) for group in groups) == least == full


def test_lanes_and_positions() -> None:
    assert natural(6, 2) == ((0, 2, 4), (1, 3, 5))
    assert order_of(natural(6, 2)) == tuple(range(6))
    order = order_of(((5, 1, 2), (0, 4, 3)))
    assert order == (5, 0, 1, 4, 2, 3)
    assert [order[lane::2] for lane in range(2)] == [(5, 1, 2), (0, 4, 3)]


def test_stuck_groups_are_stuck_pes() -> None:
    """All channels of a lane stuck together, and the PE stuck in the reordered network: the same counts."""
    network, data = tiny_network(), tiny_data()
    trial = Trial(ReferenceEngine().open(network), data)
    for groups in groupings(range(4), 2):
        order = order_of(groups)
        other = reordered(network, "conv0", order)
        faults = [parse_fault(f"conv0/pe[{lane} of 2] = {value:+d}") for lane in range(2) for value in (-1, 1)]
        outcome = ReferenceEngine().open(other).run(data.images, data.labels, faults)
        plain = ReferenceEngine().open(network).run(data.images, data.labels, [])
        assert np.array_equal(outcome.golden, plain.golden)
        counts = trial("conv0", groups)
        expected = [counts[group, value] for group in groups for value in (-1, 1)]
        assert expected == list(zip(outcome.correct.tolist(), outcome.changed.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_search(seed: int) -> None:
    """Never worse than no permutation, never better than the best of all groupings, and its counts are true."""
    rng = np.random.default_rng(seed)
    single = rng.integers(0, 20, 6)

    def judge(unit: str, groups: Sequence[Group]) -> dict[tuple[Group, int], tuple[int, int]]:
        # Several stuck at once are at least as bad as the worst of them here, which real networks need not obey.
        return {(g, 1): (int(min(single[c] for c in g) - 2 * sum(single[c] < 12 for c in g)), 0) for g in groups}

    def failing(groups: Groups, target: int) -> int:
        return sum(correct < target for correct, _ in judge("", groups).values())

    ranked = [int(c) for c in np.argsort(single)]
    for target in range(20):
        critical = int((single < target).sum())
        found = search("conv0", ranked, critical, 3, target, judge)
        best = min(failing(groups, target) for groups in groupings(range(6), 2))
        assert found.failing == failing(found.groups, target)
        assert best <= found.failing <= found.before == failing(natural(6, 3), target)


def test_plan_of_the_reordered_network(tmp_path: Path) -> None:
    what, network, data = tiny_criticality(tmp_path), tiny_network(), tiny_data()
    for target in what.targets:
        pes, orders, found = gather(what, network, FOLDS, target, Trial(ReferenceEngine().open(network), data))
        plan = Planner(pes, FoldedModel(), FOLDS, order=orders).plan(target)
        assert plan.kind == "pe"
        assert plan.unit("conv0").order == orders["conv0"]
        copied = len(plan.unit("conv0").replicated) // 2
        assert copied == found["conv0"].failing
        other = reordered(reordered(network, "conv0", orders["conv0"]), "conv1", orders["conv1"])
        faults = [parse_fault(e.fault) for e in plan.expected]
        outcome = ReferenceEngine().open(other).run(data.images, data.labels, faults)
        assert [e.correct for e in plan.expected] == outcome.correct.tolist()
        assert [e.changed for e in plan.expected] == outcome.changed.tolist()
        for unit in plan.units[:-1]:
            for lane in range(FOLDS[unit.unit].pe):
                least = min(e.correct for e in plan.expected if e.fault.startswith(f"{unit.unit}/pe[{lane} of"))
                if unit.order[lane] not in unit.replicated:
                    assert least >= plan.worst_correct


def test_other_model(tmp_path: Path) -> None:
    what, other = tiny_criticality(tmp_path), tiny_network(1)
    with pytest.raises(PlanError, match="give the model of the campaign"):
        gather(what, other, FOLDS, 0, Trial(ReferenceEngine().open(other), tiny_data()))
