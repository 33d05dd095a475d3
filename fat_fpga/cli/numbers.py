"""Types of numbers on the command line: what cannot be meant is refused before anything is read or allocated.

Each is given to ``type=`` of an argument. Digits are ASCII; what is no number, not finite or out of range ends in one
line that says what was expected.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from fractions import Fraction

COUNT = 10**9
"""More images, faults, threads or rows than this are a slip of the keyboard."""
SEED = 2**63 - 1
"""The largest seed: of a signed 64-bit word, which every random generator and the run file hold."""
PER_DECADE = 3
"""So many rates stand in each decade of a grid."""
SHOWN = 24
"""So many characters of what came are shown."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?")


def cut(text: str, length: int = SHOWN) -> str:
    """The text, or its start and ``...``."""
    return text if len(text) <= length else text[: length - 3] + "..."


def whole(low: int, high: int = COUNT, what: str = "a whole number") -> Callable[[str], int]:
    """A whole number, ``low`` to ``high``."""

    def read(text: str) -> int:
        if _WHOLE.fullmatch(text.strip()) and low <= int(text) <= high:
            return int(text)
        raise argparse.ArgumentTypeError(f"expected {what}, {_range(low, high)}, got '{cut(text)}'")

    return read


def decimal(low: float, high: float, what: str = "a number", above: bool = False) -> Callable[[str], float]:
    """A number, ``low`` (or, with ``above``, more than that) to ``high``."""

    def read(text: str) -> float:
        if _DECIMAL.fullmatch(text.strip()):
            value = float(text)
            if low <= value <= high and not (above and value == low):
                return value
        more = f"above {low:g}, at most {high:,g}" if above else _range(low, high)
        raise argparse.ArgumentTypeError(f"expected {what}, {more}, got '{cut(text)}'")

    return read


def exact(low: int, high: int | Fraction, suffix: str, what: str, above: bool = False) -> Callable[[str], Fraction]:
    """A decimal number or a quotient (``13.84``, ``1/3``), exactly; ``suffix`` may follow it."""

    def read(text: str) -> Fraction:
        parts = text.strip().removesuffix(suffix).split("/")
        if len(parts) <= 2 and all(_DECIMAL.fullmatch(part) for part in parts):
            top, bottom = Fraction(parts[0]), Fraction(parts[-1]) if len(parts) == 2 else Fraction(1)
            if bottom and low <= top / bottom <= high and not (above and top == low):
                return top / bottom
        raise argparse.ArgumentTypeError(f"expected {what}, got '{cut(text)}'")

    return read


def levels(text: str) -> list[int]:
    """Comma separated integers of at most 64 bits."""
    parts = [part.strip() for part in text.split(",")]
    if not all(_WHOLE.fullmatch(part) and abs(int(part)) <= SEED for part in parts):
        raise argparse.ArgumentTypeError(f"expected integers separated by commas, got '{cut(text)}'")
    return [int(part) for part in parts]


def shape(text: str) -> tuple[int, int, int]:
    """Three comma separated sizes."""
    parts = [part.strip() for part in text.split(",")]
    sizes = [int(part) if _WHOLE.fullmatch(part) else 0 for part in parts]
    if len(sizes) != 3 or not all(1 <= size <= 10**5 for size in sizes):
        raise argparse.ArgumentTypeError(f"expected channels,height,width, as 1,28,28, got '{cut(text)}'")
    return sizes[0], sizes[1], sizes[2]


def rates(text: str) -> tuple[float, ...]:
    """Rates of errors: ``LOW:HIGH`` or ``LOW:HIGH:N`` with N in each decade, or a list separated by commas."""
    from fat_fpga.campaign.rates import check_rates, rate_grid
    from fat_fpga.errors import CampaignError

    parts = [part.strip() for part in text.split(":" if ":" in text else ",")]
    if not all(_DECIMAL.fullmatch(part) for part in parts) or (":" in text and len(parts) not in (2, 3)):
        raise argparse.ArgumentTypeError(f"expected rates as 1e-7:1e-2, 1e-7:1e-2:3 or 1e-6,1e-5, got '{cut(text)}'")
    try:
        if ":" in text:
            per_decade = whole(1, 100, "rates in each decade")(parts[2]) if len(parts) == 3 else PER_DECADE
            return rate_grid(float(parts[0]), float(parts[1]), per_decade)
        found = tuple(map(float, parts))
        check_rates(found)
    except CampaignError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return found


def intervals(text: str) -> tuple[float, ...]:
    """Hours, ascending: ``1,24,720``."""
    parts = [part.strip() for part in text.split(",")]
    found = tuple(float(part) if _DECIMAL.fullmatch(part) else 0.0 for part in parts)
    if not all(0 < hours <= COUNT for hours in found) or list(found) != sorted(set(found)):
        raise argparse.ArgumentTypeError(
            f"expected hours above 0, up to {COUNT:,}, ascending, as 1,24,720, got '{cut(text)}'"
        )
    return found


