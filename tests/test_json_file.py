"""JSON files of ours: what is not what it must be is told with the file and the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.errors import FatFpgaError, PlanError
from fat_fpga.json_file import Entry, object_of, read_object

PATH = Path("a.json")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)


def entry(content: Any) -> Entry:
    return object_of(json.dumps(content), PATH, "a test file", PlanError)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.json is no test file: no JSON"),
        ("{", "no JSON"),
        ("[1]", "a.json is no test file: expected a JSON object, got a list of 1"),
        ("null", "expected a JSON object, got null"),
        ("7", "expected a JSON object, got 7"),
        ("[" * 100_000, "it is nested too deeply"),
        ('{"a":' * 100_000, "it is nested too deeply"),
        ('{"a": {"b": 1, "b": 2}}', "the key 'b' is there twice"),
        ('{"a": ' + "9" * 5000 + "}", "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
    ],
)
def test_no_object(text: Any, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        object_of(text, PATH, "a test file", PlanError)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (None, int, "x must be an integer, got null"),
        (True, int, "x must be an integer, got true"),
        (1, bool, "x must be true or false, got 1"),
        (1.5, int, r"x must be an integer, got 1\.5"),
        (float("nan"), int, "x must be an integer, got nan"),
        (2**63, int, "x must be from -9223372036854775808 to 9223372036854775807"),
        (10**40, int, r"x must be from .*, got 1000000000000000000000000000000000000000\.\.\."),
        ("1", int, "x must be an integer, got '1'"),
        ({}, str, "x must be a string, got an object of 0"),
        ("\x1b[2J", str, r"x must be text without control characters, got '\\x1b\[2J'"),
        ("\ud800", str, "x must be text without control characters"),
        ([1], dict, "x must be an object, got a list of 1"),
    ],
)
def test_a_value_of_another_kind(value: Any, kind: type, message: str) -> None:
    with pytest.raises(PlanError, match=f"a.json: {message}"):
        entry({"x": value}).get("x", kind)
    good = {int: 1, bool: True, str: "a", dict: {}}[kind]
    inner = entry({"a": {"x": [good, value]}}).inner("a")
    with pytest.raises(PlanError, match="a.json: " + message.replace("x must", r"a\.x\[1\] must", 1)):
        inner.items("x", kind)


@pytest.mark.parametrize("value", [None, "1", True, float("inf"), float("-inf"), float("nan"), 2**64, []])
def test_no_finite_number(value: Any) -> None:
    with pytest.raises(PlanError, match=r"a\.json: x must be a number"):
        entry({"x": value}).number("x")


def test_ranges_missing_keys_and_matrices() -> None:
    found = entry({"x": 5, "rows": [[1, 2], [3]], "empty": []})
    assert found.get("x", int, 5, 5) == 5
    assert found.matrix("empty", None, 0, 1) == []
    for call, message in (
        (lambda: found.get("x", int, 6), "x must be from 6 to"),
        (lambda: found.get("y", int), "y is missing"),
        (lambda: found.inner("y"), "y is missing"),
        (lambda: found.matrix("rows", None, 0, 9), r"rows\[1\] must have 2 entries, has 1"),
        (
            lambda: entry({"rows": [[1, 2], [3, 11]]}).matrix("rows", 2, 0, 9),
            r"rows\[1\]\[1\] must be from 0 to 9, got 11",
        ),
        (lambda: entry({"rows": 3}).matrix("rows", 2, 0, 9), "rows must be a list"),
        (lambda: found.one_of("x", ("a",)), "x must be a string"),
        (lambda: entry({"x": "b"}).one_of("x", ("a", "c")), "x must be one of a, c, got 'b'"),
    ):
        with pytest.raises(PlanError, match=message):
            call()


@given(VALUES)
def test_whatever_stands_there_is_of_the_kind_or_an_error_of_ours(value: Any) -> None:
    found = entry({"x": value})
    said = []
    for kind in (int, str, bool, list, dict):
        try:
            assert type(found.get("x", kind)) is kind
        except FatFpgaError as error:
            said.append(str(error))
    try:
        assert abs(found.number("x")) <= 2**63
    except FatFpgaError as error:
        said.append(str(error))
    assert len(said) >= 4
    assert all(len(text) < 300 and "\n" not in text for text in said)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"cannot read .*nowhere, expected a test file: No such file"):
        read_object(tmp_path / "nowhere", "a test file", PlanError)
    with pytest.raises(PlanError, match="expected a file, it is a folder"):
        read_object(tmp_path, "a test file", PlanError)
    with pytest.raises(PlanError, match="it is a device or a pipe"):
        read_object("/dev/zero", "a test file", PlanError)
    (tmp_path / "huge").touch()
    with (tmp_path / "huge").open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(PlanError, match="it has 1,099,511,627,776 bytes, expected at most"):
        read_object(tmp_path / "huge", "a test file", PlanError)
    (tmp_path / "mark").write_bytes(b'\xef\xbb\xbf{"x": 1}')
    assert read_object(tmp_path / "mark", "a test file", PlanError).value == {"x": 1}
