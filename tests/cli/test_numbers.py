"""Numbers that nobody can mean: one line, exit code 2, nothing touched; for every number of every command."""

from __future__ import annotations

import argparse

import pytest

from fat_fpga.cli import numbers
from fat_fpga.cli.renamed import Renamed, Replaced
from tests.cli.test_options import COMMANDS

from .conftest import Refused

NEVER = (
    "",
    " ",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "9" * 5000,
    "٣",
    "½",
    "1_000",
    "0x10",
    "--",
    "1;2",
    "1e-999999999",
    "1/0",
)
VALUES = {"--values": "1", "--image-shape": "1,28,28"}

NUMBERS = [
    (command, action.option_strings[-1])
    for command, parser in COMMANDS.items()
    for action in parser._actions
    if action.option_strings and action.type and not isinstance(action, (Renamed, Replaced))
    and getattr(action.type, "__module__", "") == numbers.__name__
]  # fmt: skip


def test_no_number_is_read_by_python_alone() -> None:
    plain = [
        (command, action.option_strings)
        for command, parser in COMMANDS.items()
        for action in parser._actions
        if action.type in (int, float)
    ]
    assert plain == []
    assert len(NUMBERS) > 30


@pytest.mark.parametrize(("command", "option"), NUMBERS)
def test_what_is_no_number_is_refused(capsys: pytest.CaptureFixture[str], command: str, option: str) -> None:
    for text in NEVER:
        with pytest.raises(SystemExit) as left:
            COMMANDS[command].parse_args([f"{option}={text}"])
        assert left.value.code == 2
        message = capsys.readouterr().err
        assert f"{option}: expected" in message
        assert len(message) < 300
        assert message.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--images", "0"), ("--images", "-3"), ("--images", "2000000000"), ("--sample", "-1"), ("--seed", "-1"),
        ("--seed", str(2**63)), ("--threads", "0"), ("--threads", "1025"), ("--chunk", "0"), ("--values", str(2**63)),
    ],
)  # fmt: skip
def test_ranges(refused: Refused, option: str, text: str) -> None:
    message = refused("campaign", "tiny.onnx", "--data", "npz:tiny.npz", "-o", "a.run", f"{option}={text}")
    assert f"argument {option}" in message
    assert f"got '{text}'" in message


def test_what_can_be_meant_is_read() -> None:
    assert numbers.seed("9223372036854775807") == 2**63 - 1
    assert numbers.count(" 12 ") == 12
    assert float(numbers.percent("13.84%")) == 13.84
    assert numbers.percent("1/3") * 3 == 1
    assert numbers.ratio("1.3x") * 10 == 13
    assert numbers.rate("1e3") == 1000
    assert numbers.levels("-1,+1") == [-1, 1]
    assert numbers.shape("3,32,32") == (3, 32, 32)
    with pytest.raises(argparse.ArgumentTypeError, match=r"expected MHz, 1 to 1,000, got '0.5'"):
        numbers.clock("0.5")


def test_a_cross_check_of_more_than_memory_holds(refused: Refused) -> None:
    command = ("crosscheck", "tiny.onnx", "--engines", "native,reference", "-q")
    assert "random images of this size at most" in refused(*command, "--images", "1000000000")
    assert "a cross-check takes 100,000 faults at most" in refused(*command, "--sample", "1000000000")
