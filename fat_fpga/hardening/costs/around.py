"""What FINN builds between matrix-vector units: window generators and the thresholds of the input.

FINN's own estimates again, as formulas. It counts nothing for padding, pools and the label select. Copies change none
of it, as the voter hands on as many channels as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from fat_fpga.campaign import LayerRow
from fat_fpga.hardening.costs.model import Between
from fat_fpga.hardening.costs.window import Window
from fat_fpga.hardening.design import activations_of, bits_of
from fat_fpga.network.folding import Fold, divisors

MEMORIES = ((72, 4096), (36, 8192), (18, 16384), (9, 32768), (36, 512), (18, 1024), (9, 2048), (1, 64))
"""Width and depth of what memories of thresholds are built from; the last one is a LUT."""

PIXEL_BITS = 8


WINDOW, THRESHOLDS = "window generator", "thresholds"
"""What stands between units."""


def between_units(places: Sequence[LayerRow], folds: Mapping[str, Fold], cycles: int) -> list[Between]:
    """All of a network without voters, in order, with their LUTs.

    Args:
        places: of the network, its input first.
        folds: of the units; SIMD lanes that are not told are one.
        cycles: of the slowest unit; the input and pools are as parallel as that needs.
    """
    image = places[0]
    beats = image.height * image.width * image.channels
    lanes = next((n for n in divisors(image.channels) if beats // n <= cycles), image.channels)
    found = [] if _raw(image) else [Between(image.name, THRESHOLDS, threshold_luts(image, lanes), beats // lanes)]
    for front, place in pairwise(places):
        if not place.is_pool and not place.reads_windows(front):
            continue
        window = Window(front, place)
        if window.pool:
            lanes = next((n for n in divisors(front.channels) if window.cycles(n) <= cycles), front.channels)
        else:
            lanes = folds[place.name].simd or 1
        if window.needed:
            found.append(Between(place.name, WINDOW, window.lut(lanes), window.cycles(lanes)))
    return found


def threshold_luts(image: LayerRow, lanes: int) -> int:
    """LUTs of the thresholds that make levels of pixels (``Thresholding_rtl``).

    A binary search: a memory for each bit of the outcome, twice as deep as the one before.
    """
    return search_luts(image.channels, lanes, PIXEL_BITS, bits_of(activations_of(image)))


def search_luts(channels: int, lanes: int, bits: int, outcome: int) -> int:
    """LUTs of thresholds of so many ``bits`` for levels of ``outcome`` bits."""
    total = 0
    for bit in range(outcome):
        words = channels // lanes * 2**bit
        counts = [-(-bits // width) * -(-words // depth) for width, depth in MEMORIES]
        sizes = [count * width * depth for count, (width, depth) in zip(counts, MEMORIES, strict=True)]
        if min(sizes[:-1]) > sizes[-1]:
            total += lanes * counts[-1]
    return total


def _raw(image: LayerRow) -> bool:
    """Whether pixels are taken as they come."""
    return image.levels == ",".join(map(str, range(2**PIXEL_BITS)))
