"""Argument parsing that complains in one line, and pieces that several commands share."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from difflib import get_close_matches
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NoReturn

from fat_fpga.one_line import one_line

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Parser"]
else:
    Commands = Any

DATA = (
    "the test set: cifar10:DIR, svhn:DIR, gtsrb:DIR, mnist:DIR, folder:DIR, npz:FILE, npy:DIR, or demo:cifar10; with "
    "@val, @train or @test[0:5000] after it other images"
)


class Derived(str):
    """Help of an argument that is made when it is printed, from what registers itself elsewhere.

    Args:
        make: gives the text; it may import what a command line must not import before it is asked for.
    """

    make: Callable[[], str]

    def __new__(cls, make: Callable[[], str]) -> Derived:
        text = super().__new__(cls, "derived")
        text.make = make
        return text


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help.make() if isinstance(action.help, Derived) else action.help


class Parser(argparse.ArgumentParser):
    """Keeps the line breaks of descriptions and epilogs, and reports an error in one line with exit code 2."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(formatter_class=_Formatter, allow_abbrev=False, **arguments)

    def error(self, message: str) -> NoReturn:
        found = re.match(r"argument (\S+): invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if found:
            near = get_close_matches(found[2], re.findall(r"[\w-]+", found[3]), 1)
            message += f": did you mean {near[0]}?" if near else ""
        print(f"fat-fpga: {one_line(message)} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def names(text: str) -> list[str]:
    """Comma separated names, for ``type=`` of an argument."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise argparse.ArgumentTypeError("expected names separated by commas")
    return found


def shape(text: str) -> tuple[int, int, int]:
    """Three comma separated sizes, for ``type=`` of an argument."""
    try:
        channels, height, width = (int(size) for size in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError("expected channels,height,width") from error
    return channels, height, width


def engines(words: str) -> Derived:
    """Help that lists the engines."""

    def make() -> str:
        from fat_fpga.engines import forms

        return f"{words}: {', '.join(forms())}. file is MODEL itself".replace("file:PATH", "file")

    return Derived(make)


def percent(text: str) -> Fraction:
    """A percentage, exact, for ``type=`` of an argument."""
    try:
        value = Fraction(text.removesuffix("%"))
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError("expected a percentage, as 20 or 13.84") from error
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError("expected a percentage, 0 to 100")
    return value


def add_model(parser: Parser) -> None:
    """The arguments that ``fat_fpga.cli.model.load_model`` reads."""
    parser.add_argument(
        "model", metavar="MODEL",
        help="an .onnx file, the network.npz of a board, or the name of a bundled network (fat-fpga models lists them)",
    )  # fmt: skip
    parser.add_argument(
        "--pixels", choices=("auto", "raw", "unit"), default="auto",
        help="what the file's input takes: pixels 0..255 (raw), or divided by 255 (unit); auto asks the file",
    )  # fmt: skip
    parser.add_argument(
        "--image-shape", metavar="C,H,W", type=shape, help="shape of an image, where the file's input is flat"
    )
