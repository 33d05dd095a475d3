"""The native engine gives the reference engine's answer to the last bit, by every path through the kernels."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fat_fpga.engines import Outcome, native_engine
from fat_fpga.engines.native_engine import ENVIRONMENT, NativeEngine, instruction_sets
from fat_fpga.engines.native_session import UPDATE, UPDATES
from fat_fpga.engines.reference import ReferenceEngine, execute
from fat_fpga.errors import EngineError, ModelWarning
from fat_fpga.extras import installed
from fat_fpga.faults import FaultSet, fault_space
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.layers import Thresholding
from tests.designs.random_faults import folding_of, mixed_faults
from tests.designs.random_graph import graphs, random_graph, random_groups
from tests.designs.random_network import networks, random_images, random_network
from tests.designs.residual_network import residual_network
from tests.designs.wide_network import wide_network
from tests.engines.sanitised import subject

FAULTS = 60  # sampled from each random network
IMAGES = 7


def assert_equal_outcomes(network: Network, seed: int, threads: int = 2) -> None:
    rng = np.random.default_rng(seed)
    images = random_images(network, IMAGES, seed)
    labels = rng.integers(0, network.classes, len(images))
    faults = mixed_faults(network, FAULTS, seed, IMAGES)
    expected = ReferenceEngine().open(network).run(images, labels, faults, predictions=True)
    native = NativeEngine(threads)
    got = native.open(network).run(images, labels, faults, predictions=True)
    np.testing.assert_array_equal(got.golden, expected.golden)
    for fault, ours, theirs in zip(faults, table(got), table(expected), strict=True):
        np.testing.assert_array_equal(ours, theirs, str(fault))
    np.testing.assert_array_equal(got.correct, expected.correct)
    np.testing.assert_array_equal(got.changed, expected.changed)
    for one in (None, *faults[:6]):
        streams = execute(network, images, [one] if one else [])
        shown = native.open(network).trace(images, one)
        assert list(shown)[-1] == network.scores
        for name, stream in shown.items():
            np.testing.assert_array_equal(stream, streams[name], f"{one} at {name}")


def table(outcome: Outcome) -> npt.NDArray[np.int32]:
    assert outcome.predictions is not None
    return outcome.predictions


@given(network=networks(), seed=st.integers(0, 1000))
def test_neighbours_in_a_list_do_not_matter(network: Network, seed: int) -> None:
    """Stuck-at faults of the same channels at both levels share work where they follow each other."""
    space = fault_space(network) + fault_space(network, "pe", pes=folding_of(network))
    assume(len(space) > 0)
    faults = space[:150] + space[-150:]
    images = random_images(network, 3, seed)
    labels = np.zeros(len(images), np.int64)
    engine = NativeEngine(1)
    expected = table(engine.open(network).run(images, labels, faults, predictions=True))
    alone = np.concatenate(
        [table(engine.open(network).run(images, labels, [f], predictions=True)) for f in faults[:60]]
    )
    np.testing.assert_array_equal(alone, expected[:60])
    for order in (np.arange(len(faults))[::-1], np.random.default_rng(seed).permutation(len(faults))):
        got = table(engine.open(network).run(images, labels, [faults[i] for i in order], predictions=True))
        np.testing.assert_array_equal(got, expected[order])


@given(network=networks(), seed=st.integers(0, 1000))
def test_equals_reference_on_random_networks(network: Network, seed: int) -> None:
    assert_equal_outcomes(network, seed)


@given(network=graphs(), seed=st.integers(0, 1000), update=st.sampled_from(["automatic", "chance"]))
def test_equals_reference_on_random_graphs(network: Network, seed: int, update: str) -> None:
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        patch.setenv(UPDATE, update)
        warnings.simplefilter("error")  # the kernels hold them all
        assert_equal_outcomes(network, seed)


@pytest.mark.parametrize("instruction_set", ["portable", "neon", "avx2", "avx512", "amx"])
@pytest.mark.parametrize(
    ("channels", "weights", "factors"),
    [
        (3, (-1, 0, 1), (1, 1)),  # four pixels in a vector
        (16, (-8, 7), (1, 1)),  # and so many large weights that sums of columns leave a byte
        (11, (-127, 100), (2, 1)),  # thresholds that fit in no byte
        (20, (-1, 0, 1), (1, -1)),  # two pixels, then one
        (32, (-1, 0, 1), (3, 2)),
    ],
)
def test_residual_blocks(
    channels: int, weights: tuple[int, ...], factors: tuple[int, int], instruction_set: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Channels stuck at one level after another, as in a campaign, and mixed with other faults."""
    if instruction_set not in instruction_sets():
        pytest.skip(f"this processor does not run {instruction_set}")
    monkeypatch.setenv(ENVIRONMENT, instruction_set)
    network = residual_network(channels, weights, factors)
    images = random_images(network, 3, channels)
    labels = np.zeros(len(images), np.int64)
    space = fault_space(network)
    rng = np.random.default_rng(channels)
    parts = [space[start : start + 20] for start in sorted(rng.integers(0, len(space) - 20, 8))]
    others = mixed_faults(network, 60, channels, len(images))
    faults = [fault for part in parts for fault in part]
    mixed = [*faults, *others]
    mixed = [mixed[i] for i in rng.permutation(len(mixed))]
    reference, native = ReferenceEngine().open(network), NativeEngine(1).open(network)
    expected = dict(zip(mixed, table(reference.run(images, labels, mixed, predictions=True)), strict=True))
    for listed in (faults, mixed):
        got = table(native.run(images, labels, listed, predictions=True))
        for fault, row in zip(listed, got, strict=True):
            np.testing.assert_array_equal(row, expected[fault], str(fault))
    assert len({tuple(row) for row in expected.values()}) > 5  # the comparison is not of faults that do nothing


