"""Bench of fat_checksum: what its registers hold against `fat_fpga.checksums`, whatever the stream does."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from bus import Registers, receive, send, start
from cases import Words, case, words_of
from cocotb.triggers import ReadOnly, RisingEdge
from cocotb.utils import get_sim_time

from fat_fpga.board.checksum import digest
from fat_fpga.board.registers import CHECKSUM
from fat_fpga.checksums import register_word

CASE = case()
WORDS: Words = words_of(CASE)
BEATS = [WORDS.beats(frame) for frame in WORDS.frames]
SUMS = WORDS.checksums()
OFFSET = {register.name: register.offset for register in CHECKSUM.registers}
CLEAR = CHECKSUM["CONTROL"].mask("CLEAR")
PAUSES = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.4, 0.4), (0.8, 0.1)]


def stages() -> int:
    """Levels of four that add a third of the lanes up."""
    left, levels = -(-WORDS.lanes // 3), 0
    while left > 1:
        left, levels = -(-left // 4), levels + 1
    return levels


async def passes(dut: Any, frames: list[int], pauses: tuple[float, float], seed: int) -> None:
    """Send frames by number; what comes out must be what goes in."""
    beats = [beat for number in frames for beat in BEATS[number]]
    sender = cocotb.start_soon(send(dut, beats, pauses[0], random.Random(seed)))
    assert await receive(dut, len(beats), pauses[1], random.Random(seed + 1)) == beats
    await sender


async def holds(bus: Registers, sums: list[int], frames: int | None = None) -> None:
    """As soon as STATUS says so, the registers must be right for frames with these checksums since CLEAR."""
    while await bus.read(OFFSET["STATUS"]):
        pass
    counted = len(sums) if frames is None else frames
    assert await bus.read(OFFSET["FRAMES"]) == counted
    assert await bus.read(OFFSET["CHECKSUM"]) == (register_word(sums[-1], counted - 1) if sums else 0)
    assert await bus.read(OFFSET["DIGEST"]) == digest(sums)


@cocotb.test()
async def every_register(dut: Any) -> None:
    await start(dut)
    bus = Registers(dut, random.Random(CASE["seed"]))
    fixed = {
        "ID": CHECKSUM.identity,
        "VERSION": CHECKSUM.version,
        "LANES": WORDS.lanes,
        "BEATS": len(BEATS[0]),
        "BITS": WORDS.bits,
    }
    for register in CHECKSUM.registers:
        assert await bus.read(register.offset) == fixed.get(register.name, 0), register
        await bus.write(register.offset, 0xFFFFFFFF)
        assert await bus.read(register.offset) == fixed.get(register.name, 0), register
    assert set(fixed) | {"CONTROL", "CHECKSUM", "FRAMES", "DIGEST", "STATUS"} == set(OFFSET)
    for offset in (OFFSET["CONTROL"] - 4, max(OFFSET.values()) + 4):
        await bus.write(offset, 0xFFFFFFFF)
        assert await bus.read(offset) == 0
    await passes(dut, [0], (0.0, 0.0), 0)
    await holds(bus, SUMS[:1])
    await bus.write(OFFSET["CONTROL"], CLEAR, strobe=0b0111)  # not a whole word
    await bus.write(OFFSET["CONTROL"], ~CLEAR & 0xFFFFFFFF)
    await bus.write(OFFSET["FRAMES"], CLEAR)
    await holds(bus, SUMS[:1])
    await bus.write(OFFSET["CONTROL"], CLEAR)
    await holds(bus, [])


@cocotb.test()
async def every_frame(dut: Any) -> None:
    """Frame by frame, under every kind of pause."""
    await start(dut)
    bus = Registers(dut)
    sums: list[int] = []
    for turn, pauses in enumerate(PAUSES):
        for number, value in enumerate(SUMS):
            await passes(dut, [number], pauses, CASE["seed"] + 100 * turn + number)
            sums.append(value)
            await holds(bus, sums)


@cocotb.test()
async def no_bubbles(dut: Any) -> None:
    """Frames one behind the other, a beat a cycle and no cycle more; the index passes 256."""
    await start(dut)
    bus = Registers(dut)
    order = [number % len(SUMS) for number in range(260 if len(BEATS[0]) < 10 else 12)]
    begun = get_sim_time("ns")
    await passes(dut, order, (0.0, 0.0), 0)
    assert round((get_sim_time("ns") - begun) / 10) == len(order) * len(BEATS[0])
    await holds(bus, [SUMS[number] for number in order])


@cocotb.test()
async def status_lasts_as_long_as_the_sum(dut: Any) -> None:
    await start(dut)
    bus = Registers(dut)
    if len(BEATS[0]) > 1:
        receiver = cocotb.start_soon(receive(dut, 1, 0.0, random.Random(0)))
        await send(dut, BEATS[0][:1], 0.0, random.Random(0))
        await receiver
        for _ in range(3):
            assert await bus.read(OFFSET["STATUS"]) == CHECKSUM["STATUS"].mask("IN_FRAME")
        assert await bus.read(OFFSET["FRAMES"]) == 0
    first = 1 if len(BEATS[0]) > 1 else 0
    receiver = cocotb.start_soon(receive(dut, len(BEATS[0]) - first, 0.0, random.Random(0)))
    await send(dut, BEATS[0][first:], 0.0, random.Random(0))
    await receiver
    behind = 0  # cycles behind that of the last beat
    while True:
        await ReadOnly()
        behind += 1
        if not int(dut.in_frame.value):
            break
        await RisingEdge(dut.clk)
    assert behind == stages() + 5
    assert int(dut.digest_reg.value) == digest(SUMS[:1])
    await RisingEdge(dut.clk)
    await holds(bus, SUMS[:1])


async def note_ends(dut: Any, ends: list[int], clears: list[int]) -> None:
    """Cycles in which frames end and in which they are cleared, from now on."""
    cycle, beats = 0, 0
    while True:
        await ReadOnly()
        if int(dut.s_axis_tvalid.value) and int(dut.s_axis_tready.value):
            beats += 1
            if beats % len(BEATS[0]) == 0:
                ends.append(cycle)
        if int(dut.clear.value):
            clears.append(cycle)
        cycle += 1
        await RisingEdge(dut.clk)


@cocotb.test()
async def cleared_at_any_moment(dut: Any) -> None:
    """What ended before CLEAR is gone, also where its sum is still on its way; what ends later counts whole."""
    await start(dut)
    chance = random.Random(CASE["seed"])
    bus = Registers(dut)
    ties = 0
    for turn in range(40):
        ends: list[int] = []
        clears: list[int] = []
        watch = cocotb.start_soon(note_ends(dut, ends, clears))
        order = [chance.randrange(len(SUMS)) for _ in range(4)]
        sender = cocotb.start_soon(passes(dut, order, PAUSES[turn % len(PAUSES)], turn))
        for _ in range(chance.randrange(2 * len(BEATS[0]) + 8)):
            await RisingEdge(dut.clk)
        await bus.write(OFFSET["CONTROL"], CLEAR)
        await sender
        while await bus.read(OFFSET["STATUS"]):
            pass
        watch.cancel()
        assert len(ends) == len(order)
        assert len(clears) == 1
        kept = [SUMS[number] for number, end in zip(order, ends, strict=True) if end >= clears[0]]
        ties += clears[0] in ends
        await holds(bus, kept)
    assert ties or len(BEATS[0]) > 4, "no frame ended in the cycle of a clear: take another seed"


@cocotb.test()
async def frames_stop(dut: Any) -> None:
    """FRAMES stays at its largest value; checksum and digest go on."""
    await start(dut)
    bus = Registers(dut)
    dut.frames_reg.value = 0xFFFFFFFE
    await RisingEdge(dut.clk)
    for turn in range(1, 4):
        await passes(dut, [turn % len(SUMS)], (0.1, 0.1), turn)
        await holds(bus, [SUMS[number % len(SUMS)] for number in range(1, turn + 1)], 0xFFFFFFFF)
    await bus.write(OFFSET["CONTROL"], CLEAR)
    await holds(bus, [])


@cocotb.test()
async def reset_within_a_frame(dut: Any) -> None:
    """The next beat is the first one of a frame, and nothing is left of what was."""
    await start(dut)
    bus = Registers(dut)
    await passes(dut, [0], (0.0, 0.0), 0)
    part = BEATS[0][: len(BEATS[0]) // 2 + 1]
    receiver = cocotb.start_soon(receive(dut, len(part), 0.0, random.Random(0)))
    await send(dut, part, 0.0, random.Random(0))
    await receiver
    dut.rst.value = 1
    await RisingEdge(dut.clk)
    dut.rst.value = 0
    await RisingEdge(dut.clk)
    await holds(bus, [])
    order = list(np.random.default_rng(CASE["seed"]).permutation(len(SUMS)))
    await passes(dut, order, (0.2, 0.2), 3)
    await holds(bus, [SUMS[number] for number in order])
