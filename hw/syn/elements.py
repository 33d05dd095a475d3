"""Processing elements of ``fat_mvtu`` that are synthesised alone (``element.sv``), many sizes in one run of Yosys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("element.sv")
LANES = (1, 2, 3, 4, 6, 8, 9, 16, 18, 27, 32)
ACCUMULATING = (
    # Bits of weights, inputs, whether inputs are bipolar, lanes, sums
    (1, 1, 1, LANES, (7, 11)),
    (1, 1, 1, (64,), (8, 11)),
    (1, 2, 0, LANES, (8, 13)),
    (2, 1, 1, (1, 2, 3, 4, 8, 16, 27), (7, 12)),
    (2, 2, 0, (1, 2, 3, 4, 6, 8, 9, 16, 24), (8, 13)),
    (1, 8, 0, (1, 2, 3, 4, 8), (13, 17)),
)
AT_ONCE = (
    # Lanes, bits of sums, weights, inputs, whether inputs are bipolar
    (3, 4, 1, 1, 1),
    (9, 5, 1, 1, 1),
    (27, 6, 1, 1, 1),
    (1, 8, 1, 2, 0),
    (3, 8, 1, 2, 0),
    (8, 8, 1, 2, 0),
    (27, 7, 1, 2, 0),
    (3, 6, 2, 1, 1),
    (27, 7, 2, 1, 1),
    (9, 7, 2, 2, 0),
    (16, 8, 2, 2, 0),
    (3, 12, 1, 8, 0),
)
"""Those whose vector comes in one beat: nothing is accumulated."""


def elements() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Each size with sums of few and of more bits."""
    for weight_bits, input_bits, bipolar, lanes, sums in ACCUMULATING:
        for simd in lanes:
            for sum_bits in sums:
                yield _element(simd, sum_bits, weight_bits, input_bits, bipolar, 1)
    for simd, sum_bits, weight_bits, input_bits, bipolar in AT_ONCE:
        yield _element(simd, sum_bits, weight_bits, input_bits, bipolar, 0)


def _element(
    simd: int, sum_bits: int, weight_bits: int, input_bits: int, bipolar: int, accumulates: int
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    parameters = {"SIMD": simd, "WEIGHT_BITS": weight_bits, "INPUT_BITS": input_bits, "INPUT_BIPOLAR": bipolar,
                  "SUM_BITS": sum_bits, "ACCUMULATES": accumulates}  # fmt: skip
    return "element", parameters, {}


def script(sets: Sequence[str], folder: str) -> str:
    """Reads an element for each of these settings and names them ``set0``, ``set1``, ...

    Args:
        folder: of the element's source, as Yosys sees it.
    """
    made = [
        f"read_verilog -sv {folder}/{SOURCE.name} fat_dot.sv; chparam {own} element; "
        f"hierarchy -top element; proc; flatten; rename -top set{number}; design -stash kept{number}; design -reset"
        for number, own in enumerate(sets)
    ]
    copied = [f"design -copy-from kept{number} -as set{number} set{number}" for number in range(len(sets))]
    return "\n".join([*made, *copied, "setattr -mod -unset top *"]) + "\n"
