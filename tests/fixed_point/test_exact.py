"""Float networks in fixed point against an evaluation of its own, to the last bit; and in all engines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fat_fpga.crosscheck import KINDS, crosscheck, sample_faults
from fat_fpga.crosscheck.table import crosscheck_text
from fat_fpga.engines import get
from fat_fpga.engines.reference import execute
from fat_fpga.fixed_point import quantise
from fat_fpga.fixed_point.float_model import read_float_model
from fat_fpga.network import Network, load_network
from tests.designs.against_file import check_file
from tests.designs.float_network import FloatNetwork, random_float_network
from tests.designs.random_network import random_images

SEEDS = st.integers(0, 2**32 - 1)


def lowered(found: FloatNetwork) -> Network:
    return load_network(quantise(read_float_model(found.model, "net"), found.formats).model, "net", pixels="unit")


@settings(max_examples=40)
@given(SEEDS)
def test_sums_and_classes_are_those_of_an_evaluation_in_integers(seed: int) -> None:
    found = random_float_network(seed)
    network = lowered(found)
    images = random_images(network, 4)
    sums, scores = found.sums(images)
    streams = execute(network, images)
    assert np.array_equal(streams[network.units[-1].name].reshape(4, -1), sums)
    assert np.array_equal(streams[network.scores].reshape(4, -1).argmax(axis=1), scores.argmax(axis=1))


@settings(max_examples=8)
@given(SEEDS)
def test_qonnx_executes_the_file_to_the_same_integers(seed: int) -> None:
    found = random_float_network(seed, most_bits=8)
    model = quantise(read_float_model(found.model, "net"), found.formats).model
    check_file(model, told=False, pixels="unit")


@pytest.mark.parametrize("seed", range(3))
def test_all_engines_agree_under_faults(seed: int) -> None:
    network = lowered(random_float_network(seed, most_bits=8 + seed))
    images = random_images(network, 3)
    faults = sample_faults(network, KINDS, 12, 3, seed)
    engines = {name: get(name) for name in ("reference", "torch", "qonnx", "native")}
    check = crosscheck(network, images, faults, engines)
    assert check.equal, crosscheck_text(check)