@pytest.mark.parametrize("instruction_set", ["portable", "neon", "avx2", "avx512", "amx"])
def test_graphs_by_every_instruction_set(instruction_set: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if instruction_set not in instruction_sets():
        pytest.skip(f"this processor does not run {instruction_set}")
    monkeypatch.setenv(ENVIRONMENT, instruction_set)
    for seed, update in enumerate(UPDATES * 2):
        monkeypatch.setenv(UPDATE, update)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_equal_outcomes(random_graph(seed), seed)
            assert_equal_outcomes(random_groups(seed), seed)


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("instruction_set", ["portable", "neon", "avx2", "avx512", "amx"])
def test_equals_reference_by_every_path(instruction_set: str, update: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if instruction_set not in instruction_sets():
        pytest.skip(f"this processor does not run {instruction_set}")
    monkeypatch.setenv(ENVIRONMENT, instruction_set)
    monkeypatch.setenv(UPDATE, update)
    for seed in range(20):
        assert_equal_outcomes(random_network(seed), seed, threads=1 + seed % 3)


@pytest.mark.parametrize("seed", [3, 6, 9, 4, 7])
def test_every_flip_of_a_weight_by_sums_near_thresholds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a flipped weight does to a stream, where only sums near a threshold are looked at: bipolar weights and
    others, alone and behind a change in front."""
    monkeypatch.setenv(UPDATE, "chance")
    network = subject(seed)
    images = random_images(network, 2, seed)
    session = NativeEngine(1).open(network)
    space, held = fault_space(network, "weight"), fault_space(network)
    for number, fault in enumerate(space.sample(300, seed)):
        faults = [fault, *held.sample(number % 2, number)]
        streams = execute(network, images, faults)
        both = FaultSet(tuple(part for one in faults for part in one.faults))
        for name, stream in session.trace(images, both).items():
            np.testing.assert_array_equal(stream, streams[name], f"{both} at {name}")


@pytest.mark.parametrize("update", ["sparse", "popcount", "bytes"])
@pytest.mark.parametrize("instruction_set", ["portable", "neon", "avx2", "avx512", "amx"])
@pytest.mark.parametrize(("levels", "low", "high"), [(Levels(-8, 1, 16), -127, 127), (Levels(-1, 2, 2), -8, 7)])
def test_wide_accumulators(
    levels: Levels, low: int, high: int, instruction_set: str, update: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if instruction_set not in instruction_sets():
        pytest.skip(f"this processor does not run {instruction_set}")
    monkeypatch.setenv(ENVIRONMENT, instruction_set)
    monkeypatch.setenv(UPDATE, update)
    assert_equal_outcomes(wide_network(levels, low, high), 1)


def test_more_images_than_one_call_takes() -> None:
    network = random_network(3)
    images = random_images(network, 600)
    labels = np.arange(600) % network.classes
    faults = fault_space(network)[:3]
    done: list[int] = []
    whole = NativeEngine().open(network).run(images, labels, faults, predictions=True, progress=done.append)
    assert done[-1] == 600
    assert len(done) > 1
    parts = [NativeEngine().open(network).run(images[s], labels[s], faults) for s in (slice(0, 7), slice(7, 600))]
    np.testing.assert_array_equal(whole.correct, sum(part.correct for part in parts))
    np.testing.assert_array_equal(whole.changed, sum(part.changed for part in parts))
    np.testing.assert_array_equal(whole.golden, np.concatenate([part.golden for part in parts]))
    assert whole.predictions is not None
    np.testing.assert_array_equal((whole.predictions == labels).sum(axis=1), whole.correct)


@pytest.mark.parametrize("variable", [ENVIRONMENT, UPDATE])
def test_unknown_choice_in_the_environment(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "mmx")
    network = random_network(0)
    with pytest.raises(EngineError, match=f"{variable}=mmx"):
        NativeEngine().open(network).run(random_images(network, 2), np.zeros(2, np.int64), [])


def weights_of_minus_128() -> Network:
    weights = np.array([-128, 127], np.int32).reshape(2, 1, 1, 1)
    table = np.arange(256, dtype=np.int32)[None]
    return Network("big", InputQuantiser((1, 1, 1), table), (MatrixVectorUnit("fc0", weights, None, None),))


def sums_beyond_30_bits() -> Network:
    levels = Levels(1, 2**20, 2)
    first = MatrixVectorUnit("fc0", np.ones((1, 1, 1, 1), np.int32), np.full((1, 1), 128, np.int32), levels)
    second = MatrixVectorUnit("conv1", np.full((2, 1, 3, 3), 127, np.int32), None, None, padding=(1, 1, 1, 1))
    table = np.arange(256, dtype=np.int32)[None]
    return Network("large", InputQuantiser((1, 1, 1), table), (first, second))


def padded_pool() -> Network:
    first = MatrixVectorUnit("conv0", np.ones((1, 1, 1, 1), np.int32), np.full((1, 1), 128, np.int32), Levels(0, 1, 2))
    pool = MaxPool("conv0.pool", (2, 2), (2, 2), padding=(1, 1, 1, 1))
    last = MatrixVectorUnit("fc1", np.ones((2, 1, 2, 2), np.int32), None, None)
    table = np.arange(256, dtype=np.int32)[None]
    return Network("pool", InputQuantiser((1, 2, 2), table), (first, pool, last))


def sums_in_the_middle() -> Network:
    sums = MatrixVectorUnit("conv0", np.ones((1, 1, 1, 1), np.int32), None, Levels(0, 1, 256))
    thresholds = Thresholding("conv0.thresholding", np.full((1, 1), 128, np.int32), Levels(0, 1, 2))
    last = MatrixVectorUnit("fc1", np.ones((2, 1, 1, 1), np.int32), None, None)
    table = np.arange(256, dtype=np.int32)[None]
    return Network("sums", InputQuantiser((1, 1, 1), table), (sums, thresholds, last))


def padded_bipolar() -> Network:
    """Padded with 0, which is none of the levels."""
    rng = np.random.default_rng(0)
    weights = [rng.choice([-1, 1], shape).astype(np.int32) for shape in ((3, 1, 1, 1), (2, 3, 3, 3))]
    levels = Levels(-1, 2, 2)
    first = MatrixVectorUnit("conv0", weights[0], np.full((3, 1), 128, np.int32), levels)
    last = MatrixVectorUnit("conv1", weights[1], None, None, padding=(1, 1, 1, 1))
    table = np.arange(256, dtype=np.int32)[None]
    return Network("padded", InputQuantiser((1, 1, 1), table), (first, last))


def test_padding_that_is_no_level() -> None:
    assert_equal_outcomes(padded_bipolar(), 0)


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (weights_of_minus_128, r"fc0: .*-127\.\.127"),
        (sums_beyond_30_bits, r"conv1: accumulators beyond 30 bits"),
        (padded_pool, r"conv0\.pool: the native engine has no padded pools"),
        (sums_in_the_middle, r"conv0: the native engine has no units without thresholds but the last one"),
    ],
)
@pytest.mark.parametrize("torch", [True, False])
def test_what_the_kernels_cannot_hold_is_handed_to_the_next_engine_and_told_once(
    build: Callable[[], Network], why: str, torch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native_engine, "_TOLD", set())
    if not torch:
        monkeypatch.setattr(native_engine, "installed", lambda package: False)
    elif not installed("torch"):
        pytest.skip("PyTorch is not installed")
    network = build()
    images, labels = random_images(network, 5), np.zeros(5, np.int64)
    faults = list(fault_space(network))
    engine = NativeEngine()
    with pytest.warns(ModelWarning, match=why) as caught:
        got, again = (engine.open(network).run(images, labels, faults, predictions=True) for _ in range(2))
    assert len(caught) == 1
    np.testing.assert_array_equal(got.predictions, again.predictions)
    streams = engine.open(network).trace(images)
    assert str(caught[0].message).endswith(f"the {'torch' if torch else 'reference'} engine executes it, more slowly")
    expected = ReferenceEngine().open(network).run(images, labels, faults, predictions=True)
    np.testing.assert_array_equal(got.predictions, expected.predictions)
    last = network.units[-1].name
    np.testing.assert_array_equal(streams[last], ReferenceEngine().open(network).trace(images)[last])