def upsets(text: str) -> float:
    """Upsets of each bit in an hour: ``1e-9``, or ``75FIT/Mb``, upsets of 10^6 bits in 10^9 hours."""
    number = text.strip().removesuffix("FIT/Mb").strip()
    found = float(number) if _DECIMAL.fullmatch(number) else 0.0
    found *= 1e-15 if number != text.strip() else 1.0
    if not 0 < found <= COUNT:
        raise argparse.ArgumentTypeError(f"expected upsets above 0, as 1e-9 or 75FIT/Mb, got '{cut(text)}'")
    return found


def code(text: str) -> tuple[str, int]:
    """A code and its data bits: ``secded`` or ``secded:32``."""
    from fat_fpga.errors import FaultError
    from fat_fpga.faults.codes import code as known
    from fat_fpga.faults.protection import DATA

    name, _, data = text.strip().partition(":")
    try:
        bits = whole(0, what="data bits of a word")(data) if data or ":" in text else DATA
        known(cut(name), bits)
    except FaultError as error:
        raise argparse.ArgumentTypeError(
            f"expected a code, and its data bits if not {DATA}, as secded:32: {error}"
        ) from error
    return name, bits


def pixels(text: str) -> str:
    """``auto``, ``raw``, ``unit``, ``none``, or a QONNX datatype of integers."""
    from fat_fpga.network.datatypes import span_of

    if text not in ("auto", "raw", "unit", "none") and span_of(text) is None:
        raise argparse.ArgumentTypeError(
            f"expected auto, raw, unit, none, or a datatype of integers, as INT8, UINT4, BIPOLAR, got '{cut(text)}'"
        )
    return text


def normalise(text: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Means and standard deviations: ``mean=0.49,0.48,0.45,std=0.25,0.24,0.26``."""
    found = re.fullmatch(r"mean=([^=]+?),\s*std=([^=]+)", text.strip())
    try:
        if found is None:
            raise ValueError
        mean, deviation = (tuple(float(part) for part in found[i].split(",")) for i in (1, 2))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected mean=M,std=S, with one number or one for each channel, as mean=0.5,std=0.25, got '{cut(text)}'"
        ) from None
    return mean, deviation


def formats_at(text: str) -> dict[str, str]:
    """Formats by place, kind, or both: ``weight=Q2.6,features.0/activation=float16``."""
    found: dict[str, str] = {}
    for part in text.split(","):
        where, equals, form = (word.strip() for word in part.partition("="))
        if not (where and equals and form) or where in found:
            raise argparse.ArgumentTypeError(f"expected WHERE=FORMAT,..., each once, as weight=Q2.6, got '{cut(text)}'")
        found[where] = form
    return found


def _range(low: float, high: float) -> str:
    return f"{low:,} or more" if high >= COUNT else f"{low:,} to {high:,}"


count = whole(1)
samples = whole(1, 10**6, "samples of each rate")
points = decimal(0, 100, "points of accuracy", above=True)
burst = whole(1, 1024, "cells")
beside = whole(1, 1024, "words")
index = whole(0)
threads = whole(1, 1024)
seed = whole(0, SEED, "a seed")
clock = decimal(1, 1000, "MHz")
rate = decimal(0, 1e9, "frames a second", above=True)
waiting = decimal(0, 1e7, "seconds", above=True)
percent = exact(0, 100, "%", "a percentage, 0 to 100, as 20 or 13.84")
margin = exact(0, 50, "%", "a margin of error above 0 %, at most 50 %, as 1%", above=True)
confidence = exact(50, Fraction("99.9999"), "%", "a confidence of 50 % to 99.9999 %, as 99")
price = exact(0, 10**9, "", "a mean cost of an image from 0 up, as 2.5")
ratio = exact(0, 10**6, "x", "a cost above 0, as 1.3x, in times that of the unprotected network", above=True)


def limits(name: str = "", most: int = 100) -> Callable[[str], dict[str, Fraction]]:
    """Comma separated ``NAME=NUMBER``, as ``class=30``; a number alone is that of ``name``, where there is one.

    Numbers are percentages, or with another ``most`` anything from 0 up to it. Which names there are is checked later.
    """
    expected = "percentages, as 60,class=30" if name else "numbers by name, as sdc1=0.5,cost=2"
    number = exact(0, most, "%" if name else "", expected)

    def read(text: str) -> dict[str, Fraction]:
        found: dict[str, Fraction] = {}
        for part in text.split(","):
            left, equals, right = part.rpartition("=")
            key = left.strip() if equals else name
            if not key or key in found:
                raise argparse.ArgumentTypeError(f"expected {expected}, each name once, got '{cut(text)}'")
            found[key] = number(right)
        return found

    return read


least = limits("accuracy")
largest = limits(most=10**9)
