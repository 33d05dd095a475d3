"""Bench of the combinational guards: words against `fat_fpga.faults.codes`, clipped values against a comparison."""

from __future__ import annotations

from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cases import case
from cocotb.triggers import Timer

from fat_fpga.faults.codes import code

CASE = case()
ROUNDS = 400
Bits = npt.NDArray[np.uint8]


def packed(bits: Bits) -> int:
    """Bits as a number, the lowest first."""
    return sum(int(bit) << place for place, bit in enumerate(bits.ravel()))


@cocotb.test(skip=CASE["top"] != "fat_word_guard")
async def every_number_of_wrong_bits(dut: Any) -> None:
    """Random words with 0 to 4 wrong bits each; and every single wrong bit."""
    p, rng = CASE["parameters"], np.random.default_rng(CASE["seed"])
    decoder = code("secded" if p["SECDED"] else "parity", p["DATA"])
    stored_bits = decoder.data + decoder.checks
    told_ever = 0
    for turn in range(ROUNDS + stored_bits):
        data = rng.integers(0, 2, (p["WORDS"], decoder.data), np.uint8)
        stored = np.hstack([data, decoder.encode(data)])
        for word in range(p["WORDS"]):
            if turn < stored_bits:
                hit = np.array([turn])
            else:
                hit = rng.choice(stored_bits, min(int(rng.integers(0, 5)), stored_bits), replace=False)
            stored[word, hit] ^= 1
        read, told = decoder.decode(stored)
        if p["ERASE"]:
            read[told] = 0
        dut.stored.value = packed(stored)
        await Timer(1, "ns")
        assert int(dut.data.value) == packed(read), (turn, stored)
        assert int(dut.wrong.value) == packed(told.astype(np.uint8)), (turn, stored)
        told_ever += int(told.sum())
    assert told_ever > 0


@cocotb.test(skip=CASE["top"] != "fat_clip")
async def every_value(dut: Any) -> None:
    """All values of each lane, others beside it."""
    p, rng = CASE["parameters"], np.random.default_rng(CASE["seed"])
    span, clipped = 1 << p["BITS"], 0
    for number in range(min(span, 1 << 12)):
        raw = rng.integers(0, span, p["LANES"])
        raw[number % p["LANES"]] = number if span <= 1 << 12 else rng.integers(0, span)
        values = np.where((raw >= span // 2) & bool(p["SIGNED"]), raw - span, raw)
        wanted = np.where(values > p["BOUND"], 0, raw)
        clipped += int((wanted != raw).sum())
        dut.in_data.value = sum(int(value) << lane * p["BITS"] for lane, value in enumerate(raw))
        await Timer(1, "ns")
        assert int(dut.out_data.value) == sum(int(v) << lane * p["BITS"] for lane, v in enumerate(wanted)), raw
    assert clipped > 0
