"""Whole streams computed anew from levels in bytes: the reference engine's answer, in every instruction set."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from fat_fpga.engines.counts import OUTCOMES
from fat_fpga.engines.native_engine import ENVIRONMENT, NativeEngine, instruction_sets
from fat_fpga.engines.native_session import UPDATE
from fat_fpga.engines.outcome import Outcome
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.faults import AnyFault, fault_space
from fat_fpga.network import Network
from tests.designs.depthwise_network import depthwise_network
from tests.designs.random_faults import mixed_faults
from tests.designs.random_network import random_images
from tests.designs.residual_network import residual_network, signed_chain, signs_network
from tests.designs.same_predictions import assert_same_predictions

IMAGES = 3

SUBJECTS: dict[str, Callable[[], Network]] = {
    "residual16": lambda: residual_network(16, size=(18, 21)),  # more than a row of 16, and not twice as much
    "residual20": lambda: residual_network(20, (-8, 7), (1, 1), (5, 17)),
    "residual40": lambda: residual_network(40, (-1, 0, 1), (3, -2), (6, 4)),  # more than a vector of channels
    "framed40": lambda: residual_network(40, (-1, 0, 1), (3, -2), (7, 9)),  # tiles go on over the padding between rows
    "framed50": lambda: residual_network(50, (-2, 1), (1, 1), (5, 14)),
    "framed70": lambda: residual_network(70, (-1, 0, 1), (1, -1), (8, 8)),
    "signed5": lambda: signed_chain(5),  # a frame begins with padding, right behind the end of another fault's
    "signed30": lambda: signed_chain(30),
    "signs17": lambda: signs_network(17),  # the course ends within a block
    "depthwise16": lambda: depthwise_network(16, (6, 18)),
    "depthwise35": lambda: depthwise_network(35, (4, 8)),
    "depthwise70": lambda: depthwise_network(70, (4, 6)),  # more than a group of 64 outputs, few places
}
Expected = tuple[Network, npt.NDArray[np.uint8], list[AnyFault], Outcome]


@pytest.fixture(scope="module", params=SUBJECTS)
def expected(request: pytest.FixtureRequest) -> Expected:
    """A network, images, faults at one level after another and mixed ones, and what the reference engine says."""
    network = SUBJECTS[request.param]()
    images = random_images(network, IMAGES, 1)
    space = fault_space(network)
    rng = np.random.default_rng(1)
    starts = sorted(rng.integers(0, len(space) - 12, 8))
    faults: list[AnyFault] = [fault for start in starts for fault in space[start : start + 12]]
    faults += mixed_faults(network, 40, 1, IMAGES)
    labels = np.zeros(IMAGES, np.int64)
    session = ReferenceEngine().open(network)
    outcome = session.run(images, labels, faults, predictions=True, counting=(OUTCOMES,))
    assert outcome.predictions is not None
    assert len({tuple(row) for row in outcome.predictions}) > 5  # the comparison is not of faults that do nothing
    return network, images, faults, outcome


@pytest.mark.parametrize("update", ["bytes", "automatic", "chance"])
@pytest.mark.parametrize("instruction_set", ["portable", "neon", "avx2", "avx512", "amx"])
def test_equals_reference(
    expected: Expected, instruction_set: str, update: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if instruction_set not in instruction_sets():
        pytest.skip(f"this processor does not run {instruction_set}")
    monkeypatch.setenv(ENVIRONMENT, instruction_set)
    monkeypatch.setenv(UPDATE, update)
    network, images, faults, outcome = expected
    session = NativeEngine(1).open(network)
    labels = np.zeros(IMAGES, np.int64)
    for again in range(1 if update == "bytes" else 3):  # so that both ways are tried, and one is chosen
        got = session.run(images, labels, faults, predictions=True, counting=(OUTCOMES,))
        assert_same_predictions(faults, got, outcome, f", {again}")
        for name, counts in outcome.counts.items():
            np.testing.assert_array_equal(got.counts[name], counts, f"{name}, {again}")


@pytest.mark.parametrize("waiting", [4, 5, 6])
@pytest.mark.parametrize("seed", range(3))
def test_queues_that_fill_one_after_the_other(seed: int, waiting: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where faults wait at three units, the first of two that come from one to the next may fill the queue there, and
    those that come from there the next one; the second still has to find its own levels. Behind a stride more faults
    have room together."""
    monkeypatch.setenv(UPDATE, "bytes")
    network = signed_chain(5, 18, (1, 1, 2, 1))
    images = random_images(network, IMAGES, 1)
    rng, space = np.random.default_rng(seed), list(fault_space(network, "weight"))
    faults: list[AnyFault] = []
    for layer, count in (("conv0", 2), ("conv1", waiting), ("conv2", 13)):
        own = [fault for fault in space if fault.layer == layer]
        faults += [own[i] for i in rng.choice(len(own), count, replace=False)]
    labels = np.zeros(IMAGES, np.int64)
    expected = ReferenceEngine().open(network).run(images, labels, faults, predictions=True)
    got = NativeEngine(1).open(network).run(images, labels, faults, predictions=True)
    np.testing.assert_array_equal(got.predictions, expected.predictions)
