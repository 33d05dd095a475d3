"""Thresholds as the hardware finds levels: a search among words that a fault leaves out of order, in every engine."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fat_fpga.engines import get
from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.engines.native_engine import NativeEngine
from fat_fpga.engines.reference import ReferenceEngine, execute
from fat_fpga.engines.session import Session
from fat_fpga.errors import FaultError, ModelError
from fat_fpga.faults import AnyFault, Fault, FaultSet, check_faults, fault_space, memory_fingerprint, places
from fat_fpga.faults.fault import FLIP, STUCK_BIT
from fat_fpga.faults.place import Place
from fat_fpga.network import Levels, MatrixVectorUnit, Network
from fat_fpga.network.operators.threshold_logic import BAKED, COUNT, LOGICS, SEARCH, met, searched
from tests.designs.random_network import random_images
from tests.designs.random_patterns import pattern
from tests.engines.sanitised import subject
from tests.engines.test_file_engine import random_file

IMAGES = 2
MOST_WEIGHTS = 1000


def by_hand(words: Sequence[int], integer: int) -> int:
    """FINN's pipeline, stage by stage: each decides one bit of the level, from the highest one down."""
    level = 0
    for bit in reversed(range(len(words).bit_length())):
        at = level + 2**bit - 1
        if at < len(words) and words[at] <= integer:
            level += 2**bit
    return level


@given(st.lists(st.integers(-12, 12), min_size=1, max_size=40))
def test_a_search_by_hand(words: list[int]) -> None:
    integers = np.arange(-15, 16, dtype=np.int32).reshape(-1, 1, 1, 1)
    row = np.array([words], np.int32)
    expected = [by_hand(words, integer) for integer in range(-15, 16)]
    assert met(integers, row, SEARCH).ravel().tolist() == expected
    ascending = searched(row)
    assert (np.diff(ascending) >= 0).all()
    assert met(integers, ascending, COUNT).ravel().tolist() == expected
    assert met(integers, row, COUNT).ravel().tolist() == [sum(w <= i for w in words) for i in range(-15, 16)]
    assert searched(np.sort(row)).tolist() == np.sort(row).tolist()


def one_channel(words: list[int], logic: str) -> Network:
    """A channel that passes 0 to 255 to its thresholds, and its level on as the score."""
    from fat_fpga.network import IntegerInput

    levels = Levels(0, 1, len(words) + 1)
    one = np.ones((1, 1, 1, 1), np.int32)
    source = IntegerInput((1, 1, 1), Levels(0, 1, 256, "UINT8"))
    layers = (
        MatrixVectorUnit("fc0", one, np.array([words], np.int32), levels, weight_type="INT2"),
        MatrixVectorUnit("fc1", one, None, None, weight_type="INT2"),
    )
    return Network("one", source, layers).with_threshold_logic(logic)


def test_what_a_flip_does_in_each() -> None:
    """Three thresholds, 10, 20, 30: the middle one becomes 52. A count meets two of them at 40, a search looks at the
    52 first, and then at the 10 alone."""
    images = np.arange(0, 64, 4, dtype=np.int32).reshape(-1, 1, 1, 1)
    flip = Fault("fc0", "threshold", (0, 1), 1, bit=5, flip=True)
    found = {}
    for logic in (COUNT, SEARCH):
        network = one_channel([10, 20, 30], logic)
        found[logic] = execute(network, images, [flip])["fc0"].ravel().tolist()
    integers = range(0, 64, 4)
    assert found[COUNT] == [(i >= 10) + (i >= 52) + (i >= 30) for i in integers]
    assert found[SEARCH] == [(2 + (i >= 30)) if i >= 52 else int(i >= 10) for i in integers]
    assert found[COUNT] != found[SEARCH]


def small(seed: int) -> Network:
    """The first random chain, graph or network of groups from a seed on with few weights and more than two levels."""

    def fits_in(network: Network) -> bool:
        several = any(place.levels is not None and place.levels.count > 2 for place in thresholded(network))
        return several and sum(unit.weights.size for unit in network.units) < MOST_WEIGHTS

    return next(filter(fits_in, map(subject, itertools.count(seed))))


def thresholded(network: Network) -> list[Place]:
    return [place for place in places(network).values() if place.thresholded is not None]


def some_faults(network: Network, seed: int, count: int) -> list[AnyFault]:
    """Bits of thresholds, alone, several of one channel, and beside bits of weights and accumulators; and patterns."""
    rng = np.random.default_rng(seed)
    found: list[AnyFault] = list(fault_space(network, "threshold", effects=[*STUCK_BIT, FLIP]).sample(count, seed))
    for kind in ("weight", "accumulator"):
        others = fault_space(network, kind).sample(3, seed)
        found += [FaultSet((*one.faults, *other.faults)) for one, other in zip(found, others, strict=False)]
    for place in thresholded(network):
        channel = int(rng.integers(place.shape[0]))
        here = [f for f in fault_space(network, "threshold", [place.name]) if f.faults[0].index[0] == channel]
        for size in (2, 4):
            chosen = rng.permutation(len(here))[:size]
            if len(chosen) > 1:
                found.append(FaultSet(tuple(here[i].faults[0] for i in chosen)))
    forms = ("*/threshold[*].bit[*] ^ 1", "*/weight+threshold[*].bit[*] ^ 1", "*/threshold[*] = uniform")
    found += [pattern(f"{form} ~ {rate} @ sample[{seed}]") for form in forms for rate in (0.02, 0.3)]
    return list(dict.fromkeys(found))


