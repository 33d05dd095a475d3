"""FINN's estimate of a matrix-vector unit as formulas, for any sizes, datatypes and folding.

The formulas are those that FINN documents for its ``MVAU_hls``: the cost model of FINN-R (Blott et al. 2018,
arXiv:1809.04570) with its measured constants, the bound of the accumulator by datatypes (Colbert et al. 2023,
arXiv:2301.13376), and the shapes of a RAMB18 (AMD UG573, table 1-10). Multiplications are in LUTs, weights in block
RAM, thresholds in what FINN does not count: its defaults. With Q SIMD lanes, P PEs, W bits of a weight and A of an
input

    LUT = 300 + 1.1 x P x (Q (2 ceil((W + A) / 6) - 1) (W + A)  +  (W + A) (2 Q - 1)  +  bits of the accumulator)

for products, adders and accumulators. Tests compare it with FINN node by node: it is equal, not near.
"""

from __future__ import annotations

from fat_fpga.hardening.costs.estimate import Arithmetic, Estimate
from fat_fpga.hardening.design import bits_of
from fat_fpga.network.datatypes import span_of

BASE, SCALE = 300, 1.1
"""Constants of the cost model."""

RAMB18 = ((1, 16384), (2, 8192), (4, 4096), (9, 2048), (18, 1024), (36, 512))
"""Width in bits and depth in words of a block RAM of 18 Kbit."""


PIXEL_BITS = 8
"""Width of inputs from which on weights of -1 and +1 are two bits wide, as FINN makes them."""


def one_bit(weight: str, input_bits: int) -> bool:
    """Whether a unit that does not count bits keeps its weights in one bit.

    FINN makes all of them INT2. The units that read pixels are left so: its published figures are of that.
    """
    return weight == "BIPOLAR" and input_bits < PIXEL_BITS


def formula(what: Arithmetic, rows: int, pe: int, simd: int) -> Estimate:
    """The estimate of a unit that computes in LUTs.

    Args:
        rows: output channels, copies included; ``pe`` divides them.
        simd: SIMD lanes; divides ``what.inputs``.
    """
    weight = bits_of(what.weight)
    both = weight + bits_of(what.input)
    products = simd * (2 * -(-both // 6) - 1) * both
    adders = both * (2 * simd - 1)
    lut = int(BASE + SCALE * (pe * (products + adders + accumulator_bits(what))))
    return Estimate(lut, block_rams(what.inputs * rows // (simd * pe), simd * weight * pe), 0)


def on_dsps(what: Arithmetic, rows: int, pe: int, simd: int) -> Estimate:
    """The estimate of a unit that FINN builds from DSP slices (``MVAU_rtl``): no LUTs, four PEs share a slice."""
    return Estimate(0, formula(what, rows, pe, simd).bram_18k, -(-pe // 4) * simd)


def accumulator_bits(what: Arithmetic) -> int:
    """Bits of the accumulator: as given, or the bound by datatypes where that is less.

    With n = W + A - 1 (less 1 for signed inputs) sums of MW products are at most MW x 2^n in magnitude.
    """
    low, _ = span_of(what.input) or (0, 0)
    most = what.inputs << (bits_of(what.weight) + bits_of(what.input) - 1 - (low < 0))
    return min(bits_of(what.accumulator), most.bit_length() + 1)


def block_rams(words: int, width: int) -> int:
    """RAMB18s of a memory: of the narrowest shape that holds a word, at most 18 bits wide beyond 512 words."""
    widths = [shape for shape in RAMB18 if shape[0] >= width]
    wide, deep = widths[0] if widths else RAMB18[-1]
    if width > 18 and words > 512:
        wide, deep = RAMB18[-2]
    return -(-words // deep) * -(-width // wide)
