"""From a pattern to the single faults that it is in a network, on some images."""

from __future__ import annotations

from fat_fpga.arguments import checked
from fat_fpga.faults.decode import WordCounts
from fat_fpga.faults.fault import Fault, FaultSet
from fat_fpga.faults.parts import parts_of
from fat_fpga.faults.pattern import Pattern
from fat_fpga.faults.protected import check_hits, left
from fat_fpga.faults.singles import faults_of
from fat_fpga.faults.subject import AnySubject
from fat_fpga.network import Network


@checked
def expand(network: AnySubject, pattern: Pattern, first_frame: int, images: int) -> FaultSet:
    """The single faults of a pattern on ``images`` images from number ``first_frame`` on; there may be none.

    Errors in memories are in every image; those of activations are drawn anew for each.

    Raises:
        FaultError: the network has no such cells.
    """
    found: list[Fault] = []
    for part in parts_of(network, pattern):
        found += faults_of(part, range(first_frame, first_frame + images))
    return FaultSet(tuple(found))


def count_hits(network: AnySubject, pattern: Pattern, first_frame: int, images: int) -> int:
    """How many cells are hit on these images; errors that are in every image count with image 0 alone, so that counts
    of consecutive images add up."""
    return sum(
        len(part.hits(range(first_frame, first_frame + images))[1]) + len(check_hits(part))
        for part in parts_of(network, pattern)
        if part.transient or first_frame == 0
    )


def count_words(network: Network, pattern: Pattern) -> WordCounts:
    """What became of the words of protected memories; zeros where nothing is protected."""
    total = WordCounts()
    if pattern.protection is not None:
        for rest in map(left, parts_of(network, pattern)):
            total = total if rest is None else total.plus(rest.counts)
    return total
