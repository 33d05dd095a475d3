"""Protected memories: what is left of errors is what a memory of stored, broken and decoded bits gives."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, chisquare

from fat_fpga.engines import get
from fat_fpga.errors import FaultError
from fat_fpga.faults import Pattern, changed_unit, changes_of, check_faults, expand, parse_fault
from fat_fpga.faults.codes import code
from fat_fpga.faults.decode import WordCounts, decoded
from fat_fpga.faults.expand import count_hits, count_words
from fat_fpga.faults.parts import Part, parts_of
from fat_fpga.faults.pattern import Action
from fat_fpga.faults.protected import check_hits, layout
from fat_fpga.faults.protection import OnDetect, Protection
from fat_fpga.faults.register import Register
from fat_fpga.faults.stored import Layout
from fat_fpga.faults.words import Words
from fat_fpga.network import Levels, Network
from tests.campaign.tiny import tiny_data, tiny_network
from tests.designs.random_network import random_images, random_network
from tests.designs.random_patterns import pattern

Ints = npt.NDArray[np.int64]


def by_hand(part: Part) -> tuple[Ints, WordCounts]:
    """The values of a memory after errors, by storing every bit of it, breaking bits, and decoding every word."""
    found, words = part.pattern, part.words
    assert words is not None
    assert words.stored is not None
    memory, register, protection = words.stored, words.register, found.protection
    order = words.order or tuple(range(memory.ndim))
    raw = (memory.astype(np.int64) - register.offset) // register.step & (1 << register.bits) - 1
    numbers = np.arange(memory.size).reshape(memory.shape).transpose(order).reshape(-1)  # of values, as stored
    string = (raw.reshape(-1)[numbers][:, None] >> np.arange(register.bits) & 1).reshape(-1).astype(np.uint8)
    where = {int(value): at for at, value in enumerate(numbers)}
    width = len(string) if protection is None else protection.data
    checks = 0 if protection is None else protection.decoder.checks
    beside = 1 if protection is None else protection.interleave
    count = -(-len(string) // width)
    filled = np.zeros(count * width, np.uint8)
    filled[: len(string)] = string
    data = filled.reshape(count, width)
    coded = data if protection is None else np.concatenate([data, protection.decoder.encode(data)], axis=1)
    # the address of each stored bit, and which of them there are
    address = {
        (word // beside * (width + checks) + bit) * beside + word % beside: (word, bit)
        for word in range(count)
        for bit in range(width + checks)
        if bit >= width or word * width + bit < len(string)
    }
    back = {pair: at for at, pair in address.items()}
    first: list[int] = []
    for hit in part.hits(range(1))[1].tolist():
        value, bit = divmod(hit, register.bits) if part.each_bit else (hit, found.bit or 0)
        first.append(back[divmod(where[value] * register.bits + bit, width)])
    first += [back[number // checks, width + number % checks] for number in check_hits(part).tolist()]
    read = coded.copy()
    for at in itertools.chain.from_iterable(range(start, start + found.burst) for start in first):
        if at in address:
            if found.action is Action.HOLD:
                read[address[at]] = found.value
            else:
                read[address[at]] ^= 1
    told = np.zeros(count, np.bool_)
    out = read
    wrong = (read != coded).any(axis=1)
    if protection is not None:
        out, told = protection.decoder.decode(read)
        told &= wrong
        if protection.detected is OnDetect.RELOAD:
            out[told] = data[told]
    real = np.arange(count * width).reshape(count, width) < len(string)
    bad = ((out[:, :width] != data) & real).any(axis=1) & ~told
    values = out[:, :width].reshape(-1)[: len(string)].reshape(-1, register.bits) @ (1 << np.arange(register.bits))
    if protection is not None and protection.detected is OnDetect.ERASE:
        lost = {int(bit) // register.bits for w in np.flatnonzero(told) for bit in range(w * width, (w + 1) * width)}
        zero = -register.offset // register.step
        values[[value for value in lost if value < len(values)]] = zero
    result = np.zeros(memory.size, np.int64)
    result[numbers] = values
    sign = 1 << register.bits - 1
    result = (result ^ sign) - sign if register.signed else result
    counts = WordCounts(int((wrong & ~told & ~bad).sum()), int(told.sum()), int(bad.sum()))
    return (register.offset + register.step * result).reshape(memory.shape), counts


def after(network: Network, found: Pattern) -> Ints:
    """The first unit's weights under a pattern."""
    unit = network.units[0]
    return changed_unit(unit, changes_of(network, [expand(network, found, 0, 1)])).weights.astype(np.int64)


