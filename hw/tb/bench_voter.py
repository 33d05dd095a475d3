"""Bench of fat_voter: votes against the reference engine, beat by beat, and counters against the streams."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from bus import Registers, receive, send, start
from cases import FRAMES, Vote, case, to_integers, vote_of
from cocotb.triggers import RisingEdge
from cocotb.utils import get_sim_time

from fat_fpga.board.registers import COPIES_SHIFT, VOTER
from fat_fpga.board.voter import signature, triplets
from fat_fpga.engines.reference import output
from fat_fpga.faults import Fault
from fat_fpga.network import MajorityVote
from fat_fpga.network.layers import IntArray

CASE = case()
VOTE: Vote = vote_of(CASE["seed"], CASE["structure"])
FRONT = VOTE.front
TRIPLETS = triplets(VOTE.sources)
MAXIMUM = (1 << CASE["count_bits"]) - 1
CONTROL, MODE = VOTER["CONTROL"], VOTER["MODE"]


def entries(physical: IntArray, start_from: list[int] | None = None) -> list[int]:
    """What the counters hold after these frames [N, C', H, W], counted on from earlier entries."""
    found = list(start_from or [0] * len(TRIPLETS))
    copies = physical[:, VOTE.sources[TRIPLETS]]  # [N, T, 3, H, W]
    a, b, c = copies.swapaxes(0, 2)
    majority = (a & b | a & c | b & c)[None]
    differs = (copies.swapaxes(0, 2) != majority).transpose(1, 0, 2, 3, 4)  # [T, 3, N, H, W]
    for t, differing in enumerate(differs):
        count = (found[t] & MAXIMUM) + int(differing.any(axis=0).sum())
        flags = found[t] >> COPIES_SHIFT | sum(int(differing[k].any()) << k for k in range(3))
        found[t] = flags << COPIES_SHIFT | min(count, MAXIMUM)
    return found


async def judge(dut: Any, physical: IntArray, expected: IntArray, pauses: tuple[float, float], seed: int) -> None:
    beats, wanted = to_integers(FRONT.layout, physical), to_integers(VOTE.behind, expected)
    cocotb.start_soon(send(dut, beats, pauses[0], random.Random(seed)))
    assert await receive(dut, len(wanted), pauses[1], random.Random(seed + 1)) == wanted


async def read_entries(bus: Registers) -> list[int]:
    assert VOTER.window is not None
    return [await bus.read(VOTER.window + 4 * t) for t in range(len(TRIPLETS))]


def noise(rng: np.random.Generator) -> IntArray:
    """Physical channels that hold any words that fit."""
    register = FRONT.layout.register
    low, high = register.span
    values = np.arange(low, high + 1, register.step, dtype=np.int32)
    return rng.choice(values, FRONT.values([]).shape)


def voted(physical: IntArray) -> IntArray:
    return output(MajorityVote("any", VOTE.sources), physical, ())


@cocotb.test()
async def every_register(dut: Any) -> None:
    await start(dut)
    bus = Registers(dut, random.Random(CASE["seed"]))
    fixed = {
        "ID": VOTER.identity,
        "VERSION": VOTER.version,
        "CHANNELS": VOTE.behind.channels,
        "ROWS": FRONT.layout.channels,
        "LANES_IN": FRONT.layout.lanes,
        "LANES_OUT": VOTE.behind.lanes,
        "BITS": FRONT.layout.register.bits,
        "TRIPLETS": len(TRIPLETS),
        "COUNT_BITS": CASE["count_bits"],
        "SIGNATURE": signature(VOTE.sources),
    }
    for register in VOTER.registers:
        assert await bus.read(register.offset) == fixed.get(register.name, 0), register
        await bus.write(register.offset, 0xFFFFFFFF)
        await bus.write(register.offset, 0, strobe=0b0001)  # not a whole word
        after = 1 if register.name == "MODE" else fixed.get(register.name, 0)
        assert await bus.read(register.offset) == after, register
    await bus.write(MODE.offset, 0)
    assert await bus.read(MODE.offset) == 0
    assert set(fixed) | {"CONTROL", "MODE", "DISAGREEMENTS"} == {register.name for register in VOTER.registers}
    assert VOTER.window is not None
    assert await bus.read(VOTER.window - 4) == 0
    assert await read_entries(bus) == [0] * len(TRIPLETS)
    assert await bus.read(VOTER.window + 4 * max(len(TRIPLETS), 1)) == 0


@cocotb.test()
async def faulty_copies(dut: Any) -> None:
    """A stuck copy changes nothing behind the voter, and is named; two of a triplet win against the third."""
    rng = np.random.default_rng(CASE["seed"])
    await start(dut)
    bus = Registers(dut)
    values = list(FRONT.place.levels or ())
    golden = FRONT.values([], VOTE.vote)
    unprotected = [int(a) for a, b, _ in VOTE.sources if a == b]
    for turn in range(8):
        rows = [int(rng.integers(FRONT.layout.channels))]
        if TRIPLETS and turn % 4 != 3:
            triplet = VOTE.sources[TRIPLETS[int(rng.integers(len(TRIPLETS)))]]
            rows = rng.permutation(triplet)[: 2 if turn % 4 == 2 else 1].tolist()
        faults = [Fault(FRONT.place.name, "channel", (row,), int(rng.choice(values))) for row in rows]
        physical = FRONT.values([*faults])
        expected = FRONT.values([*faults], VOTE.vote)
        if len(rows) == 1 and rows[0] not in unprotected:
            assert np.array_equal(expected, golden)
        await bus.write(CONTROL.offset, CONTROL.mask("CLEAR"))
        await judge(dut, physical, expected, [(0.0, 0.0), (0.5, 0.1), (0.1, 0.6), (0.4, 0.4)][turn % 4], turn)
        found = await read_entries(bus)
        assert found == entries(physical)
        if len(rows) == 1:  # only this copy is ever named
            for channel, entry in zip(TRIPLETS, found, strict=True):
                named = [int(VOTE.sources[channel, k]) for k in range(3) if entry >> COPIES_SHIFT + k & 1]
                assert named in ([], rows)
        assert bool(await bus.read(VOTER["DISAGREEMENTS"].offset)) == any(found)


@cocotb.test()
async def any_words(dut: Any) -> None:
    """Random words in all copies: the vote is bitwise; counters add up and stop."""
    rng = np.random.default_rng(CASE["seed"])
    await start(dut)
    bus = Registers(dut)
    held = [0] * len(TRIPLETS)
    for turn in range(4):
        physical = noise(rng)
        await judge(dut, physical, voted(physical), (0.2 * turn, 0.1 * turn), turn)
        held = entries(physical, held)
        assert await read_entries(bus) == held
    await bus.write(CONTROL.offset, CONTROL.mask("CLEAR"))
    assert await read_entries(bus) == [0] * len(TRIPLETS)
    assert await bus.read(VOTER["DISAGREEMENTS"].offset) == 0


@cocotb.test()
async def clear_on_read(dut: Any) -> None:
    """Each entry is given once; what comes while entries are read and cleared is not lost."""
    rng = np.random.default_rng(CASE["seed"])
    await start(dut)
    bus = Registers(dut)
    await bus.write(MODE.offset, MODE.mask("CLEAR_ON_READ"))
    physical = noise(rng)
    await judge(dut, physical, voted(physical), (0.0, 0.0), 1)
    assert await read_entries(bus) == entries(physical)
    assert await read_entries(bus) == [0] * len(TRIPLETS)
    physical = noise(rng)
    judging = cocotb.start_soon(judge(dut, physical, voted(physical), (0.3, 0.3), 2))
    flags = [0] * len(TRIPLETS)
    counts = [0] * len(TRIPLETS)
    while True:
        last = judging.done()
        for t, entry in enumerate(await read_entries(bus)):
            flags[t] |= entry >> COPIES_SHIFT
            counts[t] += entry & MAXIMUM
        if last or not TRIPLETS:
            break
    await judging
    for t, entry in enumerate(entries(physical)):
        assert flags[t] == entry >> COPIES_SHIFT
        assert counts[t] >= entry & MAXIMUM  # a counter that stops holds less than the sum of its parts
    # the clear command, in each cycle of a pixel that disagrees
    await bus.write(MODE.offset, 0)
    judging = cocotb.start_soon(judge(dut, physical, voted(physical), (0.0, 0.0), 3))
    while not judging.done():
        await bus.write(CONTROL.offset, CONTROL.mask("CLEAR"))
    await judging


@cocotb.test()
async def full_rate(dut: Any) -> None:
    """A pixel takes as many cycles as the side with more beats."""
    await start(dut)
    physical = FRONT.values([])
    begun = get_sim_time("ns")
    await judge(dut, physical, FRONT.values([], VOTE.vote), (0.0, 0.0), 0)
    cycles = round((get_sim_time("ns") - begun) / 10)
    pixels = FRAMES * VOTE.behind.height * VOTE.behind.width
    a_pixel = max(FRONT.layout.folds, VOTE.behind.folds)
    first = min(FRONT.layout.folds, VOTE.behind.folds)  # filling before, or emptying behind
    assert cycles <= pixels * a_pixel + first + 1 + CASE["register"]


@cocotb.test()
async def counters_stop(dut: Any) -> None:
    await start(dut)
    bus = Registers(dut)
    dut.disagreements_reg.value = 0xFFFFFFFE
    await RisingEdge(dut.clk)
    physical = noise(np.random.default_rng(1))
    for _ in range(3):
        await judge(dut, physical, voted(physical), (0.0, 0.0), 0)
    assert await bus.read(VOTER["DISAGREEMENTS"].offset) == (0xFFFFFFFF if TRIPLETS else 0xFFFFFFFE)


@cocotb.test(skip=CASE["structure"] != "whole")
async def fault_in_the_voter(dut: Any) -> None:
    """The voter's own register is not protected: an upset there comes out, in that value alone, and is not counted."""
    await start(dut)
    bus = Registers(dut)
    values = FRONT.values([])
    golden = to_integers(VOTE.behind, FRONT.values([], VOTE.vote))
    sending = cocotb.start_soon(send(dut, to_integers(FRONT.layout, values), 0.0, random.Random(0)))
    while not int(dut.collected.send_valid_reg.value):
        await RisingEdge(dut.clk)
    for _ in range(4):  # everything stalls, as nobody takes a beat
        await RisingEdge(dut.clk)
    for _ in range(FRONT.layout.folds):
        await RisingEdge(dut.clk)
    dut.collected.send_data_reg.value = int(dut.collected.send_data_reg.value) ^ 1
    await RisingEdge(dut.clk)
    received = await receive(dut, len(golden), 0.2, random.Random(1))
    await sending
    different = [i for i, (a, b) in enumerate(zip(received, golden, strict=True)) if a != b]
    assert len(different) == 1
    assert received[different[0]] == golden[different[0]] ^ 1
    assert await bus.read(VOTER["DISAGREEMENTS"].offset) == 0