def assert_equal(network: Network, sessions: dict[str, Session], seed: int, count: int) -> list[AnyFault]:
    """Every prediction of every session, and every stream under some faults; the faults whose streams change."""
    images, faults = random_images(network, IMAGES, seed), some_faults(network, seed, count)
    labels = np.zeros(IMAGES, np.int64)
    reference = sessions["reference"]
    expected = reference.run(images, labels, faults, predictions=True)
    for name, session in sessions.items():
        found = session.run(images, labels, faults, predictions=True)
        np.testing.assert_array_equal(found.predictions, expected.predictions, f"{name}, seed {seed}")
    changed, golden = [], reference.trace(images)
    for fault in faults[:: max(1, len(faults) // 12)]:
        streams = reference.trace(images, fault)
        for name, session in sessions.items():
            for place, stream in session.trace(images, fault).items():
                np.testing.assert_array_equal(stream, streams[place], f"{name}, seed {seed}: {fault}, {place}")
        if any(not np.array_equal(streams[place], golden[place]) for place in golden):
            changed.append(fault)
    return changed


@pytest.mark.parametrize("logic", [COUNT, SEARCH])
def test_engines_are_equal(logic: str) -> None:
    changed, differing = [], 0
    for seed in range(6):
        network = small(seed * 11).with_threshold_logic(logic)
        names = ("reference", "native", "torch", *(("qonnx",) if seed < 1 else ()))
        sessions = {name: get(name).open(network) for name in names}
        changed += assert_equal(network, sessions, seed, 16)
        images = random_images(network, IMAGES, seed)
        other = get("native").open(network.with_threshold_logic(COUNT if logic == SEARCH else SEARCH))
        for fault in some_faults(network, seed, 16):
            mine, theirs = sessions["native"].trace(images, fault), other.trace(images, fault)
            differing += any(not np.array_equal(mine[place], theirs[place]) for place in mine)
    assert len(changed) >= 25
    assert differing >= 25  # the two are not the same thing


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_native_is_equal(seed: int) -> None:
    network = small(seed).with_threshold_logic(LOGICS[seed % 2])
    sessions = {"reference": ReferenceEngine().open(network), "native": NativeEngine(1 + seed % 2).open(network)}
    assert_equal(network, sessions, seed, 12)


@settings(max_examples=10)
@given(st.integers(0, 10**6))
def test_layers_of_their_own_logic(seed: int) -> None:
    """As in a build where FINN chose RTL for some layers and HLS for others."""
    network, rng = small(seed), np.random.default_rng(seed)
    logics = {place.name: LOGICS[int(rng.integers(2))] for place in thresholded(network)}
    mixed = network.with_threshold_logic(logics)
    assert mixed.threshold_logics == logics
    sessions = {"reference": ReferenceEngine().open(mixed), "native": NativeEngine(1).open(mixed)}
    assert_equal(mixed, sessions, seed, 8)


@pytest.mark.parametrize("form", ["float", "finn", "integer"])
def test_files_are_equal(form: str, tmp_path: Path) -> None:
    changed = 0
    for seed in range(2):
        random_file(form, seed, tmp_path / "file.onnx")
        engine = FileEngine(tmp_path / "file.onnx")
        network = engine.network.with_threshold_logic(SEARCH)
        images, file, reference = (
            random_images(network, IMAGES, seed),
            engine.open(network),
            get("reference").open(network),
        )
        golden = reference.trace(images)
        for fault in fault_space(network, "threshold").sample(16, seed):
            streams = reference.trace(images, fault)
            for place, stream in file.trace(images, fault).items():
                np.testing.assert_array_equal(stream, streams[place], f"seed {seed}: {fault}, {place}")
            changed += any(not np.array_equal(streams[place], golden[place]) for place in golden)
    assert changed >= 8


def test_baked_thresholds_have_no_memory() -> None:
    network = small(1).with_threshold_logic(BAKED)
    with pytest.raises(FaultError, match="has no faults of kind threshold at any layer: its thresholds are baked"):
        fault_space(network, "threshold")
    flip = next(iter(fault_space(small(1), "threshold")))
    with pytest.raises(FaultError, match=r"has no threshold memory: its thresholds are baked into logic"):
        check_faults(network, [flip], 1)
    with pytest.raises(
        FaultError, match=r"no such cells at any layer; threshold at \S+: its thresholds are baked into logic"
    ):
        check_faults(network, [pattern("*/threshold[*].bit[*] ^ 1 ~ 0.1 @ sample[0]")], 1)


def test_what_it_changes_of_a_network() -> None:
    network = small(2)
    searching = network.with_threshold_logic(SEARCH)
    assert network.threshold_logic == COUNT
    assert searching.threshold_logic == SEARCH
    assert searching.fingerprint == network.fingerprint
    assert memory_fingerprint(searching) == memory_fingerprint(network)
    assert searching.canonical.threshold_logic == SEARCH
    assert network.with_threshold_logic(COUNT) is network
    first, *others = network.threshold_logics
    mixed = network.with_threshold_logic({first: SEARCH})
    if others:
        assert mixed.threshold_logic == ",".join([f"{first}=search", *(f"{other}=count" for other in others)])
        assert network.with_threshold_logic(mixed.threshold_logic).threshold_logics == mixed.threshold_logics
    with pytest.raises(ModelError, match=r"expected count, search, baked, or one .* got 'sorted'"):
        network.with_threshold_logic("sorted")
    with pytest.raises(ModelError, match=r"has thresholds at .*, not at nowhere"):
        network.with_threshold_logic({"nowhere": SEARCH})