@given(st.data())
def test_a_protected_memory_is_what_storing_and_decoding_every_bit_gives(data: st.DataObject) -> None:
    network = random_network(data.draw(st.integers(0, 2000)))
    unit = network.units[0]
    action = data.draw(st.sampled_from(["^ 1", "^ 1 burst[2]", "^ 1 burst[5]", "= 0", "= 1"]))
    name, width = data.draw(st.sampled_from(["secded", "parity"])), data.draw(st.sampled_from([1, 3, 8, 16, 64, 200]))
    interleave = data.draw(st.sampled_from(["", " interleave[2]", " interleave[7]"]))
    policy = data.draw(st.sampled_from(["", " detected[erase]", " detected[reload]"]))
    protection = data.draw(st.sampled_from(["", f" with {name}[{width}]{interleave}{policy}"]))
    rate, sample = data.draw(st.sampled_from([0.001, 0.02, 0.2])), data.draw(st.integers(0, 1000))
    text = f"{unit.name}/weight[*].bit[*] {action}{protection} ~ {rate!r} @ sample[{sample}]"
    if not protection and "burst" not in action:
        return
    found = pattern(text)
    assert str(found) == text
    if "erase" in text and unit.weight_type == "BIPOLAR":
        with pytest.raises(FaultError, match="cannot be 0"):
            parts_of(network, found)
        return
    (part,) = parts_of(network, found)
    expected, counts = by_hand(part)
    np.testing.assert_array_equal(after(network, found), expected)
    assert count_words(network, found)[:3] == (counts[:3] if protection else (0, 0, 0))


@given(st.integers(0, 10**6), st.sampled_from(["secded[8]", "secded[64] interleave[4]", "parity[16] detected[reload]"]))
def test_engines_give_the_same(seed: int, protection: str) -> None:
    network = next(n for n in map(random_network, itertools.count(seed)) if sum(u.weights.size for u in n.units) < 3000)
    images, labels = random_images(network, 3, seed), np.zeros(3, np.int64)
    faults = [pattern(f"*/weight[*].bit[*] ^ 1 with {protection} ~ {rate} @ sample[{seed}]") for rate in (0.01, 0.2)]
    runs = [
        get(name).open(network).run(images, labels, faults, predictions=True, counting=("hits", "words"))
        for name in ("reference", "native", "torch")
    ]
    for run in runs[1:]:
        np.testing.assert_array_equal(run.predictions, runs[0].predictions)
        assert {name: count.tolist() for name, count in run.counts.items()} == {
            name: count.tolist() for name, count in runs[0].counts.items()
        }
    for number, fault in enumerate(faults):
        assert tuple(int(runs[0].counts[f"{name} words"][number]) for name in WordCounts._fields) == count_words(
            network, fault
        )
    # parts of a data set add up to the whole
    session = get("reference").open(network)
    parts = [
        session.run(images[i : i + 1], labels[:1], faults, first_frame=i, frames=3, counting=("words",)).counts
        for i in range(3)
    ]
    for name in (f"{name} words" for name in WordCounts._fields):
        np.testing.assert_array_equal(sum(part[name] for part in parts), runs[0].counts[name])


