"""Parity and SECDED: what they must do for one wrong bit and for two, and what they do for more."""

from __future__ import annotations

import itertools
from math import comb

import numpy as np
import pytest

from fat_fpga.errors import FaultError
from fat_fpga.faults.codes import FLAG, Bits, Code, code

RNG = np.random.default_rng(5)


def broken(decoder: Code, wrong: int) -> tuple[Bits, Bits]:
    """Random data, and its stored words with every set of so many wrong bits."""
    where = np.array(list(itertools.combinations(range(len(decoder.columns)), wrong)), np.int64)
    data = RNG.integers(0, 2, (len(where), decoder.data)).astype(np.uint8)
    stored = np.concatenate([data, decoder.encode(data)], axis=1)
    np.put_along_axis(stored, where, 1 - np.take_along_axis(stored, where, 1), 1)
    return data, stored


@pytest.mark.parametrize("width", range(1, 65))
def test_secded_corrects_every_single_error_and_detects_every_double_one(width: int) -> None:
    decoder = code("secded", width)
    for wrong in (0, 1):
        data, stored = broken(decoder, wrong)
        read, told = decoder.decode(stored)
        np.testing.assert_array_equal(read, data)
        assert not told.any()
    _, stored = broken(decoder, 2)
    assert len(stored) == comb(width + decoder.checks, 2)
    assert decoder.decode(stored)[1].all()


def test_the_code_of_a_block_ram_has_8_check_bits() -> None:
    assert code("secded", 64).checks == 8
    assert len(broken(code("secded", 64), 2)[1]) == 72 * 71 // 2
    assert [code("secded", width).checks for width in (8, 16, 32, 128)] == [5, 6, 7, 9]
    assert code("parity", 64).checks == 1


@pytest.mark.parametrize("width", [8, 26, 64])
def test_three_wrong_bits_are_taken_for_one_or_detected(width: int) -> None:
    """A single error is told by an odd number of wrong bits, so three of them are never taken for none."""
    decoder = code("secded", width)
    data, stored = broken(decoder, 3)
    read, told = decoder.decode(stored)
    acts = decoder.acts[np.bitwise_xor.reduce(np.where(stored == 1, decoder.columns, 0), axis=1)]
    assert ((acts >= 0) | (acts == FLAG)).all()
    # the share by the weights of the code: of three columns the sum is a fourth one, or none
    triples = {tuple(sorted(t)) for t in itertools.combinations(decoder.columns.tolist(), 3)}
    known = set(decoder.columns.tolist())
    assert int((~told).sum()) == sum((a ^ b ^ c) in known for a, b, c in triples)
    assert told.any() == (width != 26)  # (32,26) has a column for every odd syndrome, shortened codes have not
    # what is taken for one wrong bit has wrong data, but where all wrong bits are check bits
    right = (read == data).all(axis=1) & ~told
    np.testing.assert_array_equal((stored[right, :width] != data[right]).any(axis=1), False)


def test_parity_tells_of_odd_numbers_of_wrong_bits() -> None:
    for width in (1, 7, 8):
        for wrong in range(width + 2):
            data, stored = broken(code("parity", width), wrong)
            read, told = code("parity", width).decode(stored)
            assert told.all() if wrong % 2 else not told.any()
            np.testing.assert_array_equal(read, stored[:, :width])
            assert wrong or (read == data).all()


@pytest.mark.parametrize(("name", "width"), [("crc", 8), ("secded", 0), ("secded", 1025), ("parity", -1)])
def test_codes_that_are_none(name: str, width: int) -> None:
    with pytest.raises(FaultError, match=r"known are parity, secded|words of 1 to 1,024 data bits"):
        code(name, width)
