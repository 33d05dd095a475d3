"""Processing elements of ``fat_mvtu`` that are synthesised alone, in the sizes that its model knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Row = tuple[str, dict[str, Any], dict[str, Any]]
"""A module, its parameters, and what the table says beside them."""
LANES = (1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 27, 32)
FEW_LANES = (1, 3, 9, 27)
ACCUMULATING = (
    # Bits of weights, inputs, whether inputs are bipolar, lanes, sums
    (1, 1, 1, LANES, (7, 11)),
    (1, 1, 1, (64,), (8, 11)),
    (1, 2, 0, LANES, (8, 13)),
    (2, 1, 1, (1, 2, 3, 4, 6, 8, 12, 16, 27), (7, 12)),
    (2, 2, 0, (1, 2, 3, 4, 6, 8, 9, 12, 16, 24), (8, 13)),
    (1, 8, 0, (1, 2, 3, 4, 6, 8), (13, 17)),
    (2, 8, 0, (1, 2, 3, 4, 8), (14, 18)),
)
AT_ONCE = (
    # Bits of weights, inputs, whether inputs are bipolar, and lanes
    (1, 1, 1, (3, 9)),
    (1, 2, 0, FEW_LANES),
    (2, 1, 1, FEW_LANES),
    (2, 2, 0, (1, 3, 9, 16)),
    (1, 8, 0, (1, 3, 8)),
    (2, 8, 0, (1, 3, 8)),
)
"""Those whose vector comes in one beat: nothing is accumulated, and the sum has the bits that it needs."""


def needed(inputs: int, weight_bits: int, input_bits: int) -> int:
    """Bits of the largest sum, its sign included where there is one."""
    largest = inputs * weight_bits * 2 ** (input_bits - 1)
    return largest.bit_length() + (weight_bits > 1 or input_bits > 1)


def elements() -> Iterator[Row]:
    """Each element with sums of few and of more bits."""
    for weight_bits, input_bits, bipolar, lanes, sums in ACCUMULATING:
        for simd in lanes:
            for sum_bits in sums:
                yield _element(simd, sum_bits, weight_bits, input_bits, bipolar, 1)
    for weight_bits, input_bits, bipolar, lanes in AT_ONCE:
        for simd in lanes:
            yield _element(simd, needed(simd, weight_bits, input_bits), weight_bits, input_bits, bipolar, 0)


def _element(simd: int, sum_bits: int, weight_bits: int, input_bits: int, bipolar: int, accumulates: int) -> Row:
    parameters = {"SIMD": simd, "WEIGHT_BITS": weight_bits, "INPUT_BITS": input_bits, "INPUT_BIPOLAR": bipolar,
                  "INPUT_SIGNED": int(input_bits > 1), "SUM_BITS": sum_bits,
                  "BY_PLACE": int(input_bits == 1 or input_bits * weight_bits <= 4),
                  "ACCUMULATES": accumulates}  # fmt: skip
    return "fat_element", parameters, {}
