"""What FINN's estimates of a unit depend on, and what they say."""

from __future__ import annotations

from typing import NamedTuple


class Estimate(NamedTuple):
    """FINN's estimate of one unit."""

    lut: int
    bram_18k: int
    dsp: int


class Arithmetic(NamedTuple):
    """What FINN's estimates depend on beside rows, PEs and SIMD lanes. Types are QONNX datatypes.

    Attributes:
        inputs: FINN's MW.
        xnor: weights and activations of one bit, multiplied by XNOR.
        accumulator: ``INT32`` where FINN is left to bound it by the types.
    """

    inputs: int
    xnor: bool
    weight: str
    input: str
    accumulator: str
    output: str
