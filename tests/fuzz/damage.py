"""Damage to bytes, whatever they mean: what disks, copies and hostile editors do to files."""

from __future__ import annotations

from tests.fuzz.target import Rng

EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**40, 2**63 - 1, 2**64 - 1)


def damaged(data: bytes, rng: Rng) -> bytes:
    """The bytes with one to three kinds of damage."""
    content = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        _DAMAGE[int(rng.integers(len(_DAMAGE)))](content, rng)
    return bytes(content)


def _place(content: bytearray, rng: Rng) -> int:
    """A position; heads of files are hit more often, as most of what is decided stands there."""
    end = len(content)
    return int(rng.integers(0, max(1, min(end, 128) if rng.random() < 0.4 else end)))


def _flip(content: bytearray, rng: Rng) -> None:
    for _ in range(int(rng.integers(1, 9))):
        if content:
            content[_place(content, rng)] ^= 1 << int(rng.integers(8))


def _overwrite(content: bytearray, rng: Rng) -> None:
    at = _place(content, rng)
    content[at : at + int(rng.integers(1, 17))] = rng.bytes(int(rng.integers(1, 17)))


def _number(content: bytearray, rng: Rng) -> None:
    """An extreme number of 1, 2, 4 or 8 bytes, either end first."""
    size, at = int(rng.choice([1, 2, 4, 8])), _place(content, rng)
    value = EXTREMES[int(rng.integers(len(EXTREMES)))] & (1 << 8 * size) - 1
    content[at : at + size] = value.to_bytes(size, "little" if rng.random() < 0.5 else "big")


def _cut(content: bytearray, rng: Rng) -> None:
    del content[_place(content, rng) :]


def _remove(content: bytearray, rng: Rng) -> None:
    at = _place(content, rng)
    del content[at : at + int(rng.integers(1, 200))]


def _repeat(content: bytearray, rng: Rng) -> None:
    at = _place(content, rng)
    content[at:at] = content[at : at + int(rng.integers(1, 200))] * int(rng.choice([1, 2, 50]))


def _insert(content: bytearray, rng: Rng) -> None:
    at = _place(content, rng)
    content[at:at] = rng.bytes(int(rng.integers(1, 40)))


def _zeros(content: bytearray, rng: Rng) -> None:
    at, size = _place(content, rng), int(rng.integers(1, 600))
    content[at : at + size] = bytes(min(size, len(content) - at))


def _rest(content: bytearray, rng: Rng) -> None:
    """The rest of the file is noise."""
    at = _place(content, rng)
    content[at:] = rng.bytes(min(len(content) - at, 4096))


_DAMAGE = (_flip, _flip, _overwrite, _number, _number, _number, _cut, _remove, _repeat, _insert, _zeros, _rest)
