"""Networks that branch, hardened and permuted: equal in every engine without a fault, and every copy is outvoted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.campaign.layer_table import layer_table
from fat_fpga.datasets import Dataset
from fat_fpga.engines import get
from fat_fpga.engines.reference import execute
from fat_fpga.errors import EngineError, PlanError
from fat_fpga.faults import Fault, fault_space
from fat_fpga.hardening import harden, read_plan, rearranged, verify, write_plan
from fat_fpga.hardening.costs.folded import FoldedModel
from fat_fpga.hardening.costs.macs import MacsModel
from fat_fpga.hardening.criticality import criticality_of
from fat_fpga.hardening.design import CHAIN, units_of, units_of_network
from fat_fpga.hardening.gather import Trial, gather
from fat_fpga.hardening.plan_text import plan_summary
from fat_fpga.hardening.planner import Planner
from fat_fpga.hardening.rewrite import Layout, laid_out
from fat_fpga.hardening.ties import ties
from fat_fpga.hardening.verification_text import verification_text
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network, load_network, write_qonnx
from fat_fpga.network.folding import Fold
from fat_fpga.network.layers import Add, Concat, Layer, SumPool, Thresholding
from tests.designs.random_graph import graphs, random_graph, random_groups
from tests.designs.random_network import networks, random_images

ENGINES = ("reference", "native", "torch", "qonnx")


def random_layout(unit: MatrixVectorUnit, order: np.ndarray, share: float, rng: np.random.Generator) -> Layout:
    """Channels in an order, some of them three times; of groups all or none, and the copies where their channel is."""
    channels = np.arange(unit.channels)
    if unit.groups > 1:
        rows = np.repeat(order, 3 if share == 1 or (share and rng.random() < 0.5) else 1)
        return Layout(tuple(map(int, rows)), tuple(map(int, order)))
    rows = rng.permutation(np.repeat(channels, np.where(rng.random(unit.channels) < share, 3, 1)))
    return Layout(tuple(map(int, rows if len(rows) > unit.channels else order)), tuple(map(int, order)))


def random_layouts(network: Network, share: float, rng: np.random.Generator) -> dict[str, Layout]:
    """Every unit that has no vote yet: those that are tied in one order, those that are fixed as they are."""
    free = ties(network)
    orders = {name: np.arange(network.shape_of[name][0]) for name in free.fixed}
    for together in free.together:
        order = rng.permutation(network.shape_of[together[0]][0])
        orders |= dict.fromkeys(together, order)
    units = {unit.name: unit for unit in network.units}
    return {
        name: random_layout(units[name], order, share, rng)
        for name, order in orders.items()
        if network.vote_behind(name) is None
    }


@given(graphs(), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.4, 1.0]))
def test_the_function_stays(network: Network, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    layouts = random_layouts(network, share, rng)
    hardened = laid_out(network, layouts)
    images = random_images(network, 2, seed % 1000)
    before, behind = execute(network, images), execute(hardened, images)
    np.testing.assert_array_equal(behind[network.scores], before[network.scores])
    for name, (rows, order) in layouts.items():
        np.testing.assert_array_equal(behind[name], before[name][:, list(rows)])
        np.testing.assert_array_equal(behind.get(f"{name}.vote", behind[name]), before[name][:, list(order)])


@given(networks())
def test_the_design_of_a_chain_is_the_same_from_the_network_and_from_its_run(network: Network) -> None:
    rows = layer_table(network)
    if all(row.type in CHAIN for row in rows):
        assert units_of_network(network) == units_of(rows)


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_execute_hardened_graphs_alike(engine: str, tmp_path: Path) -> None:
    taken = 0
    for seed in range(3 if engine == "qonnx" else 12):
        network = random_graph(seed) if seed % 3 else random_groups(seed)
        rng = np.random.default_rng(seed)
        layouts = random_layouts(network, 0.5, rng)
        write_qonnx(laid_out(network, layouts), tmp_path / "hardened.onnx")
        hardened = load_network(tmp_path / "hardened.onnx")
        images = random_images(network, 2, seed)
        labels = np.zeros(2, np.int64)
        faults, units = [], {unit.name: unit for unit in network.units}
        for name, (rows, _) in layouts.items():
            levels = units[name].levels
            assert levels is not None
            copies = [row for row, channel in enumerate(rows) if list(rows).count(channel) == 3]
            faults += [Fault(name, "channel", (row,), levels.max) for row in copies]
        try:
            outcome = get(engine).open(hardened).run(images, labels, faults, predictions=True)
            plain = get(engine).open(network).run(images, labels, [], predictions=True)
        except EngineError:
            continue
        taken += 1
        assert not outcome.changed.any()
        np.testing.assert_array_equal(outcome.golden, plain.golden)
    assert taken


def residual(seed: int = 0) -> Network:
    """A stem, a residual block with a depthwise unit in it, sums over the image, five classes."""
    rng = np.random.default_rng(seed)
    levels = Levels(0, 1, 4)

    def unit(name: str, shape: tuple[int, ...], spread: int, inputs: str, padding: int, groups: int = 1) -> Layer:
        weights = rng.choice([-1, 1], shape).astype(np.int32)
        steps = np.sort(rng.integers(-spread, spread, (shape[0], 3)), axis=1).astype(np.int32)
        around = (padding, padding, padding, padding)
        return MatrixVectorUnit(
            name, weights, steps, levels, padding=around, weight_type="INT2", inputs=(inputs,), groups=groups
        )

    steps = np.sort(rng.integers(1, 8, (6, 3)), axis=1).astype(np.int32)
    scores = rng.choice([-1, 1], (5, 6, 1, 1)).astype(np.int32)
    table = np.arange(-128, 128, dtype=np.int32)[None]
    layers = (
        unit("conv0", (6, 1, 3, 3), 150, "input", 1),
        unit("conv1", (6, 1, 3, 3), 4, "conv0", 1, 6),
        unit("conv2", (6, 6, 1, 1), 4, "conv1", 0),
        Add("add0", ("conv2", "conv0")),
        Thresholding("add0.thresholding", steps, levels, inputs=("add0",)),
        SumPool("add0.sum", (6, 6), (6, 6), inputs=("add0.thresholding",)),
        MatrixVectorUnit("fc3", scores, None, None, weight_type="INT2", inputs=("add0.sum",)),
    )
    return Network("residual", InputQuantiser((1, 6, 6), table), layers)


FOLDS = {"conv0": Fold(2, 1), "conv1": Fold(2, 1), "conv2": Fold(2, 2), "fc3": Fold(1, 1)}


def data(images: int = 40) -> Dataset:
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (images, 1, 6, 6)).astype(np.uint8)
    labels = execute(residual(), pixels)["fc3"][:, :, 0, 0].argmax(axis=1)
    labels[::5] = 0
    return Dataset("residual:test", pixels, labels.astype(np.int64), tuple("abcde"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    network = residual()
    path = tmp_path_factory.mktemp("graph") / "residual.run"
    return run_campaign(network, data(), fault_space(network), path, "native")


def planners(run: Run) -> list[Planner]:
    what = criticality_of(run, network=residual())
    return [Planner(what, MacsModel()), Planner(what, FoldedModel(), FOLDS)]


def test_a_plan_of_a_network_that_branches_holds(run: Run, tmp_path: Path) -> None:
    network = residual()
    for planner in planners(run):
        points = planner.front()
        assert points[-1].worst_correct == run.error_free
        for point in (points[0], points[len(points) // 2], points[-1]):
            plan = planner.plan(point.worst_correct)
            write_plan(plan, tmp_path / "plan.json")
            assert read_plan(tmp_path / "plan.json") == plan
            hardened = harden(network, plan)
            path = tmp_path / f"{planner.model.name}{point.worst_correct}.run"
            found = verify(plan, run_campaign(hardened, data(), fault_space(hardened), path, "native"))
            assert found.held, verification_text(found)
            assert all(verdict.foretold is not None for verdict in found.verdicts)
            worst = found.worst(voter=False)
            assert worst is not None
            assert worst.result.correct == plan.worst_correct
            others = [verdict for verdict in found.verdicts if verdict.other]
            assert len(others) == len(plan.others) == len([r for r in run.results if r.layer.startswith("add0")])
            assert "layers that are no units, which no copies protect" in verification_text(found)
            assert "NOT PROTECTED: additions" in plan_summary(plan)


def test_a_grouped_unit_is_triplicated_whole_or_not_at_all(run: Run) -> None:
    for planner in planners(run):
        for target in planner.criticality.targets:
            plan = planner.plan(target)
            assert len(plan.unit("conv1").replicated) in (0, 6)
            forced = planner.forced(target)
            assert all(len(plan.unit(name).replicated) >= count for name, count in forced.items())
        one = planner.builder.cheapest({"conv1": 1})
        assert one is not None
        assert one[1].voted == 6


def test_a_run_of_a_network_that_branches_needs_the_network(run: Run) -> None:
    with pytest.raises(PlanError, match=r"has conv1 \(type grouped unit\): a run does not keep which .* --model"):
        criticality_of(run)


def test_ties() -> None:
    found = ties(residual())
    assert found.together == (("conv0", "conv1", "conv2"),)
    assert found.fixed == {}
    order = (5, 4, 3, 2, 1, 0)
    with pytest.raises(PlanError, match="add0: it adds conv2 and conv0, whose channels would be in different orders"):
        rearranged(residual(), "conv2", order, order)
    with pytest.raises(PlanError, match="conv1: it has 6 groups, whose output channels have to stay together"):
        rearranged(residual(), "conv1", order, order)
    with pytest.raises(PlanError, match="conv1: it has 6 groups"):
        rearranged(residual(), "conv1", (0, 0, 0, 1, 2, 3, 4, 5))


def test_an_addition_to_the_input_holds_the_order() -> None:
    network = residual()
    layers = {layer.name: layer for layer in network.layers}
    first = layers["conv0"].unit
    assert first is not None
    weights = np.repeat(first.weights, 6, axis=1)
    layers["conv0"] = MatrixVectorUnit("conv0", weights, first.thresholds, first.levels, padding=(1, 1, 1, 1))
    layers["add0"] = Add("add0", ("conv2", "input"))
    table = np.repeat(np.arange(-128, 128, dtype=np.int32)[None], 6, axis=0)
    found = ties(Network("input", InputQuantiser((6, 6, 6), table), tuple(layers.values())))
    assert found.together == (("conv0", "conv1"),)
    assert found.fixed == {"conv2": "input"}


def test_a_permuted_network_that_branches(run: Run, tmp_path: Path) -> None:
    """All units that an addition ties get one order; the plan's PEs do in the permuted network what was tried."""
    network = residual()
    what = criticality_of(run, network=network)
    for target in what.targets[1::2]:
        pes, orders, found = gather(what, network, FOLDS, target, Trial(get("torch").open(network), data()))
        assert orders["conv0"] == orders["conv1"] == orders["conv2"]
        rows = [sum(getattr(own, which) * 3 for own in found.values()) for which in ("before", "failing")]
        assert rows[1] <= rows[0]
        plan = Planner(pes, FoldedModel(), FOLDS, order=orders).plan(target)
        hardened = harden(network, plan)
        np.testing.assert_array_equal(execute(hardened, data().images)["fc3"], execute(network, data().images)["fc3"])
        folding = {unit.unit: unit.pe for unit in plan.units}
        faults = fault_space(hardened, "pe", pes=folding)
        proof = verify(plan, run_campaign(hardened, data(), faults, tmp_path / f"{target}.run", "torch"))
        assert proof.held, verification_text(proof)


