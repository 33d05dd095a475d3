"""The native engine gives the reference engine's answer to the last bit, on every instruction set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fat_fpga.engines.native_engine import ENVIRONMENT, NativeEngine, chosen_instruction_set, instruction_sets
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.errors import DataError, EngineError, FaultError
from fat_fpga.faults import Fault, fault_space
from fat_fpga.network import Network
from tests.designs.random_network import networks, random_images, random_network

FAULTS = 40  # sampled from each random network


def assert_equal_outcomes(network: Network, seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = random_images(network, 9, seed)
    labels = rng.integers(0, network.classes, len(images))
    space = fault_space(network)
    faults = [space[i] for i in np.sort(rng.permutation(len(space))[:FAULTS])]
    expected = ReferenceEngine().run(network, images, labels, faults, predictions=True)
    got = NativeEngine(threads=2).run(network, images, labels, faults, predictions=True)
    np.testing.assert_array_equal(got.golden, expected.golden)
    np.testing.assert_array_equal(got.predictions, expected.predictions)
    np.testing.assert_array_equal(got.correct, expected.correct)
    np.testing.assert_array_equal(got.changed, expected.changed)


@pytest.fixture(params=["portable", "avx2", "avx512"])
def instruction_set(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param not in instruction_sets():
        pytest.skip(f"this processor does not run {request.param}")
    monkeypatch.setenv(ENVIRONMENT, request.param)
    return str(request.param)


@given(network=networks(), seed=st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_equals_reference_on_random_networks(network: Network, seed: int) -> None:
    assert_equal_outcomes(network, seed)


def test_equals_reference_on_every_instruction_set(instruction_set: str) -> None:
    for seed in range(40):
        assert_equal_outcomes(random_network(seed), seed)
