"""Bits of words, worked out on text."""

from __future__ import annotations

from collections.abc import Callable

from fat_fpga.faults import Fault


def flipped(
    word: int, fault: Fault, signed_bits: int, to_bits: Callable[[int], int] = int, back: Callable[[int], int] = int
) -> int:
    """A word with the fault's bit in it, worked out on a string of 40 binary digits, or of ``signed_bits``."""
    assert fault.bit is not None
    width = signed_bits or 40
    digits = list(reversed(format(to_bits(word) % (1 << width), f"0{width}b")))
    old = digits[fault.bit]
    digits[fault.bit] = str(1 - int(old)) if fault.flip else str(fault.value)
    number = int("".join(reversed(digits)), 2)
    return back(number - (1 << width) if signed_bits > 1 and digits[-1] == "1" else number)