def test_a_sweep_with_secded_is_one_without_its_corrected_bits() -> None:
    """By hand: words of 64 bits in FINN's order; where one stored bit of a word is wrong, nothing is."""
    network = tiny_network()
    for sample in range(30):
        plain = pattern(f"conv1/weight[*].bit[*] ^ 1 ~ 0.02 @ sample[{sample}]")
        coded = pattern(f"conv1/weight[*].bit[*] ^ 1 with secded[8] ~ 0.02 @ sample[{sample}]")
        (part,) = parts_of(network, coded)
        checks = (check_hits(part) // 5).tolist()
        faults = expand(network, plain, 0, 1).faults

        def word(index: tuple[int, ...]) -> int:
            m, c, y, x = index
            return (((m * 2 + y) * 2 + x) * 4 + c) // 8

        words = [word(fault.index) for fault in faults]
        wrong = np.bincount(np.array([*words, *checks], np.int64), minlength=8)
        if wrong.max(initial=0) > 2:
            continue
        kept = {fault for fault, at in zip(faults, words, strict=True) if wrong[at] == 2}
        assert set(expand(network, coded, 0, 1).faults) == kept
        assert count_words(network, coded) == ((wrong == 1).sum(), (wrong == 2).sum(), 0, 0)
        assert count_hits(network, coded, 0, 5) == len(faults) + len(checks)


@pytest.mark.parametrize(("name", "rate"), [("secded", 0.02), ("secded", 0.1), ("parity", 0.05)])
def test_words_follow_the_law(name: str, rate: float) -> None:
    """Corrected, detected and missed words against the weights of all 2^n error patterns of a word."""
    decoder, words, draws = code(name, 8), 40, 1500
    stored = len(decoder.columns)
    every = (np.arange(1 << stored)[:, None] >> np.arange(stored) & 1).astype(np.uint8)
    read, told = decoder.decode(every)  # errors on the word of zeros
    chance = rate ** every.sum(axis=1) * (1 - rate) ** (stored - every.sum(axis=1))
    hit, wrong = every.any(axis=1), read.any(axis=1)
    laws = [chance[hit & ~told & ~wrong].sum(), chance[told].sum(), chance[~told & wrong].sum()]
    memory = Layout(Words(Register(1, False), np.zeros((words, 8), np.int32)), Protection(name, 8))
    rng = np.random.default_rng(int(rate * 1000))
    seen = []
    for _ in range(draws):
        at = np.argwhere(rng.random((words, stored)) < rate)
        seen.append(decoded(memory, at[:, 0], at[:, 1]).counts)
    for column, law in enumerate(laws):
        counts = np.array([own[column] for own in seen])
        if law == 0:
            assert not counts.any()
            continue
        own = binom(words, law)
        edges = np.unique(own.ppf(np.linspace(0.1, 0.9, 7)).astype(int))
        expected = np.diff([0.0, *own.cdf(edges), 1.0]) * draws
        found = np.histogram(counts, [-np.inf, *(edges + 0.5), np.inf])[0]
        keep = expected > 0
        assert chisquare(found[keep], expected[keep] * draws / expected[keep].sum()).pvalue > 1e-4


def test_check_bits_are_hit_as_often_as_data_bits() -> None:
    network = tiny_network()
    (part,) = parts_of(network, pattern("conv1/weight[*].bit[*] ^ 1 with secded[8] ~ 0.1 @ sample[0]"))
    where = layout(part)
    assert where is not None
    assert (where.count, where.checks) == (6, 5)
    hits = np.zeros(30, np.int64)
    for sample in range(3000):
        own = parts_of(network, pattern(f"conv1/weight[*].bit[*] ^ 1 with secded[8] ~ 0.1 @ sample[{sample}]"))[0]
        hits[check_hits(own)] += 1
    assert chisquare(hits).pvalue > 1e-4
    assert abs(hits.mean() / 300 - 1) < 0.05
    # errors of one bit of each value are no errors of check bits
    (one,) = parts_of(network, pattern("conv1/weight[*].bit[0] ^ 1 with secded[8] ~ 1 @ sample[0]"))
    assert not len(check_hits(one))


def test_interleaving_spreads_a_burst() -> None:
    """Four neighbouring cells are four words with one wrong bit each."""
    network = tiny_network()
    for text, expected in ((" interleave[4]", (4, 0, 0, 0)), ("", None)):
        (part,) = parts_of(network, pattern(f"conv1/weight[*].bit[*] ^ 1 with secded[8]{text} ~ 0 @ sample[0]"))
        where = layout(part)
        assert where is not None
        words, numbers = where.neighbours(np.array([0]), np.array([0]), 4)
        counts = decoded(where, words, numbers).counts
        if expected:
            assert counts == expected
        else:
            assert words.tolist() == [0] * 4
            assert counts.corrected == 0
    assert where is not None
    # a burst ends with the memory, and two that overlap undo each other
    assert where.neighbours(np.array([5]), np.array([12]), 9)[1].tolist() == [12]
    assert where.neighbours(np.array([0, 0]), np.array([0, 1]), 2)[1].tolist() == [0, 2]


def test_kinds_without_a_memory_stay_as_they_are() -> None:
    network = tiny_network(levels=Levels(0, 1, 4))
    both = expand(network, pattern("*/weight+activation[*].bit[*] ^ 1 with secded[8] ~ 0.02 @ sample[0]"), 0, 5).faults
    alone = expand(network, pattern("*/activation[*].bit[*] ^ 1 ~ 0.02 @ sample[0]"), 0, 5).faults
    assert tuple(fault for fault in both if fault.kind == "activation") == alone
    assert len(both) > len(alone)


def test_a_code_detects_for_outcome_classes() -> None:
    network, data = tiny_network(), tiny_data(5)
    faults = [pattern(f"*/weight[*].bit[*] ^ 1 with secded[8] ~ 0.03 @ sample[{sample}]") for sample in range(8)]
    run = get("reference").open(network).run(data.images, data.labels, faults, counting=("outcomes", "ecc", "words"))
    told = run.counts["detected words"] > 0
    assert 0 < told.sum() < 8
    np.testing.assert_array_equal(run.counts["detected"], 5 * told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*/weight[*].bit[*] ^ 1 with crc[8] ~ 0.1 @ sample[0]", "a code (parity, secded), got 'crc[8]'"),
        ("*/weight[*].bit[*] ^ 1 with secded ~ 0.1 @ sample[0]", "expected '['"),
        ("*/weight[*].bit[*] ^ 1 with secded[0] ~ 0.1 @ sample[0]", "1 to 1,024 data bits, got 0"),
        ("*/weight[*].bit[*] ^ 1 with secded[8] interleave[0] ~ 0.1 @ sample[0]", "got interleave[0]"),
        ("*/weight[*].bit[*] ^ 1 with secded[8] detected[panic] ~ 0.1 @ sample[0]", "erase, reload), got 'panic]'"),
        ("*/weight[*].bit[*] ^ 1 burst[0] ~ 0.1 @ sample[0]", "got burst[0]"),
        ("*/weight[*].bit[0] ^ 1 burst[2] ~ 0.1 @ sample[0]", "a burst is of flips of every bit"),
        ("*/weight[*] = uniform with secded[8] ~ 0.1 @ sample[0]", "protects against wrong bits"),
        ("*/weight[*].bit[*] = masked with secded[8] ~ 0.1 @ sample[0]", "protects against wrong bits"),
        ("*/activation[*].bit[*] ^ 1 with secded[8] ~ 0.1 @ sample[0]", "'secded[8]' is of words in memories"),
        ("*/accumulator[*].bit[*] ^ 1 burst[2] ~ 0.1 @ sample[0]", "the burst is of words in memories"),
        ("*/weight[*].bit[*] ^ 1 with secded[8] detected[erase] ~ 0.1 @ sample[0]", "its words cannot be 0"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_a_line(text: str, words: str) -> None:
    with pytest.raises(FaultError) as told:
        check_faults(tiny_network(), [parse_fault(text)], 4)
    assert words in str(told.value)
    assert "\n" not in str(told.value)
