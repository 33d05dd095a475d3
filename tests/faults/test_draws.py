"""Draws of many counters at once are the draws of one counter after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.faults import draws
from fat_fpga.faults._hits import draw
from fat_fpga.faults.draws import (
    _NEAR,
    BLOCK,
    _key,
    _vectorised,
    failures,
    failures_of_all,
    failures_of_each,
    failures_together,
    generator,
    nonzero,
    nonzero_of_each,
    philox,
)

COUNTERS = st.lists(st.one_of(st.integers(0, 20), st.integers(0, 2**62)), max_size=9)
KEYS = st.text(max_size=20)


@given(KEYS, COUNTERS, st.integers(0, 5), st.integers(1, 5))
def test_words_of_many_counters_are_those_of_numpy(key: str, counters: list[int], first: int, blocks: int) -> None:
    words = philox(key, np.array(counters, np.int64), first, blocks)
    assert words.shape == (len(counters), BLOCK * blocks)
    for counter, own in zip(counters, words, strict=True):
        assert generator(key, counter).random_raw(BLOCK * (first + blocks))[BLOCK * first :].tolist() == own.tolist()


@given(KEYS, COUNTERS, st.floats(-6, 0), st.floats(0, 5), st.integers(1, 16))
def test_failures_of_many_counters(key: str, counters: list[int], log_rate: float, log_cells: float, bits: int) -> None:
    cells = int(10**log_cells)
    rate = min(10**log_rate, 3000 / cells)
    which, found = failures_of_each(key, np.array(counters, np.int64), rate, cells)
    expected = [failures(generator(key, counter), rate, cells).tolist() for counter in counters]
    assert which.tolist() == [number for number, own in enumerate(expected) for _ in own]
    assert found.tolist() == [cell for own in expected for cell in own]
    counts = [len(own) for own in expected]
    words = [nonzero(generator(key, counter), bits, n).tolist() for counter, n in zip(counters, counts, strict=True)]
    drawn = nonzero_of_each(key, np.array(counters, np.int64), bits, counts)
    assert drawn.tolist() == [word for own in words for word in own]


@given(st.lists(st.tuples(KEYS, st.integers(0, 3000)), max_size=6), COUNTERS, st.floats(-5, 0.1))
def test_failures_of_many_keys(keys: list[tuple[str, int]], counters: list[int], log_rate: float) -> None:
    """Each is what it is alone, whatever is drawn with it."""
    rate = 10**log_rate
    names, cells = [key for key, _ in keys], [count for _, count in keys]
    found = failures_of_all(names, np.array(counters, np.int64), rate, cells)
    assert len(found) == len(keys)
    for (key, count), (which, own) in zip(keys, found, strict=True):
        expected = [failures(generator(key, counter), rate, count).tolist() for counter in counters]
        assert which.tolist() == [number for number, one in enumerate(expected) for _ in one]
        assert own.tolist() == [cell for one in expected for cell in one]


@given(st.lists(st.tuples(KEYS, st.integers(0, 30000)), min_size=1, max_size=6), COUNTERS, st.floats(-7, -0.001))
def test_compiled_draws_are_those_of_numpy(keys: list[tuple[str, int]], counters: list[int], log_rate: float) -> None:
    """With all of their words: also of many cells, and of the rarest failures."""
    every = np.stack([_key(key) for key, _ in keys])
    cells, rate = np.array([count for _, count in keys]), min(10**log_rate, 0.1)
    expected = _vectorised(every, np.array(counters, np.int64), rate, cells)
    for nearness in (_NEAR, 0.0):
        found = draw(every, np.array(counters, np.int64), float(np.log1p(-rate)), cells, nearness)
        assert found is not None
        assert [part.tolist() for part in found] == [part.tolist() for part in expected]


def test_distances_that_are_too_near_to_an_integer_are_left_to_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is drawn where one is, and what numpy draws is the same."""
    keys, counters, cells = ["a", "b"], np.arange(50), [4000, 5]
    expected = [part.tolist() for part in failures_together(keys, counters, 0.01, cells)]
    assert len(expected[0]) > 1500
    every = np.stack([_key(key) for key in keys])
    assert draw(every, counters, float(np.log1p(-0.01)), np.array(cells), 1e-4) is None
    monkeypatch.setattr(draws, "_NEAR", 1e-4)
    assert [part.tolist() for part in failures_together(keys, counters, 0.01, cells)] == expected
    monkeypatch.setattr(draws, "_draw", None)
    assert [part.tolist() for part in failures_together(keys, counters, 0.01, cells)] == expected


def test_no_cells_no_counters_no_chance_and_certainty() -> None:
    counters = np.arange(3)
    for nothing in (failures_of_each("a", counters, 0, 9), failures_of_each("a", counters, 0.5, 0)):
        assert [each.tolist() for each in nothing] == [[], []]
    assert [each.tolist() for each in failures_of_each("a", counters[:0], 0.5, 9)] == [[], []]
    assert [each.tolist() for each in failures_of_each("a", counters, 1, 2)] == [[0, 0, 1, 1, 2, 2], [0, 1] * 3]
    assert nonzero_of_each("a", counters, 4, [0, 0, 0]).tolist() == []
