"""One name for one thing: the options of all commands, compared."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from fat_fpga.cli import main
from fat_fpga.cli.fault_arguments import NEGATIVE
from fat_fpga.cli.main import COMMANDS as MODULES
from fat_fpga.cli.main import build_parser
from fat_fpga.cli.options import OPTIONS
from fat_fpga.cli.renamed import Renamed, Replaced
from tests.campaign.tiny import tiny_run

MADE = {"-o", "--output"}
"""What a command makes: a file or a folder, of whatever kind is its own."""
OLD = (Renamed, Replaced)


def commands(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield name, parser
    for action in inner:
        for word, command in action.choices.items():
            yield from commands(command, f"{name} {word}".strip())


COMMANDS = dict(commands(build_parser()))


def test_an_option_is_the_same_in_every_command() -> None:
    found: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    for command in COMMANDS.values():
        for action in command._actions:
            if not isinstance(action, OLD):
                for name in {*action.option_strings} - MADE:
                    spellings = tuple(sorted(action.option_strings))
                    choices = None if action.choices is None else tuple(action.choices)
                    read = None if action.type is str else action.type
                    found[name].add((spellings, action.metavar, read, choices))
    differing = {name: meanings for name, meanings in found.items() if len(meanings) > 1}
    assert differing == {}


def test_an_option_says_the_same_in_every_command() -> None:
    """Options of several commands are in the vocabulary, and their help starts with its words."""
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for command, parser in COMMANDS.items():
        for action in parser._actions:
            if not isinstance(action, (*OLD, argparse._HelpAction)) and action.option_strings:
                users[action.option_strings[-1]].append((command, action.help or ""))
    for name, texts in users.items():
        known = OPTIONS.get(name) or OPTIONS.get("--board" if name == "--part" else name)
        if name in MADE:
            continue
        if known is None:
            same = {text for _, text in texts}
            assert len(same) == 1, (name, texts)
            continue
        for command, text in texts:
            assert text.startswith(known["help"]), (command, name, text)


@pytest.mark.parametrize("value", ["-3", "-0.1,0.5", "-1e-3:1e-2", "-.5", "-1/3", "-inf", "-NaN"])
def test_a_value_that_starts_with_a_minus_is_judged_by_its_option(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not taken for an option, of which argparse only says that one argument was expected."""
    judged = 0
    for command, parser in COMMANDS.items():
        for action in parser._actions:
            if not action.option_strings or isinstance(action, OLD) or action.nargs is not None or action.type is None:
                continue
            name = action.option_strings[-1]
            try:
                assert callable(action.type)
                action.type(value)
            except (argparse.ArgumentTypeError, ValueError):
                with pytest.raises(SystemExit):
                    main([*command.split(), name, value])
                told = capsys.readouterr().err
                assert f"argument {'/'.join(action.option_strings)}: " in told, (command, told)
                assert "expected one argument" not in told, (command, told)
                judged += 1
    assert judged > 30


def test_a_parser_of_one_command_has_that_command() -> None:
    for name in MODULES:
        (one,) = (each for each in build_parser(name)._actions if isinstance(each, argparse._SubParsersAction))
        assert list(one.choices) == [name]


def test_no_option_is_called_as_a_negative_number() -> None:
    for command, parser in COMMANDS.items():
        for action in parser._actions:
            assert not any(NEGATIVE.fullmatch(name) for name in action.option_strings), command


@pytest.mark.parametrize("rates", ["-0.1,0.5", "-1e-3:1e-2"])
def test_a_rate_below_zero(rates: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["sweep", "tiny.onnx", "--data", "npz:tiny.npz", "--rates", rates])
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert "argument --rates: " in told
    assert "0 to 1" in told or "above 0" in told


def test_old_spellings_are_no_new_ones() -> None:
    new = {
        name
        for parser in COMMANDS.values()
        for a in parser._actions
        if not isinstance(a, OLD)
        for name in a.option_strings
    }
    old = {
        name for parser in COMMANDS.values() for a in parser._actions if isinstance(a, OLD) for name in a.option_strings
    }
    assert old == {"--kind", "--kinds", "--folding-file", "--figure", "--report"}
    assert not old & new


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*command.split(), "--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert f"\n  fat-fpga {command}" in text.partition("example")[2]
    assert "==SUPPRESS==" not in text


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("faults tiny.onnx --kind pixel", "faults tiny.onnx --faults pixel", "--kind is --faults now"),
        (
            "crosscheck tiny.onnx -q --engines native,reference --faults 9 --kinds pixel --images 1",
            "crosscheck tiny.onnx -q --engines native,reference --sample 9 --faults pixel --images 1",
            "--faults with a number is --sample now",
        ),
        (
            "trace tiny.onnx --image 0 --json",
            "trace tiny.onnx --image 0 --json -",
            "--json without a file is --json - now",
        ),
    ],
)
def test_an_old_spelling_still_works(
    folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    assert main(new.split()) == 0
    expected = capsys.readouterr()
    assert expected.err == ""
    assert main(old.split()) == 0
    output = capsys.readouterr()
    assert _without_seconds(output.out) == _without_seconds(expected.out)
    assert f"fat-fpga: note: {told}; the old spelling will not be read by the next version\n" in output.err


def _without_seconds(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if "native" not in line)


def test_the_old_figure_of_a_front(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_run(folder / "tiny.run")
    assert main(["plan", "tiny.run", "--front", "--figure", "f.png"]) == 0
    assert "--figure is --figures DIR now" in capsys.readouterr().err
    assert Path("f.png").read_bytes().startswith(b"\x89PNG")


def test_standard_output_is_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_run(folder / "tiny.run")
    for option in ("csv", "json"):
        assert main(["report", "tiny.run", f"--{option}", "-", "--figures", "drawn"]) == 0
        output = capsys.readouterr()
        assert main(["report", "tiny.run", f"--{option}", f"file.{option}"]) == 0
        capsys.readouterr()
        assert output.out == Path(f"file.{option}").read_text()
        assert output.err == ""
        assert not Path("-").exists()
    assert main(["report", "tiny.run", "--csv", "-", "--json", "-"]) == 2
    assert "cannot both be standard output" in capsys.readouterr().err


def test_formats_of_figures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_run(folder / "tiny.run")
    assert main(["report", "tiny.run", "--figures", "one", "--format", "png"]) == 0
    assert {path.suffix for path in Path("one").iterdir()} == {".png"}
    assert main(["report", "tiny.run", "--figures", "two", "--format", "svg,.PDF"]) == 0
    assert {path.suffix for path in Path("two").iterdir()} == {".svg", ".pdf"}
    assert {path.stem for path in Path("two").iterdir()} == {path.stem for path in Path("one").iterdir()}
    assert main(["report", "tiny.run", "--format", "png"]) == 2
    assert "give --figures DIR, too" in capsys.readouterr().err


def test_threads_change_no_count(folder: Path) -> None:
    for threads in ("1", "3"):
        command = f"campaign tiny.onnx --data npz:tiny.npz --threads {threads} -q -o {threads}.run"
        assert main(command.split()) == 0
        assert main(["report", f"{threads}.run", "--csv", f"{threads}.csv"]) == 0
    assert Path("1.csv").read_text() == Path("3.csv").read_text()
