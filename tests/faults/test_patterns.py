"""Errors at a rate: where they fall, what they are, and that they are the same in every engine."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, chisquare

from fat_fpga.engines import get
from fat_fpga.engines.reference import execute
from fat_fpga.errors import FaultError
from fat_fpga.faults import Fault, check_faults, expand, parse_fault, places
from fat_fpga.faults.draws import failures, generator, nonzero, passing_generator
from fat_fpga.faults.expand import count_hits
from fat_fpga.faults.parts import parts_of
from fat_fpga.faults.register import weight_register
from fat_fpga.network import Levels, Network
from tests.campaign.tiny import tiny_data, tiny_network
from tests.designs.random_network import random_images, random_network
from tests.designs.random_patterns import FORMS, fits, pattern


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_every_engine_predicts_the_same(seed: int, sample: int) -> None:
    network = next(n for n in map(random_network, itertools.count(seed)) if sum(u.weights.size for u in n.units) < 3000)
    images, labels = random_images(network, 3, seed), np.zeros(3, np.int64)
    rng = np.random.default_rng(seed)
    faults = [
        pattern(f"{form} ~ {rate} @ sample[{sample}]")
        for form, rate in zip(
            rng.permutation([form for form in FORMS if fits(network, form)])[:3], (0.002, 0.02, 0.1), strict=False
        )
    ]
    names = ("reference", "native", "torch")
    expected, *others = (get(name).open(network).run(images, labels, faults, predictions=True) for name in names)
    # what a pattern says is what its single faults say
    singles = [expand(network, fault, 0, 3) for fault in faults]
    reference = get("reference").open(network).run(images, labels, singles, predictions=True)
    for name, outcome in zip((*names[1:], "single faults"), (*others, reference), strict=True):
        np.testing.assert_array_equal(outcome.predictions, expected.predictions, f"{name}, {seed}: {faults}")
    few = [fault for fault, parts in zip(faults, singles, strict=True) if len(parts.faults) <= 6]
    if seed % 10 == 0 and few and len(network.layers) <= 4:
        by_qonnx = get("qonnx").open(network).run(images, labels, few, predictions=True)
        by_reference = get("reference").open(network).run(images, labels, few, predictions=True)
        np.testing.assert_array_equal(by_qonnx.predictions, by_reference.predictions)
    # parts of a data set see what the whole sees
    part = get("reference").open(network).run(images[1:], labels[1:], faults, predictions=True, first_frame=1, frames=3)
    assert part.predictions is not None
    assert expected.predictions is not None
    np.testing.assert_array_equal(part.predictions, expected.predictions[:, 1:])


@pytest.mark.parametrize("form", FORMS)
def test_a_pattern_at_rate_0_is_the_golden_run(form: str) -> None:
    network, data = tiny_network(levels=Levels(0, 1, 4)), tiny_data(4)
    none = pattern(f"{form} ~ 0 @ sample[1]")
    assert expand(network, none, 0, 4).faults == ()
    for name in ("reference", "native", "torch", "qonnx"):
        run = get(name).open(network).run(data.images, data.labels, [none], predictions=True, counting=("hits",))
        assert run.predictions is not None
        np.testing.assert_array_equal(run.predictions[0], run.golden)
        assert run.counts["hits"].tolist() == [0]
    assert count_hits(network, pattern(f"{form} ~ 1 @ sample[1]"), 0, 4) > 0


@pytest.mark.parametrize(("rate", "cells"), [(0.5, 12), (0.1, 60), (0.01, 900), (1e-4, 40_000)])
def test_numbers_of_hits_follow_the_binomial_law(rate: float, cells: int) -> None:
    draws = 4000
    seen = np.array([len(failures(generator(f"law {rate} {i}"), rate, cells)) for i in range(draws)])
    law = binom(cells, rate)
    edges = np.unique(law.ppf(np.linspace(0.05, 0.95, 12)).astype(int))
    expected = np.diff([0.0, *law.cdf(edges), 1.0]) * draws
    found = np.histogram(seen, [-np.inf, *(edges + 0.5), np.inf])[0]
    assert chisquare(found, expected).pvalue > 1e-4


def test_every_cell_is_hit_as_often_as_any_other() -> None:
    hits = np.zeros(50, np.int64)
    for i in range(6000):
        own = failures(generator(f"cell {i}"), 0.1, 50)
        assert (np.diff(own) > 0).all(), "without replacement, in order"
        hits[own] += 1
    assert chisquare(hits).pvalue > 1e-4
    assert hits[0] > 0
    assert len(failures(generator("all"), 1, 7)) == 7
    # far more cells than could be looked at one by one
    far = failures(generator("far"), 1e-15, 10**18)
    assert 800 < len(far) < 1200
    words = nonzero(generator("words"), 2, 9000)
    assert chisquare(np.bincount(words, minlength=4)[1:]).pvalue > 1e-4


def test_draws_are_fixed_for_good() -> None:
    """Philox's words are fixed by its definition: these numbers are the same on every machine."""
    assert generator("a").random_raw(1).tolist() == GOLDEN_WORD
    assert failures(generator("conv1/weight"), 0.01, 400).tolist() == GOLDEN_CELLS


