"""Bench of many units at once, each against the reference engine beat by beat, under every kind of pause."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from bus import Registers, clock_on, quiet, receive, send, watch
from cases import case
from cocotb.utils import get_sim_time
from units import Tested, changed, units_of

CASE = case()
TESTS = units_of(CASE)
PAUSES = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.3, 0.3), (0.8, 0.1)]


class View:
    """The ports of one unit, under the names that all blocks have."""

    def __init__(self, dut: Any, number: int) -> None:
        self._dut, self._prefix = dut, f"u{number}_"
        self.clk = dut.clk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dut, self._prefix + name)


async def start(dut: Any) -> list[View]:
    views = [View(dut, number) for number in range(len(TESTS))]
    for view, test in zip(views, TESTS, strict=True):
        quiet(view, bool(test.address_bits))
    await clock_on(dut)
    for view, test in zip(views, TESTS, strict=True):
        if test.address_bits:
            watch(view)
    return views


async def passes(view: View, test: Tested, wanted: list[int], pauses: tuple[float, float], seed: int) -> None:
    sender = cocotb.start_soon(send(view, test.sent, pauses[0], random.Random(seed)))
    found = await receive(view, len(wanted), pauses[1], random.Random(seed + 1))
    assert found == wanted, f"{test.module} {test.parameters}"
    await sender


@cocotb.test()
async def every_beat(dut: Any) -> None:
    """Each unit with pauses of its own, frames one behind the other; the second time with other pauses."""
    views = await start(dut)
    for turn in range(3):
        running = [
            cocotb.start_soon(
                passes(view, test, test.wanted, PAUSES[(n + turn) % len(PAUSES)], CASE["seed"] + n + turn)
            )
            for n, (view, test) in enumerate(zip(views, TESTS, strict=True))
        ]
        for one in running:
            await one


@cocotb.test()
async def no_bubbles(dut: Any) -> None:
    """As many cycles as the folding says, and a few for the pipeline."""
    views = await start(dut)

    async def timed(view: View, test: Tested) -> None:
        begun = get_sim_time("ns")
        await passes(view, test, test.wanted, (0.0, 0.0), 0)
        taken = round((get_sim_time("ns") - begun) / 10)
        if test.unit is not None:
            fold, layer = test.unit.fold, test.unit.layer
            least = len(test.vectors) * (test.unit.inputs // fold.simd) * (layer.channels // fold.pe)
            assert least <= taken <= max(least, len(test.sent)) + 8, f"{test.parameters}"
        elif test.module != "fat_window":
            assert taken <= max(len(test.sent), len(test.wanted)) + 8, f"{test.module} {test.parameters}"

    for one in [cocotb.start_soon(timed(view, test)) for view, test in zip(views, TESTS, strict=True)]:
        await one


async def rewritten(view: View, test: Tested, seed: int) -> None:
    """Read the memories, write others, and see them act; words that do not exist and part writes change nothing."""
    unit = test.unit
    assert unit is not None
    rng = np.random.default_rng(seed)
    bus = Registers(view, random.Random(seed))
    half = 1 << test.address_bits - 1
    weights, thresholds, wanted = changed(test, rng)
    (built, *_) = test.files.values()
    parts = -(-built.shape[1] // 32)
    stride = 1 << (parts - 1).bit_length()
    for word in range(len(built)):
        for part in range(parts):
            address = half + 4 * (word * stride + part)
            if rng.random() < 0.2:
                assert await bus.read(address) == number(built[word], part)
            await bus.write(address, number(weights[word], part))
            if rng.random() < 0.2:
                await bus.write(address, 0xFFFFFFFF, strobe=0b0111)
                assert await bus.read(address) == number(weights[word], part)
    if unit.thresholds is not None:
        lanes, count = unit.fold.pe, unit.thresholds.shape[1]
        lane_bits, index_bits = (lanes - 1).bit_length(), (count - 1).bit_length()
        low = 0xFFFFFFFF if not unit.counting else (1 << unit.sum_bits) - 1
        for channel in range(len(thresholds)):
            for index in range(count):
                address = 4 * ((((channel // lanes) << lane_bits) + channel % lanes << index_bits) + index)
                if rng.random() < 0.3:
                    assert await bus.read(address) == int(unit.thresholds[channel, index]) & low
                await bus.write(address, int(thresholds[channel, index]) & 0xFFFFFFFF)
                if rng.random() < 0.3:
                    assert await bus.read(address) == int(thresholds[channel, index]) & low
    elif half > 4:
        await bus.write(0, 5)
        assert await bus.read(0) == 0
    await passes(view, test, wanted, (0.2, 0.2), seed)


def number(word: Any, part: int) -> int:
    """32 bits of a word that is given as bits."""
    bits = word[32 * part : 32 * part + 32]
    return int(sum(int(bit) << n for n, bit in enumerate(bits)))


@cocotb.test(skip=CASE["kind"] != "matrix")
async def other_memories(dut: Any) -> None:
    views = await start(dut)
    running = [
        cocotb.start_soon(rewritten(view, test, CASE["seed"] + n))
        for n, (view, test) in enumerate(zip(views, TESTS, strict=True))
    ]
    for one in running:
        await one
