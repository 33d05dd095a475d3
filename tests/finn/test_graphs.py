"""Networks that branch, and depthwise ones, in FINN: executed with faults, folded, estimated, and refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from fat_fpga.boards import board
from fat_fpga.crosscheck import crosscheck, random_images, sample_faults
from fat_fpga.crosscheck.sample import KINDS
from fat_fpga.engines import get
from fat_fpga.errors import FinnError
from fat_fpga.faults import fault_space
from fat_fpga.finn.auto import auto_folding
from fat_fpga.finn.estimates import estimate
from fat_fpga.finn.folding import Fold, Folding, check_folding, shared_pes
from fat_fpga.finn.graph import check_mappable, hardware_graph, nodes_of
from fat_fpga.finn.placing import COPY, SPREAD
from fat_fpga.hardening.costs.around import THRESHOLDS, WINDOW
from fat_fpga.hardening.costs.finn import FinnModel
from fat_fpga.hardening.costs.model import Built
from fat_fpga.hardening.design import units_of_network
from fat_fpga.hardening.rewrite import Layout, laid_out
from fat_fpga.hardening.values import with_values
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network
from fat_fpga.network import folding as plain
from fat_fpga.network.folding import divisors
from fat_fpga.network.layers import Add, Concat, IntArray, Layer, Scores, SumPool, Thresholding, Upsample
from tests.designs.hardware_graph import random_hardware_graph
from tests.hardening.test_graphs import residual

ZCU104 = board("ZCU104")


def buildable(seeds: range) -> Iterator[tuple[int, Network]]:
    """Random networks that FINN takes: two of three branch, the others are chains of grouped convolutions."""
    for seed in seeds:
        network = random_hardware_graph(seed, chain=seed % 3 == 0)
        try:
            check_mappable(network)
        except FinnError:
            continue
        yield seed, network


def assert_equal(network: Network, count: int, seed: int = 0) -> int:
    """The number of faults that FINN and the reference give the same classes and activations for."""
    images, faults = random_images(network, 2, seed), sample_faults(network, KINDS, count, 2, seed)
    check = crosscheck(network, images, faults, {name: get(name) for name in ("reference", "finn")})
    assert check.equal, (seed, [str(pair.difference) for pair in check.pairs])
    return check.pairs[0].faults


def test_random_graphs() -> None:
    networks = list(buildable(range(10)))
    assert len(networks) >= 6
    assert sum(assert_equal(network, 18, seed) for seed, network in networks) >= 60


def test_two_equal_branches_are_told_apart() -> None:
    """Nodes of equal units on one stream are those that the streams behind say."""
    levels, table = Levels(0, 1, 4), np.arange(256, dtype=np.int32)[None]
    steps = np.array([[100, 200, 300]] * 2, np.int32)
    twins = [
        MatrixVectorUnit(f"conv{n}", np.ones((2, 1, 2, 2), np.int32), steps, levels, inputs=("input",)) for n in (0, 1)
    ]
    concat = Concat("concat0", ("conv1", "conv0"), (1, 1))
    weights: IntArray = np.random.default_rng(0).integers(-4, 4, (3, 4, 3, 3)).astype(np.int32)
    last = MatrixVectorUnit("fc2", weights, None, None, weight_type="INT3", inputs=("concat0",))
    network = Network("twins", InputQuantiser((1, 4, 4), table), (*twins, concat, last))
    images = random_images(network, 2)
    faults = list(fault_space(network, "channel", ["conv0", "conv1"]))
    check = crosscheck(network, images, faults, {name: get(name) for name in ("reference", "finn")})
    assert check.equal
    assert check.pairs[0].faults == len(faults) == 16


def test_a_hardened_depthwise_network() -> None:
    """Copies of a depthwise unit read channels that are given out three times."""
    rows = tuple(int(row) for row in np.repeat(range(6), 3))
    layouts = {"conv1": Layout(rows, range(6)), "conv0": Layout((0, 0, 0, 1, 2, 3, 4, 5), range(6))}
    hardened = laid_out(residual(), layouts)
    nodes = {(node.place, node.role): node.proto.op_type for node in nodes_of(hardware_graph(hardened), hardened)}
    assert nodes["conv1", SPREAD] == "FatVoter_rtl"
    assert nodes["conv1", "unit"] == "VVAU"
    assert nodes["conv0.vote", COPY] == "DuplicateStreams"
    assert assert_equal(hardened, 40) >= 25
    folding = auto_folding(hardened, 20_000, ZCU104)
    found = estimate(hardened, folding, ZCU104)
    assert found.rate >= 20_000
    assert {layer.place for layer in found.layers} >= {layer.name for layer in hardened.layers}
    vvau = next(layer for layer in found.layers if layer.node.startswith("VVAU"))
    assert vvau.cycles == 18 * 9 * 36 // vvau.pe // vvau.simd


def random_folding(network: Network, rng: np.random.Generator) -> dict[str, Fold]:
    """Any legal PEs and SIMD lanes."""
    folds = {}
    for unit in units_of_network(network):
        vote = network.vote_behind(unit.name)
        pes = [pe for pe in divisors(unit.channels) if vote is None or shared_pes(vote, pe) is None]
        simd = int(rng.choice(divisors(unit.lanes)))
        if unit.depthwise and simd > 1:
            pes = [unit.channels]
        folds[unit.name] = Fold(int(rng.choice(pes)), 1 if unit.depthwise and vote is not None else simd)
    return folds


def test_costs_are_finn_s() -> None:
    """LUTs, BRAMs, DSPs and cycles of every unit, and of what stands between units."""
    model, units, between = FinnModel(live=False, board=ZCU104), 0, 0
    for seed, network in buildable(range(24)):
        folds = random_folding(network, np.random.default_rng(seed))
        found = estimate(network, Folding("random", folds), ZCU104).layers
        theirs = {layer.place: layer for layer in found if layer.node.startswith(("MVAU", "VVAU"))}
        built = [
            Built(unit, 0, folds[unit.name].pe, folds[unit.name].simd)
            for unit in with_values(units_of_network(network), network)
        ]
        for one in built:
            layer, ours = theirs[one.unit.name], model.estimate(one)
            assert (*ours, one.cycles) == (layer.lut, layer.bram_18k, layer.dsp, layer.cycles), (seed, one)
            units += 1
        wide = {one.unit.name for one in built if one.unit.depthwise and one.simd > 1}
        own = {name: plain.Fold(fold.pe, fold.simd) for name, fold in folds.items()}
        slowest = max(layer.cycles for layer in found if layer.place in folds)  # with the window generator in front
        ours_between = model.between([], own, slowest, network)
        for what, node in ((WINDOW, "ConvolutionInputGenerator"), (THRESHOLDS, "Thresholding")):
            nodes = {layer.place: layer for layer in found if layer.node.startswith(node)}
            assert {one.name for one in ours_between if one.what == what} == {*nodes}, seed
            for other in ours_between:
                if other.what == what and other.name not in wide:
                    assert other.cycles == nodes[other.name].cycles, (seed, other)
                    # FINN keeps some thresholds behind additions a bit or two wider than their values need
                    near = 0.5 * nodes[other.name].lut if what == THRESHOLDS else 0
                    assert abs(other.price - nodes[other.name].lut) <= near, (seed, other, nodes[other.name])
                    between += 1
    assert units > 60
    assert between > 60


def test_the_folding_of_a_depthwise_unit() -> None:
    network = residual()
    folds = {"conv0": Fold(6, 1), "conv1": Fold(6, 9), "conv2": Fold(2, 3), "fc3": Fold(5, 2)}
    check_folding(Folding("good", folds), network)
    with pytest.raises(FinnError, match="folding bad: conv1 is depthwise, it takes more than one SIMD lane only with"):
        check_folding(Folding("bad", {**folds, "conv1": Fold(3, 3)}), network)
    with pytest.raises(FinnError, match="conv1 has 9 inputs, which SIMD 2 does not divide: possible are 1, 3, 9"):
        check_folding(Folding("bad", {**folds, "conv1": Fold(6, 2)}), network)
    layers = estimate(network, Folding("good", folds), ZCU104).layers
    assert next(layer for layer in layers if layer.node.startswith("VVAU")).cycles == 36


def with_layers(**changed: Layer) -> Network:
    network = residual()
    return replace(network, layers=tuple(changed.get(layer.name.split(".")[-1], layer) for layer in network.layers))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            lambda: replace(
                residual(),
                layers=(*residual().layers, Scores("scores", np.zeros((5, 3), np.int32), 0, inputs=("fc3",))),
            ),
            "scores: FINN's label select compares the sums of the last layer",
        ),
        (
            lambda: with_layers(
                thresholding=Thresholding(
                    "add0.thresholding", np.zeros((6, 1), np.int32), Levels(-1, 2, 2), inputs=("add0",)
                )
            ),
            "add0.thresholding: FINN's thresholds of their own give -1 and \\+1 only where",
        ),
        (
            lambda: with_layers(
                conv2=replace(units()["conv2"], thresholds=np.zeros((6, 1), np.int32), levels=Levels(-1, 2, 2))
            ),
            "add0: it reads conv2, whose levels are -1 and \\+1, which FINN streams as one bit",
        ),
        (
            lambda: with_layers(
                conv0=replace(units()["conv0"], thresholds=np.zeros((6, 1), np.int32), levels=Levels(-1, 2, 2))
            ),
            "conv1: it pads with 0, and FINN streams the levels -1 and \\+1 of conv0 as one bit",
        ),
    ],
)
def test_what_is_refused_by_name(network: object, message: str) -> None:
    with pytest.raises(FinnError, match=message):
        check_mappable(network())  # type: ignore[operator]


def units() -> dict[str, MatrixVectorUnit]:
    return {unit.name: unit for unit in residual().units}


def test_factors_of_joins() -> None:
    layers = {layer.name: layer for layer in residual().layers}
    layers["add0"] = Add("add0", ("conv2", "conv0"), (3, -2))
    layers["add0.sum"] = SumPool("add0.sum", (2, 2), (1, 1), inputs=("add0.thresholding",))
    scores = np.random.default_rng(1).integers(-2, 2, (5, 6, 5, 5)).astype(np.int32)
    layers["fc3"] = MatrixVectorUnit("fc3", scores, None, None, weight_type="INT2", inputs=("add0.sum",))
    network = replace(residual(), layers=tuple(layers.values()))
    nodes = [node.proto.op_type for node in nodes_of(hardware_graph(network), network)]
    assert {"ElementwiseMul", "ElementwiseSub", "Pool"} <= set(nodes)
    assert assert_equal(network, 24) >= 15


def test_upsampling() -> None:
    layers = {layer.name: layer for layer in residual().layers}
    del layers["add0.sum"], layers["fc3"]
    layers["add0.upsample"] = Upsample("add0.upsample", (2, 3), inputs=("add0.thresholding",))
    scores = np.random.default_rng(1).integers(-2, 2, (5, 6, 12, 18)).astype(np.int32)
    layers["fc3"] = MatrixVectorUnit("fc3", scores, None, None, weight_type="INT2", inputs=("add0.upsample",))
    network = replace(residual(), layers=tuple(layers.values()))
    nodes = {node.place: node.proto.op_type for node in nodes_of(hardware_graph(network), network)}
    assert nodes["add0.upsample"] == "UpsampleNearestNeighbour"
    assert assert_equal(network, 24) >= 15
    folding = auto_folding(network, 20_000, ZCU104)
    found = {layer.place: layer for layer in estimate(network, folding, ZCU104).layers}
    assert found["add0.upsample"].cycles <= max(found[unit.name].cycles for unit in network.units)
    folds = {name: plain.Fold(fold.pe, fold.simd) for name, fold in folding.folds.items()}
    between = FinnModel(live=False, board=ZCU104).between([], folds, 20_000, network)
    assert {one.name for one in between} >= {"conv0", "conv1", "add0.thresholding"}
    assert "add0.upsample" not in {one.name for one in between}