def test_parts_of_a_concatenation_are_free_until_it_is_added_to_something() -> None:
    def unit(name: str, shape: tuple[int, int], inputs: str) -> MatrixVectorUnit:
        steps = np.zeros((shape[0], 1), np.int32)
        return MatrixVectorUnit(name, np.ones((*shape, 1, 1), np.int32), steps, Levels(0, 1, 2), inputs=(inputs,))

    table = np.arange(256, dtype=np.int32)[None]
    first, second, third = unit("conv0", (2, 1), "input"), unit("conv1", (3, 1), "input"), unit("conv2", (5, 5), "c")
    concat = Concat("c", ("conv0", "conv1"), (1, 1))
    last = MatrixVectorUnit("conv3", np.ones((2, 5, 1, 1), np.int32), None, None, inputs=("end",))
    quantiser = InputQuantiser((1, 1, 1), table)
    free = Network("free", quantiser, (first, second, concat, third, replace(last, inputs=("conv2",))))
    assert ties(free).together == (("conv0",), ("conv1",), ("conv2",))
    held = Network("held", quantiser, (first, second, concat, third, Add("end", ("c", "conv2")), last))
    assert ties(held).together == ()
    assert ties(held).fixed == dict.fromkeys(("conv0", "conv1", "conv2"), "c")
