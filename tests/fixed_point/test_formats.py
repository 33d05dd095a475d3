"""Formats as text, as words, in tables of them."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.errors import ModelError
from fat_fpga.fixed_point import (
    Formats,
    LayerFormats,
    QFormat,
    parse_format,
    parse_layer,
    read_formats,
    write_formats,
)
from fat_fpga.fixed_point.q_format import nearest

EXPECTED = "expected a word of 2 to 16 bits, at least 1 of them before the point, as"
FORMATS = st.integers(1, 8).flatmap(lambda m: st.builds(QFormat, st.just(m), st.integers(max(0, 2 - m), 8)))


@given(FORMATS, st.floats(-300, 300, width=32))
def test_words_are_the_nearest(form: QFormat, value: float) -> None:
    low, high = Fraction(form.low, 2**form.fraction_bits), Fraction(form.high, 2**form.fraction_bits)
    found = Fraction(int(form.quantise(np.array([value]))[0]), 2**form.fraction_bits)
    wanted = min(max(Fraction(value), low), high)
    assert abs(found - wanted) <= Fraction(1, 2 ** (form.fraction_bits + 1))
    assert low <= found <= high


def test_halves_go_to_the_even_word_and_ends_hold() -> None:
    values = np.array([0.25, 0.75, -0.25, -0.75, 3.75, 99.0, -99.0])
    assert QFormat(3, 1).quantise(values).tolist() == [0, 2, 0, -2, 7, 7, -8]


@given(FORMATS)
def test_text(form: QFormat) -> None:
    assert parse_format(str(form)) == form == parse_format(str(form)[1:])
    assert form.high - form.low + 1 == 2**form.bits


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Q0.0", f"format Q0.0: it has no bits: {EXPECTED} Q1.1"),
        ("Q0.1", f"format Q0.1: it has 1 bit: {EXPECTED} Q1.1"),
        ("Q0.8", f"format Q0.8: it has no bit for the sign, which counts before the point: {EXPECTED} Q1.8"),
        ("Q0.16", f"format Q0.16: it has no bit for the sign, which counts before the point: {EXPECTED} Q1.15"),
        ("Q-1.9", "format Q-1.9: bits before and after the point must not be negative"),
        ("Q3.-1", "format Q3.-1: bits before and after the point must not be negative"),
        ("Q1.0", f"format Q1.0: it has 1 bit: {EXPECTED} Q1.1"),
        ("Q3.14", f"format Q3.14: it has 17 bits: {EXPECTED} Q3.13"),
        ("Q20.4", f"format Q20.4: it has 24 bits: {EXPECTED} Q16.0"),
        ("int8", "format 'int8' is not understood: expected Qm.n, as Q2.6: 2 bits before the point, the sign among "
         "them, and 6 after it"),
    ],
)  # fmt: skip
def test_no_format(text: str, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse_format(text)
    assert str(caught.value) == message


@given(st.integers(0, 99), st.integers(0, 99))
def test_what_a_message_suggests_is_a_format(integer_bits: int, fraction_bits: int) -> None:
    try:
        form = QFormat(integer_bits, fraction_bits)
    except ModelError as error:
        form = parse_format(str(error).rsplit(" ", 1)[1])
        assert (form.integer_bits, form.fraction_bits) != (integer_bits, fraction_bits)
    assert nearest(integer_bits, fraction_bits) == str(form)


def test_formats_of_a_layer() -> None:
    assert parse_layer("conv1=Q2.6:Q5.3") == ("conv1", LayerFormats(QFormat(2, 6), QFormat(5, 3)))
    assert parse_layer("conv1=2.6") == ("conv1", LayerFormats(QFormat(2, 6)))
    assert parse_layer("input=:Q1.8") == ("input", LayerFormats(None, QFormat(1, 8)))
    for text in ("conv1", "=Q2.6", "conv1=", "conv1=:"):
        with pytest.raises(ModelError, match="is not understood: expected NAME=WEIGHTS:ACTIVATIONS"):
            parse_layer(text)


def test_layers_have_their_own_or_those_of_all() -> None:
    formats = (
        Formats(QFormat(2, 6), QFormat(5, 3)).changed("a", weights=QFormat(1, 7)).changed("b", None, QFormat(1, 1))
    )
    assert [formats.weights_of(name) for name in "abc"] == [QFormat(1, 7), QFormat(2, 6), QFormat(2, 6)]
    assert [formats.activations_of(name) for name in "abc"] == [QFormat(5, 3), QFormat(1, 1), QFormat(5, 3)]


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    formats = Formats(
        QFormat(2, 6), QFormat(5, 3), {"conv1": LayerFormats(QFormat(1, 7)), "a.b": LayerFormats(None, QFormat(2, 2))}
    )
    write_formats(formats, path := tmp_path / "q.json")
    assert Formats(**read_formats(path)) == formats
    toml = 'weights = "Q2.6"\nactivations = "5.3"\n[layers.conv1]\nweights = "Q1.7"\n'
    toml += '[layers."a.b"]\nactivations = "Q2.2"\n'
    (tmp_path / "q.toml").write_text(toml)
    assert Formats(**read_formats(tmp_path / "q.toml")) == formats


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"weigths": "Q2.6"}, "unknown key 'weigths', expected weights, activations, layers"),
        ({"weights": 8}, 'weights: expected a format as text, as "Q2.6", got 8'),
        ({"layers": {"a": {"weights": "Q0.1"}}}, "layers.a.weights: format Q0.1: it has 1 bit: expected"),
        ({"layers": {"a": "Q2.6"}}, "layers.a: expected a table, got 'Q2.6'"),
        ({"layers": []}, "layers: expected a table with a name for each layer, got []"),
        ([], "expected a table, got []"),
    ],
)
def test_a_bad_table(tmp_path: Path, content: object, message: str) -> None:
    (path := tmp_path / "q.json").write_text(json.dumps(content))
    with pytest.raises(ModelError) as caught:
        read_formats(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_table_that_is_none(tmp_path: Path) -> None:
    (path := tmp_path / "q.toml").write_text("weights: Q2.6")
    with pytest.raises(ModelError, match="is no table of formats: no TOML"):
        read_formats(path)
    with pytest.raises(ModelError, match=r"cannot read .*nothing.toml, expected a table of formats: No such file"):
        read_formats(tmp_path / "nothing.toml")
