"""What is synthesised: our blocks, units of accelerators in sizes of networks and in random ones, and their parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from drawn import drawn, products
from elements import Row, elements

from fat_fpga.board.voter import sources_literal

CHECKSUMS = ((1, 2), (1, 20), (2, 8), (4, 2), (8, 1), (16, 1), (16, 2), (16, 4), (16, 8), (32, 1), (64, 1), (64, 2))
"""Lanes and bits."""
MATRIX = (
    # In FINN's example foldings: inputs, channels, PE, SIMD, bits of weights, inputs, sums, thresholds
    ("conv4 of CNV W1A1", 1152, 256, 4, 32, 1, 1, 11, 1),
    ("fc6 of CNV W1A1", 256, 512, 1, 4, 1, 1, 9, 1),
    ("fc7 of CNV W1A1", 512, 512, 1, 8, 1, 1, 10, 1),
    ("fc6 of CNV W2A2", 256, 512, 1, 2, 2, 2, 12, 2),
    # In others
    ("fc8 of CNV W1A1", 512, 10, 5, 1, 1, 1, 10, 0),
    ("conv1 of CNV W1A1", 576, 64, 8, 16, 1, 1, 10, 1),
    ("conv3 of CNV W1A1", 1152, 128, 2, 16, 1, 1, 11, 1),
    ("conv0 of CNV W1A1", 27, 64, 2, 3, 1, 8, 13, 1),
    ("conv1 of CNV W2A2", 576, 64, 4, 8, 2, 2, 13, 2),
    ("conv3 of CNV W2A2", 1152, 128, 2, 16, 2, 2, 14, 2),
    ("conv0 of CNV W2A2", 27, 64, 4, 3, 2, 8, 14, 2),
    ("conv2 of CNV W1A2", 576, 128, 2, 16, 1, 2, 12, 2),
    ("conv0 of CNV W1A1", 27, 64, 8, 3, 1, 8, 13, 1),
    ("conv0 of CNV W1A2", 27, 64, 8, 3, 1, 8, 13, 2),
    ("conv0 of CNV W2A2", 27, 64, 8, 3, 2, 8, 14, 2),
    ("conv2 of CNV W1A1", 576, 128, 4, 16, 1, 1, 10, 1),
    ("conv4 of CNV W1A2", 1152, 256, 1, 16, 1, 2, 13, 2),
)
"""A model is fitted to these, and to `FORM`."""
OTHER_MATRIX = (
    ("conv5 of CNV W1A1", 2304, 256, 1, 32, 1, 1, 12, 1),
    ("fc7 of CNV W2A2", 512, 512, 1, 4, 2, 2, 13, 2),
    ("conv2 of CNV W2A2", 576, 128, 2, 8, 2, 2, 13, 2),
    ("conv0 of CNV W1A2", 27, 64, 4, 3, 1, 8, 13, 2),
    ("conv1 of CNV W1A1", 576, 64, 4, 32, 1, 1, 10, 1),
    ("conv4 of CNV W2A2", 1152, 256, 4, 8, 2, 2, 14, 2),
    ("fc1 of LFC W1A1", 1024, 1024, 4, 16, 1, 1, 11, 1),
    # conv1 to conv3 in FINN's example foldings
    ("conv1 of CNV W1A1", 576, 64, 32, 32, 1, 1, 10, 1),
    ("conv2 of CNV W1A1", 576, 128, 16, 32, 1, 1, 10, 1),
    ("conv3 of CNV W1A1", 1152, 128, 16, 32, 1, 1, 11, 1),
    ("conv1 of CNV W2A2", 576, 64, 16, 16, 2, 2, 13, 2),
    ("conv2 of CNV W2A2", 576, 128, 8, 16, 2, 2, 13, 2),
    ("conv3 of CNV W2A2", 1152, 128, 8, 16, 2, 2, 14, 2),
    # Random sizes, the first six of ten that were drawn
    ("random 1", 288, 40, 20, 2, 1, 2, 11, 3),
    ("random 2", 288, 32, 2, 8, 1, 1, 9, 1),
    ("random 3", 2304, 32, 4, 8, 1, 2, 14, 1),
    ("random 4", 96, 48, 1, 48, 2, 2, 10, 3),
    ("random 5", 256, 96, 2, 4, 1, 2, 11, 1),
    ("random 6", 216, 64, 16, 4, 1, 2, 10, 2),
)
"""The model is held against these. Its form was chosen with them in view."""
FORM = drawn(1, 24)
"""The form of the model was found with these, and it is fitted to them."""
SEEN = (
    *sorted(drawn(3, 12, 512), key=products)[:11],
    *sorted(drawn(4, 12), key=products)[:8],
    *sorted(drawn(5, 12), key=products)[:8],
)
"""Each seed was drawn after the model was settled, and one of its units changed it. It is not fitted to them."""
UNSEEN = sorted(drawn(6, 12), key=products)[:8]
"""Drawn behind all these, and nothing has been changed since."""
FITTED: dict[str, Sequence[tuple[int, ...]]] = {
    # Channels, lanes, bits, side, kernel
    "windows": ((64, 32, 1, 14, 3), (64, 16, 2, 14, 3), (3, 3, 8, 32, 3), (64, 32, 1, 30, 3), (128, 32, 1, 12, 3)),
    # Channels, lanes, bits, side; windows are 2 x 2
    "pools": ((64, 32, 1, 28), (64, 16, 2, 28), (128, 16, 1, 10), (128, 16, 2, 10), (64, 8, 4, 28)),
    # Classes, lanes, bits
    "labels": ((10, 1, 16), (10, 5, 10), (10, 2, 12), (43, 1, 14), (10, 10, 8)),
    # Lanes in, lanes out, bits
    "converters": ((3, 1, 8), (16, 32, 1), (32, 16, 1), (8, 32, 2), (32, 4, 1), (4, 32, 1)),
    # Bits of a beat, and beats
    "fifos": ((8, 16), (32, 64), (64, 32), (8, 128), (8, 256)),
}
"""Units of other kinds that models are fitted to."""
OTHERS: dict[str, Sequence[tuple[int, ...]]] = {
    "windows": ((256, 32, 1, 5, 3), (64, 16, 2, 30, 3), (64, 8, 2, 14, 5)),
    "pools": ((64, 64, 1, 28), (128, 32, 2, 10), (64, 4, 4, 12)),
    "labels": ((10, 1, 10), (10, 5, 14), (12, 3, 12)),
    "converters": ((64, 8, 1), (4, 16, 2), (16, 2, 2)),
    "fifos": ((16, 32), (48, 64), (16, 128)),
}
"""Units of other kinds that models are held against."""
GUARDS = {
    (0, 0): (2, 4, 8, 16, 32, 64, 128),
    (0, 1): (2, 4, 8, 16, 32, 64, 128),
    (1, 0): (2, 4, 8, 16, 32, 64),
    (1, 1): (2, 4, 8, 16, 32, 64),
}
"""Data bits of a word, by SECDED and ERASE."""
CLIPS = ((1, 2, 0), (1, 3, 0), (1, 4, 0), (4, 4, 0), (1, 6, 0), (1, 8, 0), (16, 8, 0), (1, 8, 1), (1, 12, 0),
         (1, 16, 0))  # fmt: skip
"""Lanes, bits, and whether values are signed."""


def voter_sources(channels: int, triplets: int, lanes_out: int, lanewise: bool) -> tuple[np.ndarray, int, int]:
    """A map of sources, and the physical channels and lanes in front of it."""
    folds = channels // lanes_out
    if not lanewise:
        copied = np.arange(triplets) * channels // max(triplets, 1)
        rows = np.concatenate([np.arange(channels), copied, copied])
        lanes_in = next(d for d in range(lanes_out, len(rows) + 1) if len(rows) % d == 0)
    else:  # every beat carries its own copies behind its channels
        copies = triplets // folds
        beat = np.concatenate([np.arange(lanes_out), np.arange(copies), np.arange(copies)])
        rows = np.concatenate([beat + fold * lanes_out for fold in range(folds)])
        lanes_in = len(beat)
    found = [(np.flatnonzero(rows == c).tolist() * 3)[:3] for c in range(channels)]
    return np.array(found, np.int32), len(rows), lanes_in


def voter(channels: int, triplets: int, lanes_out: int, bits: int, count_bits: int, lanewise: bool) -> dict[str, Any]:
    sources, rows, lanes_in = voter_sources(channels, triplets, lanes_out, lanewise)
    return {
        "CHANNELS": channels,
        "ROWS": rows,
        "LANES_IN": lanes_in,
        "LANES_OUT": lanes_out,
        "BITS": bits,
        "COUNT_BITS": count_bits,
        "SOURCES": sources_literal(sources),
    }


def rows() -> list[Row]:
    """Top, its parameters, and what the table says beside them."""
    found: list[Row] = []
    for lanes, folds, side, bits in ((1, 64, 1, 2), (16, 4, 28, 1), (16, 4, 28, 2), (64, 1, 1, 2), (32, 4, 12, 4)):
        parameters = {"LANES": lanes, "FOLDS": folds, "WIDTH": side, "HEIGHT": side, "BITS": bits}
        found.append(("fat_saboteur", parameters, {}))
    for lanes, bits in CHECKSUMS:
        found.append(("fat_checksum", {"LANES": lanes, "BEATS": 784, "BITS": bits}, {}))
    for channels, triplets, lanes_out, bits, count_bits, lanewise in (
        (64, 0, 16, 1, 8, True),
        (64, 4, 16, 1, 8, True),
        (64, 4, 16, 2, 8, True),
        (64, 16, 16, 1, 8, True),
        (64, 16, 16, 1, 1, True),
        (64, 16, 16, 2, 8, True),
        (64, 32, 16, 2, 8, True),
        (64, 16, 64, 2, 8, True),
        (64, 4, 16, 2, 8, False),
        (64, 16, 16, 1, 8, False),
        (64, 16, 16, 2, 8, False),
        (64, 16, 4, 2, 8, False),
        (64, 16, 16, 2, 1, False),
        (128, 32, 16, 2, 8, False),
        (128, 64, 32, 1, 8, True),
        (256, 64, 32, 1, 8, False),
    ):
        said = {"triplets": triplets, "structure": "lanewise" if lanewise else "collected"}
        found.append(("fat_voter", voter(channels, triplets, lanes_out, bits, count_bits, lanewise), said))
    return [*found, *units(False), *units(True), *guards(), *elements()]


def units(other: bool) -> Iterator[Row]:
    """The units of accelerators.

    Args:
        other: those that no model is fitted to.
    """
    sizes = [(size, "other") for size in OTHER_MATRIX] if other else [(size, "fitted") for size in MATRIX]
    sizes += [(size, "other") for size in (*SEEN, *UNSEEN)] if other else [(size, "fitted") for size in FORM]
    for (name, inputs, channels, pe, simd, weight_bits, input_bits, sum_bits, thresholds), use in sizes:
        parameters = {"INPUTS": inputs, "CHANNELS": channels, "PE": pe, "SIMD": simd, "WEIGHT_BITS": weight_bits,
                      "INPUT_BITS": input_bits, "INPUT_BIPOLAR": int(input_bits == 1),
                      "INPUT_SIGNED": int(input_bits > 1), "SUM_BITS": sum_bits, "THRESHOLDS": thresholds,
                      "OUT_BITS": thresholds.bit_length() or sum_bits, "AXIL_ADDR_W": 20}  # fmt: skip
        yield "fat_mvtu", parameters, {"unit": name, "use": use}
    of_kinds, said = (OTHERS if other else FITTED), {"other": other}
    for channels, lanes, bits, side, kernel in of_kinds["windows"]:
        parameters = {"CHANNELS": channels, "LANES": lanes, "BITS": bits, "HEIGHT": side, "WIDTH": side,
                      "KERNEL_H": kernel, "KERNEL_W": kernel, "OUT_H": side - kernel + 1,
                      "OUT_W": side - kernel + 1}  # fmt: skip
        yield "fat_window", parameters, said
    for channels, lanes, bits, side in of_kinds["pools"]:
        parameters = {"CHANNELS": channels, "LANES": lanes, "BITS": bits, "SIGNED": int(bits > 1), "HEIGHT": side,
                      "WIDTH": side}  # fmt: skip
        yield "fat_max_pool", parameters, said
    for classes, lanes, bits in of_kinds["labels"]:
        yield "fat_label_select", {"CLASSES": classes, "LANES": lanes, "BITS": bits, "SIGNED": 1}, said
    for lanes_in, lanes_out, bits in of_kinds["converters"]:
        yield "fat_width_converter", {"LANES_IN": lanes_in, "LANES_OUT": lanes_out, "BITS": bits}, said
    for bits, depth in of_kinds["fifos"]:
        yield "fat_fifo", {"DATA_W": bits, "DEPTH": depth}, said


def guards() -> Iterator[Row]:
    """What is put behind memories and into streams against wrong values. Bounds have every second bit set."""
    for (secded, erase), widths in GUARDS.items():
        for data in widths:
            yield "fat_word_guard", {"WORDS": 1, "DATA": data, "SECDED": secded, "ERASE": erase}, {}
    for lanes, bits, signed in CLIPS:
        bound = sum(1 << place for place in range(0, bits - signed, 2))
        yield "fat_clip", {"LANES": lanes, "BITS": bits, "SIGNED": signed, "BOUND": bound}, {}
