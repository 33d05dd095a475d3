"""What a layer costs with measures, as FINN builds it: LUTs, BRAM_18K and DSP slices, and where each figure is from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fat_fpga.errors import PlanError
from fat_fpga.faults.codes import code
from fat_fpga.faults.protection import OnDetect, Protection
from fat_fpga.hardening.costs.finn import FinnModel, arithmetic_of
from fat_fpga.hardening.costs.model import Built
from fat_fpga.hardening.costs.mvau import block_rams
from fat_fpga.hardening.costs.protection import ECC_DATA, ECC_WORDS, built_in
from fat_fpga.hardening.costs.vvau import depthwise_block_rams
from fat_fpga.hardening.design import UnitShape, bits_of
from fat_fpga.hardening.folding import ways
from fat_fpga.hardening.layerwise.measure import Measures
from fat_fpga.luts.clip import clip_luts
from fat_fpga.luts.guard import guard_luts
from fat_fpga.network.folding import Fold

IN_LUTS, IN_BLOCK_RAM = "decoder in LUTs", "ECC of block RAMs"
SOURCES = {
    "code": "decoders: fat_word_guard, synthesised by Yosys for 7-series parts, before placement; check bits: BRAM_18K "
    "of the wider memory by FINN's rule",
    "ecc": "ECC of block RAMs: built in, 512 words of 64 bits in two BRAM_18K (AMD UG473, UG573)",
    "tmr": "three copies: FINN's estimate of the unit with three times the channels; voters by a model fitted to "
    "synthesised ones",
    "clip": "clipped activations: fat_clip, synthesised by Yosys for 7-series parts, before placement",
}


@dataclass(frozen=True)
class Price:
    """One way to build a layer.

    Attributes:
        built: its folding.
        how: where its code is decoded; empty without one.
    """

    luts: int
    bram_18k: int
    dsp: int
    built: Built
    how: str = ""

    @property
    def uses(self) -> tuple[int, int, int]:
        """LUTs, BRAM_18K, DSP slices."""
        return self.luts, self.bram_18k, self.dsp


def prices(
    measures: Measures, unit: UnitShape, fold: Fold, model: FinnModel, cycles: int, protection: Protection | None
) -> list[Price]:
    """Every way to build a layer with these measures that no other one beats, the fewest LUTs first.

    Args:
        fold: PEs and SIMD lanes without copies.
        cycles: most for an image; a layer without copies keeps its folding.
        protection: the code, where the measures have one.
    """
    assert fold.simd is not None
    plain = Built(unit, 0, fold.pe, fold.simd)
    built = [one for one in ways(unit, fold.simd, unit.channels) if one.cycles <= cycles] if measures.tmr else [plain]
    found = []
    for one in built:
        needed = model.resources(one)
        luts, bram, dsp = round(model.price(one)), round(needed["BRAM_18K"]), round(needed["DSP"])
        if measures.clip and unit.bits:
            luts += clip_luts(one.lanes_out, unit.bits)
        if protection is None:
            found.append(Price(luts, bram, dsp, one))
            continue
        more, coded, internal = _coded(one, protection)
        found.append(Price(luts + more, coded, dsp, one, IN_LUTS))
        if internal is not None:
            found.append(Price(luts, internal, dsp, one, IN_BLOCK_RAM))
    return undominated(found)


def undominated(found: Sequence[Price]) -> list[Price]:
    """Those than which none is better in one figure and as good in the others; the first of equals."""
    kept: list[Price] = []
    for one in sorted(found, key=lambda price: price.uses):
        if not any(all(a <= b for a, b in zip(other.uses, one.uses, strict=True)) for other in kept):
            kept.append(one)
    return kept


def _coded(built: Built, protection: Protection) -> tuple[int, int, int | None]:
    """LUTs of decoders, BRAM_18K of the memory with check bits, and those with the ECC of block RAMs if it is that.

    A word of the code is a part of what is read in a cycle, whole weights, as many as the code has room for: decoders
    need no state. Where fewer bits are read in a cycle than a word has, words are as short as that.
    """
    weight = bits_of(arithmetic_of(built.unit).weight)
    if protection.data < weight:
        raise PlanError(f"{built.unit.name} has weights of {weight} bits, more than a word of {protection}")
    lanes = built.pe * built.simd
    values = min(protection.data // weight, lanes)
    words = -(-lanes // values)
    decoder = code(protection.code, values * weight)
    depth, width = built.unit.built_inputs * built.rows // lanes, lanes * weight
    erase = protection.detected is OnDetect.ERASE
    luts = words * guard_luts(protection.code, values * weight, erase)
    count = depthwise_block_rams if built.unit.depthwise else block_rams
    bram = count(depth, width + words * decoder.checks)
    if erase or not built_in(protection):
        return luts, bram, None
    return luts, bram, 2 * -(-width // ECC_DATA) * -(-depth // ECC_WORDS)