GOLDEN_WORD = [3032838489708147381]
GOLDEN_CELLS = [159, 220]


def test_a_network_is_the_union_of_its_layers_and_samples_differ() -> None:
    network = tiny_network()
    whole = expand(network, pattern("*/weight[*].bit[*] ^ 1 ~ 0.1 @ sample[3]"), 0, 1).faults
    layers: list[Fault] = []
    for unit in network.units:
        layers += expand(network, pattern(f"{unit.name}/weight[*].bit[*] ^ 1 ~ 0.1 @ sample[3]"), 0, 1).faults
    assert list(whole) == layers
    other = expand(network, pattern("*/weight[*].bit[*] ^ 1 ~ 0.1 @ sample[4]"), 0, 1).faults
    assert 0 < len(set(whole) & set(other)) < min(len(whole), len(other))
    every = expand(network, pattern("*/weight[*].bit[*] ^ 1 ~ 1 @ sample[0]"), 0, 1).faults
    assert len(every) == sum(unit.weights.size for unit in network.units) == len(set(every))


def values(network: Network, text: str) -> list[tuple[int, int]]:
    """Weights of the first unit before and after."""
    from fat_fpga.faults import changed_unit, changes_of

    unit = network.units[0]
    after = changed_unit(unit, changes_of(network, [expand(network, pattern(text), 0, 1)]))
    return list(zip(unit.weights.ravel().tolist(), after.weights.ravel().tolist(), strict=True))


def test_what_the_actions_do() -> None:
    network = next(n for n in map(random_network, range(200)) if n.units[0].weight_type == "INT4")
    name, bits = network.units[0].name, weight_register(network.units[0]).bits
    at = f"{name}/weight[*]"
    assert {after for _, after in values(network, f"{at} = 0 ~ 1 @ sample[0]")} == {0}
    assert {after for _, after in values(network, f"{at} = -3 ~ 1 @ sample[0]")} == {-3}
    assert all(before != after for before, after in values(network, f"{at} = uniform ~ 1 @ sample[0]"))
    pairs = [pair for sample in range(40) for pair in values(network, f"{at} = uniform ~ 1 @ sample[{sample}]")]
    deviations = np.bincount([(after - before) % 2**bits for before, after in pairs], minlength=2**bits)
    assert deviations[0] == 0
    assert all(after & 0x7 == 0x7 for _, after in values(network, f"{name}/weight[*].bit[*] = 1 ~ 1 @ sample[0]"))
    # all bits wrong: the sign is, so all are 0; one bit wrong: the sign bit's value
    assert {after for _, after in values(network, f"{name}/weight[*].bit[*] = masked ~ 1 @ sample[0]")} == {0}
    for before, after in values(network, f"{name}/weight[*].bit[1] = masked ~ 1 @ sample[0]"):
        assert after == (before | 2 if before < 0 else before & ~2)
    half = values(network, f"{at} = 0 ~ 0.5 @ sample[0]")
    assert {after for before, after in half if before != after} == {0}


def test_masked_activations_of_unsigned_words_lose_ones() -> None:
    """Their sign is known, so a wrong bit becomes 0; in every engine, and drawn anew for each image."""
    network = tiny_network(levels=Levels(0, 1, 4)).canonical
    masked = pattern("conv0+conv1/activation[*].bit[*] = masked ~ 0.3 @ sample[4]")
    faults = expand(network, masked, 0, 30).faults
    assert len({fault.frame for fault in faults}) == 30
    assert {(fault.value, fault.flip) for fault in faults} == {(0, False)}
    pixels = tiny_data().images
    plain, found = execute(network, pixels), execute(network, pixels, [expand(network, masked, 0, 30)])
    gone = plain["conv0"] & ~found["conv0"]
    assert np.array_equal(found["conv0"] | gone, plain["conv0"]), "no bit becomes 1"
    lost, ones = (int(np.unpackbits(values.astype(np.uint8)).sum()) for values in (gone, plain["conv0"]))
    assert abs(lost / ones - 0.3) < 0.05
    always = pattern("conv0/activation[*].bit[*] = masked ~ 1 @ sample[0]")
    every = execute(network, pixels, [expand(network, always, 0, 30)])
    assert not every["conv0"].any()
    labels = np.zeros(len(pixels), np.int64)
    names = ("reference", "native", "torch")
    expected, *others = (get(name).open(network).run(pixels, labels, [masked], predictions=True) for name in names)
    assert expected.predictions is not None
    for other in others:
        assert other.predictions is not None
        assert np.array_equal(expected.predictions, other.predictions)
    assert (expected.changed > 0).all()
    for cells in ("conv1/accumulator[*]", "input/activation[*]"):
        with pytest.raises(FaultError, match="never below 0"):
            check_faults(network, [pattern(f"{cells}.bit[*] = masked ~ 0.1 @ sample[0]")])


