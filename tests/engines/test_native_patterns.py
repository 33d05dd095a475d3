"""Patterns and sets of faults in the native engine: its arrays say what single faults say, its kernels what the
reference engine says."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fat_fpga.engines.native_engine import ENVIRONMENT, NativeEngine, instruction_sets
from fat_fpga.engines.native_patterns import changed_memory
from fat_fpga.engines.native_session import UPDATE, UPDATES
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.faults import FaultSet, changes_of
from fat_fpga.faults.changes import changed_words
from fat_fpga.faults.parts import parts_of
from fat_fpga.faults.register import Register
from fat_fpga.faults.singles import faults_of, singles
from fat_fpga.network import Network
from fat_fpga.network.layers import Layer, Thresholding
from tests.designs.random_network import random_images
from tests.designs.random_patterns import FORMS, MORE_FORMS, fits, pattern, random_patterns
from tests.designs.same_predictions import assert_same_predictions
from tests.engines.sanitised import subject

IMAGES = 3
FAULTS = 8  # of each random network
MOST_WEIGHTS = 3000  # of a network that the reference engine executes soon
MEMORIES = [form for form in (*FORMS, *MORE_FORMS) if form.startswith(("*/weight[", "*/threshold["))]


def small(seed: int) -> Network:
    """The first random chain, graph or network of groups from a seed on that has few weights."""
    return next(n for n in map(subject, itertools.count(seed)) if sum(u.weights.size for u in n.units) < MOST_WEIGHTS)


def assert_equals_reference(network: Network, seed: int) -> None:
    images = random_images(network, IMAGES, seed)
    labels = np.zeros(IMAGES, np.int64)
    faults = random_patterns(network, FAULTS, seed, IMAGES)
    reference, native = ReferenceEngine().open(network), NativeEngine(1 + seed % 2).open(network)
    expected = reference.run(images, labels, faults, predictions=True)
    got = native.run(images, labels, faults, predictions=True)
    np.testing.assert_array_equal(got.golden, expected.golden)
    assert_same_predictions(faults, got, expected)
    one = faults[seed % len(faults)]
    streams = reference.trace(images, one)
    for name, stream in native.trace(images, one).items():
        np.testing.assert_array_equal(stream, streams[name], f"{str(one)[:200]} at {name}")


@given(st.integers(0, 10**6), st.sampled_from(UPDATES))
def test_equals_reference(seed: int, update: str) -> None:
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")  # the kernels hold them all
        patch.setenv(UPDATE, update)
        assert_equals_reference(small(seed), seed)


@pytest.mark.parametrize("instruction_set", ["portable", "neon", "avx2", "avx512", "amx"])
def test_every_instruction_set(instruction_set: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if instruction_set not in instruction_sets():
        pytest.skip(f"this processor does not run {instruction_set}")
    monkeypatch.setenv(ENVIRONMENT, instruction_set)
    for seed, update in enumerate(UPDATES * 3):
        monkeypatch.setenv(UPDATE, update)
        assert_equals_reference(small(seed * 7), seed)


def test_activations_that_are_no_levels_in_front_of_changed_thresholds() -> None:
    """In layers of thresholds alone, which follow additions of streams."""
    graphs = (network for network in map(small, itertools.count()) if any(map(_is_thresholding, network.layers)))
    for sample, network in enumerate(itertools.islice(graphs, 12)):
        images = random_images(network, IMAGES, sample)
        faults = [
            pattern(f"*/threshold+activation[*].bit[*] ^ 1 ~ {rate} @ sample[{sample}]") for rate in (0.05, 0.2, 0.4)
        ]
        reference, native = (engine.open(network) for engine in (ReferenceEngine(), NativeEngine(1)))
        for fault in faults:
            streams = reference.trace(images, fault)
            for name, stream in native.trace(images, fault).items():
                np.testing.assert_array_equal(stream, streams[name], f"{fault} at {name} of {network.name}")


def _is_thresholding(layer: Layer) -> bool:
    return isinstance(layer, Thresholding)


@given(st.integers(0, 10**6), st.sampled_from(MEMORIES), st.sampled_from([0.01, 0.2, 1.0]))
def test_words_of_a_memory_are_those_of_single_faults(seed: int, form: str, rate: float) -> None:
    network = small(seed)
    assume(fits(network, form))
    for part in parts_of(network, pattern(f"{form} ~ {rate} @ sample[{seed}]")):
        one_by_one = changes_of(network, [FaultSet(tuple(faults_of(part, range(1))))])
        expected = changed_words(one_by_one)  # type: ignore[arg-type]
        numbers, after = changed_memory(part, singles(part, range(1)))
        assert (np.diff(numbers) > 0).all()
        found = zip(*(axis.tolist() for axis in np.unravel_index(numbers, part.block.dims)), strict=True)
        assert dict(zip(found, after.tolist(), strict=True)) == expected


@given(st.integers(1, 16), st.booleans(), st.data())
def test_masks_of_many_bits_are_those_of_each(bits: int, signed: bool, data: st.DataObject) -> None:
    register = Register(bits, signed)
    pairs = data.draw(st.lists(st.tuples(st.integers(0, bits - 1), st.integers(-1, 1)), max_size=20))
    masks = register.masks_of_each(*np.array(pairs, np.int64).reshape(-1, 2).T)
    assert masks.tolist() == [list(register.masks(bit, None if to < 0 else to)) for bit, to in pairs]
