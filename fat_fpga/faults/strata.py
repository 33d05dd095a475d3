"""Strata: a fault space cut into parts, each of which is drawn from on its own (Cochran 1977, chapter 5)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

from fat_fpga.errors import FaultError
from fat_fpga.faults.block import Block
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.space import FaultSpace

AXES = ("kind", "layer", "bit")
"""What a space can be cut by. A stratum's key has one word for each axis: ``("weight", "conv0", "3")``; the word for
the bit is empty where faults hold whole values."""
Key = tuple[str, ...]
_T = TypeVar("_T")


def strata(space: FaultSpace, axes: Sequence[str]) -> dict[Key, FaultSpace]:
    """The space by stratum, in its own order; together they hold each of its faults once.

    Raises:
        FaultError: an axis is unknown or named twice, or there is none.
    """
    check_axes(axes)
    found: dict[Key, list[Block]] = {}
    for block in space.blocks:
        whole = block.bits is None or "bit" not in axes
        for part in [block] if whole else [block.of_bit(bit) for bit in range(block.bits or 0)]:
            bit = "" if part.bit is None else str(part.bit)
            words = {"kind": part.kind, "layer": part.place, "bit": bit}
            found.setdefault(tuple(words[axis] for axis in axes), []).append(part)
    return {key: FaultSpace(blocks) for key, blocks in found.items()}


def stratum_of(fault: Fault, axes: Sequence[str]) -> Key:
    """The key of the stratum that a fault is in."""
    words = {"kind": fault.kind, "layer": fault.layer, "bit": "" if fault.bit is None else str(fault.bit)}
    return tuple(words[axis] for axis in axes)


def check_axes(axes: Sequence[str]) -> None:
    """FaultError unless these are some of ``AXES``, each once."""
    wrong = [axis for axis in axes if axis not in AXES]
    if wrong or not axes or len(set(axes)) < len(axes):
        got = f"'{wrong[0]}'" if wrong else ",".join(axes) or "none"
        raise FaultError(f"strata are made by some of {', '.join(AXES)}, each once, got {got}")


def allocate(populations: Mapping[_T, int], count: int, least: int) -> dict[_T, int]:
    """How many of ``count`` draws each stratum gets: in proportion to its faults, but ``least`` or all it has.

    What the small strata get beyond their proportion the others give, in proportion again. Rounded by the largest
    remainder, of equals the first; so the sum is exact.

    Raises:
        FaultError: fewer draws than the strata need, or more than there are faults.
    """
    low = {key: min(least, size) for key, size in populations.items()}
    needed, most = sum(low.values()), sum(populations.values())
    if not needed <= count <= most:
        raise FaultError(
            f"{len(low)} strata with at least {least} {'fault' if least == 1 else 'faults'} each need a sample of "
            f"{needed:,} to {most:,}, got {count:,}"
        )
    given = dict(low)
    free = {key for key, size in populations.items() if size > low[key]}
    while free:
        left = count - sum(given[key] for key in populations if key not in free)
        share = Fraction(left, sum(populations[key] for key in free))
        small = {key for key in free if share * populations[key] < low[key]}
        if not small:
            break
        free -= small
    quotas = {key: share * size for key, size in populations.items() if key in free}
    given |= {key: int(quota) for key, quota in quotas.items()}
    rest = sorted(quotas, key=lambda key: int(quotas[key]) - quotas[key])
    for key in rest[: count - sum(given.values())]:
        given[key] += 1
    return given


def draw(population: int, count: int, seed: str) -> list[int]:
    """``count`` different numbers below ``population``, each set of them as likely as any other, in the order drawn.

    A shuffle of which only the first ``count`` places are made (Fisher and Yates): the same seed with a larger count
    begins with the same numbers, so a sample can be made larger and keeps what was tried.
    """
    source, moved, drawn = random.Random(seed), dict[int, int](), []
    for place in range(count):
        other = source.randrange(place, population)
        drawn.append(moved.get(other, other))
        moved[other] = moved.get(place, place)
    return drawn


def draw_strata(space: FaultSpace, axes: Sequence[str], count: int, seed: int, least: int) -> dict[Key, list[Fault]]:
    """``count`` faults by stratum, as many of each as `allocate` gives it, in the order of the space.

    A stratum's faults depend on the seed, its key and how many they are, and on no other stratum.

    Raises:
        FaultError: as `strata` and `allocate`.
    """
    parts = strata(space, axes)
    return draw_numbers(parts, allocate({key: len(part) for key, part in parts.items()}, count, least), seed)


def draw_numbers(parts: Mapping[Key, FaultSpace], numbers: Mapping[Key, int], seed: int) -> dict[Key, list[Fault]]:
    """So many faults of each stratum, in the order of the space; more of a stratum begin with the same ones."""
    return {
        key: [part[number] for number in sorted(draw(len(part), numbers[key], f"{seed}/{'/'.join(key)}"))]
        for key, part in parts.items()
    }
