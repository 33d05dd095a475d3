"""The reference engine against plain loops over the definition, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest

from fat_fpga.engines.images import check_images
from fat_fpga.engines.reference import ReferenceEngine, execute, output, predict
from fat_fpga.errors import DataError, FaultError
from fat_fpga.faults import Fault, fault_space
from fat_fpga.network import InputQuantiser, Levels, MajorityVote, MatrixVectorUnit, MaxPool, Network
from tests.designs.random_network import random_images, random_network


def test_accumulate_is_the_sum_over_the_window() -> None:
    rng = np.random.default_rng(0)
    weights = rng.integers(-4, 4, (3, 2, 2, 3)).astype(np.int32)
    unit = MatrixVectorUnit("conv0", weights, None, None, stride=(2, 1), padding=(1, 0, 0, 2))
    x = rng.integers(-9, 9, (2, 2, 5, 4)).astype(np.int32)
    padded = np.zeros((2, 2, 6, 6), np.int32)
    padded[:, :, 1:, :4] = x
    got = unit.accumulate(x)
    assert got.shape == (2, *unit.output_shape((2, 5, 4)))
    for n, m, y, z in np.ndindex(*got.shape):
        assert got[n, m, y, z] == (padded[n, :, 2 * y : 2 * y + 2, z : z + 3] * weights[m]).sum()


def test_activate_counts_the_thresholds_met() -> None:
    thresholds = np.array([[-3, 0], [5, 5]], np.int32)
    unit = MatrixVectorUnit("fc0", np.ones((2, 1, 1, 1), np.int32), thresholds, Levels(-1, 1, 3))
    accumulators = np.array([[-4, 4], [-3, 5], [0, 6]], np.int32).reshape(3, 2, 1, 1)
    assert unit.activate(accumulators).reshape(3, 2).tolist() == [[-1, -1], [0, 1], [1, 1]]


def test_pool_is_the_maximum_of_each_window() -> None:
    x = np.arange(2 * 5 * 5, dtype=np.int32).reshape(1, 2, 5, 5)
    got = output(MaxPool("p", (3, 2), (2, 2)), x, ())
    assert got.shape == (1, 2, 2, 2)
    assert got[0, 1, 1, 1] == x[0, 1, 2:5, 2:4].max()


def voted(network: Network) -> bool:
    return any(isinstance(layer, MajorityVote) for layer in network.layers)


def test_a_stuck_channel_is_stuck_and_acts_before_the_pool() -> None:
    network = next(
        n for n in map(random_network, range(100)) if any(isinstance(x, MaxPool) for x in n.layers) and not voted(n)
    )
    images = random_images(network, 3)
    at = next(i for i, layer in enumerate(network.layers) if isinstance(layer, MaxPool))
    unit = network.layers[at - 1]
    assert isinstance(unit, MatrixVectorUnit)
    assert unit.levels is not None
    for value in unit.levels:
        outputs = execute(network, images, [Fault(unit.name, "channel", (0,), value)])
        clean = execute(network, images)
        behind = network.layers[at].name
        assert (outputs[unit.name][:, 0] == value).all()
        assert (outputs[behind][:, 0] == value).all()
        np.testing.assert_array_equal(outputs[unit.name][:, 1:], clean[unit.name][:, 1:])


def test_the_first_of_equal_scores_wins() -> None:
    table = np.tile(np.arange(256, dtype=np.int32), (1, 1))
    weights = np.array([1, 3, 3, 2], np.int32).reshape(4, 1, 1, 1)
    network = Network("tie", InputQuantiser((1, 1, 1), table), (MatrixVectorUnit("fc0", weights, None, None),))
    assert predict(network, np.full((1, 1, 1, 1), 7, np.uint8)).tolist() == [1]


def test_counts_follow_from_predictions() -> None:
    network = random_network(5)
    images = random_images(network, 120)
    labels = np.arange(120) % network.classes
    outcome = ReferenceEngine().open(network).run(images, labels, fault_space(network)[:4], predictions=True)
    assert outcome.predictions is not None
    np.testing.assert_array_equal(outcome.correct, (outcome.predictions == labels).sum(1))
    np.testing.assert_array_equal(outcome.changed, (outcome.predictions != outcome.golden).sum(1))


def test_images_that_do_not_fit_are_refused() -> None:
    network = random_network(0)
    shape = network.input.shape
    labels = np.zeros(2, np.int64)
    good = np.zeros((2, *shape), np.uint8)
    check_images(network, good, labels)
    for images, wanted in [
        (good[:, :, :, :0], "takes uint8 images"),
        (good.astype(np.float32), "float32"),
        (good[:0], "no images"),
    ]:
        with pytest.raises(DataError, match=wanted):
            check_images(network, images, labels[: len(images)])  # type: ignore[arg-type]
    with pytest.raises(DataError, match="labels must lie in"):
        check_images(network, good, labels + network.classes)
    with pytest.raises(DataError, match="one label for each"):
        check_images(network, good, labels[:1])


def test_faults_that_do_not_exist_are_refused() -> None:
    network = random_network(1)
    images = random_images(network, 1)
    labels = np.zeros(1, np.int64)
    first, last = network.units[0], network.units[-1]
    assert first.levels is not None
    beyond = Fault(first.name, "channel", (first.channels,), first.levels.min)
    for fault, error, wanted in [
        (beyond, FaultError, f"channels 0 to {first.channels - 1}"),
        (Fault(first.name, "channel", (0,), 99), FaultError, "expected = "),
        (Fault(last.name, "channel", (0,), 1), FaultError, "scores have no activation levels"),
        (Fault("conv9", "channel", (0,), 1), FaultError, "unknown place 'conv9'"),
        (Fault(first.name, "cosmic", (0,), 1), FaultError, "unknown fault kind 'cosmic'"),
    ]:
        with pytest.raises(error, match=wanted):
            ReferenceEngine().open(network).run(images, labels, [fault])
