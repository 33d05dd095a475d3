"""Formats: the meaning of every bit, against an independent reading."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.errors import ModelError
from fat_fpga.modules.formats import fitted, floating, format_of

OTHERS = {
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8_e5m2": ml_dtypes.float8_e5m2,
}
"""Independent readings of the types that are small enough to try every word."""


@pytest.mark.parametrize("name", OTHERS)
def test_every_word_of_small_floats(name: str) -> None:
    form = format_of(name)
    words = np.arange(1 << form.bits)
    with np.errstate(invalid="ignore"):  # numpy warns of the NaN of bfloat16
        values = words.astype(f"uint{form.bits}").view(OTHERS[name]).astype(np.float64)
    dtype = getattr(torch, name)
    found = form.decode(torch.from_numpy(words), dtype)
    np.testing.assert_array_equal(found.double().numpy(), values)
    np.testing.assert_array_equal(form.encode(found).numpy(), words)  # NaN keeps its bits, 0 its sign
    for bit in range(form.bits):
        flipped = form.decode(form.encode(found) ^ (1 << bit), dtype).double().numpy()
        with np.errstate(invalid="ignore"):
            expected = (words ^ (1 << bit)).astype(f"uint{form.bits}").view(OTHERS[name]).astype(np.float64)
        np.testing.assert_array_equal(flipped, expected)


@pytest.mark.parametrize(("name", "code", "bits"), [("float32", "<f", 32), ("float64", "<d", 64)])
@given(data=st.data())
def test_every_bit_of_large_floats(name: str, code: str, bits: int, data: st.DataObject) -> None:
    """Against `struct`: bit 0 is the least significant one of the mantissa, the highest is the sign."""
    form, dtype = format_of(name), getattr(torch, name)
    word = data.draw(st.integers(0, (1 << bits) - 1))
    integer = "<I" if bits == 32 else "<Q"
    for bit in range(bits):
        other = word ^ 1 << bit
        (expected,) = struct.unpack(code, struct.pack(integer, other))
        start = torch.from_numpy(np.array([word], f"uint{bits}").view(name))
        mask = (1 << bit) - (1 << 64 if bit == 63 else 0)
        found = form.decode(form.encode(start) ^ mask, dtype)
        assert found.numpy().view(f"uint{bits}")[0] == other  # also of a NaN, bit for bit
        assert math.isnan(expected) if math.isnan(float(found[0])) else float(found[0]) == expected


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"])
@pytest.mark.parametrize("name", ["", "float16", "Q2.6", "int8:0.05"])
def test_words_are_edited_in_place(dtype: str, name: str, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against one word after the other, through `encode` and `decode`; other words stay, bit for bit."""
    if not compiled:
        monkeypatch.setattr(floating, "_edit", None)
    form, rng = format_of(name or dtype), np.random.default_rng(1)
    values = torch.from_numpy(rng.normal(0, 1, (8, 10))).to(getattr(torch, dtype))
    numbers = rng.permutation(40)[:25]
    rows, cells = np.where(numbers < 35, numbers // 5, -1), np.where(numbers < 35, numbers % 5, 5 + numbers % 5)
    keep, flip = (rng.integers(-(2**63), 2**63 - 1, 25) >> 64 - form.bits for _ in range(2))
    keep, flip = (part if form.bits == 64 else part & (1 << form.bits) - 1 for part in (keep, flip))
    expected = values.clone()
    assert (rows < 0).any()
    for row, cell, kept, flipped in zip(rows, cells, keep, flip, strict=True):
        for place in range(8) if row < 0 else [row]:
            word = form.encode(values[place, cell].reshape(1)) & int(kept) ^ int(flipped)
            expected[place, cell] = form.decode(word, values.dtype)[0]
    form.edit(values, 10, rows, cells, keep, flip)
    np.testing.assert_array_equal(values.double().numpy(), expected.double().numpy())
    if not name:  # of a NaN that is converted to another type the lowest bits mean nothing
        assert values.view(torch.uint8).tolist() == expected.view(torch.uint8).tolist()
    for row, cell in ((8, 0), (0, 80), (-1, 80), (9, -1)):
        with pytest.raises(IndexError):
            form.edit(values, 10, np.array([row]), np.array([cell]), keep[:1], flip[:1])


def test_which_bits_are_sign_and_exponent() -> None:
    one = torch.ones(1)
    form = format_of("float32")

    def flip(bit: int) -> float:
        return float(form.decode(form.encode(one) ^ (1 << bit), torch.float32)[0])

    assert flip(31) == -1.0
    assert flip(23) == 0.5
    assert flip(30) == float("inf")
    assert flip(0) == 1.0 + 2.0**-23


@pytest.mark.parametrize(("whole", "fraction"), [(2, 6), (1, 7), (8, 0), (3, 2), (1, 1)])
def test_every_word_of_fixed_point(whole: int, fraction: int) -> None:
    form = format_of(f"Q{whole}.{fraction}")
    bits = whole + fraction
    assert form.bits == bits
    for word in range(1 << bits):
        places = [1 << bit for bit in range(bits - 1)] + [-(1 << bits - 1)]
        value = Fraction(sum(place for bit, place in enumerate(places) if word >> bit & 1), 1 << fraction)
        found = form.decode(torch.tensor([word]), torch.float32)
        assert Fraction(float(found[0])) == value
        assert int(form.encode(found)[0]) == word


@pytest.mark.parametrize("name", ["int8:0.05", "uint8:0.125:128", "int4:1.0", "uint1:0.5", "int16:0.001:-7"])
def test_every_word_of_integers(name: str) -> None:
    form = format_of(name)
    kind, scale, zero = (*name.split(":"), "0")[:3]
    signed, bits = not kind.startswith("u"), int(kind.lstrip("uint"))
    words = np.arange(1 << bits)
    integers = np.where(signed & (words >= 1 << bits - 1), words - (1 << bits), words)
    expected = (integers - int(zero)) * float(scale)
    found = form.decode(torch.from_numpy(words), torch.float64)
    np.testing.assert_array_equal(found.numpy(), expected)
    np.testing.assert_array_equal(form.encode(found).numpy(), words)


@given(st.floats(-1e6, 1e6), st.sampled_from(["Q2.6", "Q8.8", "int8:0.05", "uint8:0.125:128"]))
def test_values_are_stored_as_the_nearest_word(value: float, name: str) -> None:
    form = format_of(name)
    every = form.decode(torch.arange(1 << form.bits), torch.float64)
    found = float(form.stored(torch.tensor([value], dtype=torch.float64))[0])
    assert abs(found - value) <= float((every - value).abs().min()) * (1 + 1e-12)


def test_what_is_no_number_is_stored_as_0_in_fixed_point_and_clipped() -> None:
    found = format_of("Q2.6").stored(torch.tensor([float("nan"), float("inf"), -float("inf"), 5.0]))
    assert found.tolist() == [0.0, 127 / 64, -2.0, 127 / 64]


def test_int8_of_parameters_takes_its_scale_from_them() -> None:
    form = fitted("int8", torch.tensor([-0.5, 0.25, 1.27]))
    assert form.name.startswith("int8:0.0")
    assert form.encode(torch.tensor([1.27, -1.27, 0.0])).tolist() == [127, 256 - 127, 0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("float31", "unknown format 'float31': known are float64"),
        ("Q0.8", "m is at least 1"),
        ("Q30.8", "m \\+ n is 2 to 32"),
        ("int8", "needs a scale, as int8:0.05"),
        ("int8:-1", "the scale is a number above 0, got '-1'"),
        ("int8:nan", "the scale is a number above 0"),
        ("int99:1", "integers have 2 to 16 bits"),
        ("int8:0.1:300", "the zero point has to be -128 to 127, got 300"),
    ],
)
def test_formats_that_are_none(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        format_of(name)
