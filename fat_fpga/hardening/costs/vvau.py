"""FINN's estimate of a depthwise unit as formulas: its ``VVAU_hls``, with multiplications in LUTs, its defaults.

With Q SIMD lanes (places of the kernel), P PEs (channels), W bits of a weight, A of an input and O of an output

    LUT = 300 + 1.1 x P x (Q (2 ceil((W + A) / 6) - 1) (W + A)  +  (W + A) (2 Q - 1)  +  acc
                           +  (2^O - 1) acc (1 + rows / (64 P)))

for products, adders, the accumulator of ``acc`` bits, and thresholds with their comparators, which FINN counts here and
does not for other units. Tests compare it with FINN: it is equal.
"""

from __future__ import annotations

from fat_fpga.hardening.costs.estimate import Arithmetic, Estimate
from fat_fpga.hardening.costs.mvau import BASE, SCALE, accumulator_bits
from fat_fpga.hardening.design import bits_of

SHALLOW = 128
"""Words of a memory that FINN leaves to LUTs."""


def depthwise(what: Arithmetic, rows: int, pe: int, simd: int) -> Estimate:
    """The estimate of a depthwise unit.

    Args:
        what: ``inputs`` are the places of its kernel.
        rows: channels, copies included; ``pe`` divides them.
        simd: divides the places of the kernel.
    """
    weight, levels = bits_of(what.weight), 2 ** bits_of(what.output) - 1
    both, accumulator = weight + bits_of(what.input), accumulator_bits(what)
    products = simd * (2 * -(-both // 6) - 1) * both
    adders = both * (2 * simd - 1)
    thresholds = levels * accumulator * (rows // pe) / 64 + levels * accumulator
    lut = int(BASE + SCALE * (pe * (products + adders + accumulator + thresholds)))
    return Estimate(lut, depthwise_block_rams(what.inputs * rows // pe // simd, simd * weight * pe), 0)


def depthwise_block_rams(words: int, width: int) -> int:
    """RAMB18s of the weights."""
    if words <= SHALLOW:
        return 0
    if width <= 2:
        return -(-words // (16384 // width))
    if width <= 4:
        return -(-words // 4096) * -(-width // 4)
    if width <= 9:
        return -(-words // 2048) * -(-width // 8)
    if width <= 18 or words > 512:
        return -(-words // 1024) * -(-width // 16)
    return -(-words // 512) * -(-width // 32)