def test_activations_are_drawn_anew_for_each_image() -> None:
    network = tiny_network()
    text = "conv0/activation[*].bit[*] ^ 1 ~ 0.05 @ sample[0]"
    faults = expand(network, pattern(text), 0, 30).faults
    by_frame: dict[int | None, set[tuple[int, ...]]] = {}
    for fault in faults:
        by_frame.setdefault(fault.frame, set()).add(fault.index)
    assert len(by_frame) > 25
    assert len({frozenset(own) for own in by_frame.values()}) > 20
    assert expand(network, pattern(text), 10, 5).faults == tuple(
        fault for fault in faults if fault.frame is not None and 10 <= fault.frame < 15
    )
    assert sum(count_hits(network, pattern(text), first, 10) for first in (0, 10, 20)) == len(faults)
    static = pattern("conv0/weight[*].bit[*] ^ 1 ~ 0.5 @ sample[0]")
    assert [count_hits(network, static, first, 10) > 0 for first in (0, 10, 20)] == [True, False, False]


@given(st.sampled_from(FORMS), st.floats(0, 1), st.integers(0, 10**9))
def test_texts_come_back(form: str, rate: float, sample: int) -> None:
    found = pattern(f"{form} ~ {rate!r} @ sample[{sample}]")
    assert parse_fault(str(found)) == found
    assert (found.rate, found.sample) == (rate, sample)
    assert str(found) == f"{form} ~ {rate!r} @ sample[{sample}]"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*/weight[*].bit[*] ^ 1 ~ 1.5 @ sample[0]", "a rate, 0 to 1, got '1.5'"),
        ("*/weight[*].bit[*] ^ 1 ~ -1 @ sample[0]", "a rate, 0 to 1"),
        ("*/weight[*].bit[*] ^ 1", "'~' and a rate"),
        ("*/weight[*].bit[*] ^ 1 ~ 0.1", "'@ sample[...]'"),
        ("*/weight[*].bit[*] = 2 ~ 0.1 @ sample[0]", "0, 1 or 'masked'"),
        ("*/weight[*] = masked ~ 0.1 @ sample[0]", "an integer or 'uniform'"),
        ("*+conv0/weight[*] = 0 ~ 0.1 @ sample[0]", "'*' alone"),
        ("conv0+conv1/weight[0,0,0,0].bit[0] ^ 1", "several layers or kinds are for patterns"),
        ("conv0/weight[*].bit[*] ^ 1 ~ 0.1 @ sample[0] & conv0/channel[1] = 1", "a pattern stands alone"),
        ("conv0/channel[1] = 1 & conv0/weight[*].bit[*] ^ 1 ~ 0.1 @ sample[0]", "a pattern stands alone"),
        ("conv9/weight[*].bit[*] ^ 1 ~ 0.1 @ sample[0]", "unknown place 'conv9'"),
        ("conv0.pool/weight[*].bit[*] ^ 1 ~ 0.1 @ sample[0]", "weight at conv0.pool: it has no such faults"),
        ("conv0/weight[*].bit[3] ^ 1 ~ 0.1 @ sample[0]", "its words have bits 0 to 0"),
        ("*/weight[*].bit[3] ^ 1 ~ 0.1 @ sample[0]", "no such cells at any layer"),
        ("conv0/weight[*] = 0 ~ 0.1 @ sample[0]", "cannot hold 0: they are -1 to 1 in steps of 2"),
        ("conv0/weight[*].bit[*] = masked ~ 0.1 @ sample[0]", "no sign bit and no 0"),
        ("conv0/activation[*].bit[*] = masked ~ 0.1 @ sample[0]", "no sign bit and no 0"),
        ("conv0/channel[*].bit[*] ^ 1 ~ 0.1 @ sample[0]", "whole activations are held"),
        ("conv0/channel[*] = 5 ~ 0.1 @ sample[0]", "none of its activation levels"),
        ("conv0/pe[*] = 1 ~ 0.1 @ sample[0]", "need a folding"),
    ],
)
def test_mistakes_are_told_in_a_line(text: str, words: str) -> None:
    with pytest.raises(FaultError) as told:
        check_faults(tiny_network(), [parse_fault(text)], 4)
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_whole_values_have_patterns_too() -> None:
    network = tiny_network()
    names: Sequence[str] = [
        part.block.place for part in parts_of(network, pattern("*/channel[*] = 1 ~ 0.5 @ sample[0]"))
    ]
    assert names == ["conv0", "conv1"]
    assert set(names) < set(places(network))
    faults = expand(network, pattern("*/channel[*] = 1 ~ 0.5 @ sample[0]"), 0, 1).faults
    assert 0 < len(faults) < 7
    assert {fault.value for fault in faults} == {1}


def test_a_generator_that_is_set_anew_draws_what_a_new_one_does() -> None:
    for key in ("a", "b", "a"):
        source = passing_generator(key)
        wanted = generator(key).random_raw(7)
        assert (source.random_raw(3) == wanted[:3]).all()  # leaves a word in its buffer
        assert (source.random_raw(4) == wanted[3:]).all()
