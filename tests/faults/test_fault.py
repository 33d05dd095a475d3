"""The text form of faults: it round-trips, reads as documented, and its errors point at the character."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.errors import FaultError
from fat_fpga.faults import MODELS, Fault, FaultSet, parse_fault

NAMES = st.from_regex(r"[a-z]{2,5}[0-9]{0,2}(\.pool)?", fullmatch=True) | st.just("*")
COUNTS = st.integers(0, 9999)
LEVEL = st.builds(lambda value: {"value": value}, st.integers(-300, 300))
BIT = st.builds(
    lambda bit, held, frame: {"bit": bit, "value": 1 if held is None else held, "flip": held is None, "frame": frame},
    st.integers(0, 31),
    st.sampled_from([None, 0, 1]),
    st.none() | COUNTS,
)
FAULTS = st.builds(
    lambda layer, kind, index, of, effect: Fault(layer, kind, tuple(index), of=of, **effect),
    NAMES,
    st.sampled_from(list(MODELS)),
    st.lists(COUNTS, min_size=1, max_size=4),
    st.none() | COUNTS,
    LEVEL | BIT,
)


@given(FAULTS)
def test_the_text_form_round_trips(fault: Fault) -> None:
    assert parse_fault(str(fault)) == fault
    assert parse_fault(f"  {fault}\n") == fault
    tight = re.sub(r"(\d)of(\d+\])", r"\1 of \2", str(fault).replace(" ", ""))
    assert parse_fault(tight) == fault


@given(st.lists(FAULTS, min_size=2, max_size=4, unique=True))
def test_sets_round_trip(faults: list[Fault]) -> None:
    together = FaultSet(tuple(faults))
    assert parse_fault(str(together)) == together


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("conv1/channel[17] = +1", Fault("conv1", "channel", (17,), 1)),
        ("fc6/channel[0] = 0", Fault("fc6", "channel", (0,), 0)),
        ("input/pixel[3,4] = -128", Fault("input", "pixel", (3, 4), -128)),
        ("conv1.pool/element[17,3,4] = -1", Fault("conv1.pool", "element", (17, 3, 4), -1)),
        ("conv1/pe[5 of 32] = +1", Fault("conv1", "pe", (5,), 1, of=32)),
        ("*/pe[5 of 32] = -1", Fault("*", "pe", (5,), -1, of=32)),
        ("conv1/weight[17,3,1,2].bit[0] ^ 1", Fault("conv1", "weight", (17, 3, 1, 2), 1, bit=0, flip=True)),
        ("conv1/threshold[17,0].bit[5] = 0", Fault("conv1", "threshold", (17, 0), 0, bit=5)),
        ("fc8/accumulator[9].bit[8] = 1", Fault("fc8", "accumulator", (9,), 1, bit=8)),
        (
            "conv1/activation[17,3,4].bit[0] ^ 1 @ frame[12]",
            Fault("conv1", "activation", (17, 3, 4), 1, bit=0, flip=True, frame=12),
        ),
    ],
)
def test_the_text_forms_as_documented(text: str, fault: Fault) -> None:
    assert str(fault) == text
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "character", "expected"),
    [
        ("", 1, "the name of a layer"),
        ("conv1", 6, "'/'"),
        ("conv1/chanel[1] = 1", 7, "a kind of fault (channel, pixel"),
        ("conv1/channel[x] = 1", 15, "a number, got 'x]'"),
        ("conv1/channel[1;2] = 1", 16, "',' and another number"),
        ("conv1/channel[1]", 17, "'=' and a value"),
        ("conv1/channel[1] ^ 1", 18, "'=' and a value, or '.bit[...]'"),
        ("conv1/channel[1] = one", 20, "an integer, got 'one'"),
        ("conv1/channel[1] = 1 2", 22, "'&' and another fault"),
        ("conv1/weight[1,2,3,4].bit[0] ^ 0", 32, "'1'"),
        ("conv1/weight[1,2,3,4].bit[0] = 2", 32, "0 or 1"),
        ("conv1/weight[1,2,3,4].byte[0] = 1", 23, "'bit'"),
        ("conv1/channel[1] = 1 & ", 24, "the name of a layer"),
        ("conv1/channel[1] = 1 @ image[3]", 24, "'frame'"),
    ],
)
def test_an_error_points_at_the_character(text: str, character: int, expected: str) -> None:
    with pytest.raises(FaultError) as raised:
        parse_fault(text)
    assert f"at character {character} expected " in str(raised.value)
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_set_has_no_doubles() -> None:
    with pytest.raises(FaultError, match="each fault once"):
        parse_fault("conv1/channel[1] = 0 & conv1/channel[1] = 0")
