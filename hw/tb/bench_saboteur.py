"""Bench of fat_saboteur: each mode against the reference engine, beat by beat."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import cocotb
import numpy as np
from bus import Registers, receive, send, start
from cases import FRAMES, Stream, case, stream_of
from cocotb.triggers import ReadOnly, RisingEdge
from cocotb.utils import get_sim_time

from fat_fpga.board.registers import SABOTEUR, SETTINGS, Mode
from fat_fpga.board.saboteur import NO_FAULT, settings, signature

CASE = case()
STREAM: Stream = stream_of(CASE["seed"], CASE["lanes"])
REGISTER = SABOTEUR.__getitem__
KINDS = ("channel", "pixel", "element", "pe")
COMMANDS = SABOTEUR["CONTROL"].mask
SIZES = {
    "MODE": 32,
    "LANE": STREAM.layout.lanes,
    "FOLD": STREAM.layout.folds,
    "ROW": STREAM.layout.height,
    "COLUMN": STREAM.layout.width,
    "VALUE": 1 << STREAM.layout.register.bits,
}
"""How many values each setting can have."""
MASKS = {name: (1 << max((size - 1).bit_length(), 1)) - 1 for name, size in SIZES.items()}


async def get(bus: Registers, name: str) -> int:
    return await bus.read(REGISTER(name).offset)


async def put(bus: Registers, written: Mapping[str, int]) -> None:
    for name, value in written.items():
        await bus.write(REGISTER(name).offset, value)


async def active(bus: Registers) -> dict[str, int]:
    """The settings that act."""
    mode = await get(bus, "STATUS") >> dict(REGISTER("STATUS").bits)["MODE"]
    return {"MODE": mode, **{name: await get(bus, f"ACTIVE_{name}") for name in SETTINGS if name != "MODE"}}


async def arm(bus: Registers, fault: Any, clear: bool = True) -> None:
    for name, value in settings(STREAM.layout, fault).items():
        await bus.write(REGISTER(name).offset, value)
        assert await bus.read(REGISTER(name).offset) == value
    control = REGISTER("CONTROL")
    await bus.write(control.offset, control.mask("ARM") | (control.mask("CLEAR") if clear else 0))


async def passes(dut: Any, values: Any, expected: Any, pauses: tuple[float, float], seed: int) -> None:
    beats, wanted = STREAM.beats(values), STREAM.beats(expected)
    cocotb.start_soon(send(dut, beats, pauses[0], random.Random(seed)))
    assert await receive(dut, len(beats), pauses[1], random.Random(seed + 1)) == wanted


@cocotb.test()
async def every_register(dut: Any) -> None:
    rng = random.Random(CASE["seed"])
    await start(dut)
    bus = Registers(dut, rng)
    layout = STREAM.layout
    fixed = {
        "ID": SABOTEUR.identity,
        "VERSION": SABOTEUR.version,
        "LANES": layout.lanes,
        "FOLDS": layout.folds,
        "WIDTH": layout.width,
        "HEIGHT": layout.height,
        "BITS": layout.register.bits,
    }
    for register in SABOTEUR.registers:
        found = await bus.read(register.offset)
        assert found == fixed.get(register.name, 0), register
        await bus.write(register.offset, 0xFFFFFFFF if register.access != "wo" else 0)
        found = await bus.read(register.offset)
        if register.access == "rw":
            mask = MASKS[register.name]
            assert found == mask, register
            await bus.write(register.offset, 0, strobe=0b0111)  # not a whole word
            assert await bus.read(register.offset) == mask
            for value in (0, 0xA5A5A5A5, 0x5A5A5A5A):
                await bus.write(register.offset, value)
                assert await bus.read(register.offset) == value & mask
        else:
            assert found == fixed.get(register.name, 0), register
    last = max(register.offset for register in SABOTEUR.registers)
    await bus.write(last + 4, 1)
    assert await bus.read(last + 4) == 0
    counted = {"CONTROL", "STATUS", "HITS", "CHANGES", "FRAMES", "COMMANDS", "SIGNATURE"}
    shown = {f"ACTIVE_{name}" for name in SETTINGS if name != "MODE"}
    assert set(fixed) | set(SIZES) | counted | shown == {register.name for register in SABOTEUR.registers}


@cocotb.test()
async def every_mode(dut: Any) -> None:
    rng = np.random.default_rng(CASE["seed"])
    await start(dut)
    bus = Registers(dut)
    golden = STREAM.values([])
    for turn, kind in enumerate((*KINDS, None, *KINDS)):
        fault = None if kind is None else STREAM.fault(kind, rng)
        expected = STREAM.values([fault] if fault else [])
        await arm(bus, fault)
        pauses = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.4, 0.4), (0.8, 0.1)][turn % 5]
        await passes(dut, golden, expected, pauses, CASE["seed"] + turn)
        held = np.zeros(golden.shape, bool)
        if fault:
            layout = STREAM.layout
            box = [slice(None)] * 3
            if kind == "pe":
                box[0] = slice(fault.index[0], None, layout.lanes)
            elif kind == "channel":
                box[0] = slice(fault.index[0], fault.index[0] + 1)
            else:
                for axis, index in zip((0, 1, 2)[-len(fault.index) :], fault.index, strict=True):
                    box[axis] = slice(index, index + 1)
            held[(slice(None), *box)] = True

        def beats_with(where: Any) -> int:
            layout = STREAM.layout
            by_beat = where.transpose(0, 2, 3, 1).reshape(-1, layout.lanes)
            return int(by_beat.any(axis=1).sum())

        assert await bus.read(REGISTER("HITS").offset) == beats_with(held)
        assert await bus.read(REGISTER("CHANGES").offset) == beats_with(held & (golden != expected))
        assert await bus.read(REGISTER("FRAMES").offset) == FRAMES
        status = await bus.read(REGISTER("STATUS").offset)
        mode = {None: Mode.NONE, "pe": Mode.PE}.get(kind) if kind in (None, "pe") else Mode[str(kind).upper()]
        assert status == int(mode) << 8
        assert await active(bus) == settings(STREAM.layout, fault)
        assert await get(bus, "SIGNATURE") == signature(settings(STREAM.layout, fault))
        assert await get(bus, "COMMANDS") == (turn + 1) * 0x101


@cocotb.test()
async def armed_between_frames(dut: Any) -> None:
    """New settings, given at any moment of a frame, wait for the next one; also under stalls."""
    rng = np.random.default_rng(CASE["seed"] + 1)
    chance = random.Random(CASE["seed"])
    await start(dut)
    bus = Registers(dut)
    golden = STREAM.values([])
    beats = STREAM.beats(golden)
    frame = len(beats) // FRAMES
    before = None
    for turn in range(4):
        fault = STREAM.fault(KINDS[turn], rng)
        split = chance.randrange(1, frame) if frame > 1 else 0
        old, new = (STREAM.beats(STREAM.values([f] if f else [])) for f in (before, fault))
        wanted = old[:frame] + new[frame:]
        received = cocotb.start_soon(receive(dut, len(beats), 0.3, random.Random(turn)))
        await send(dut, beats[:split], 0.2, chance)
        await arm(bus, fault)
        status = await bus.read(REGISTER("STATUS").offset)
        assert status & 3 == (3 if split else 0)
        if not split:
            wanted = new
        await put(bus, dict.fromkeys(SETTINGS, 0))  # what is written behind ARM acts at the next one only
        await send(dut, beats[split:], 0.2, chance)
        assert await received == wanted
        before = fault

    # A beat that is offered between frames and waits is not changed any more
    await arm(bus, None)
    fault = STREAM.fault("pe", rng)
    sender = cocotb.start_soon(send(dut, beats, 0.0, chance))
    for _ in range(3):
        await RisingEdge(dut.clk)
    await arm(bus, fault)
    new = STREAM.beats(STREAM.values([fault]))
    assert (
        await receive(dut, len(beats), 0.0, chance)
        == beats[: _held_up(frame, len(beats))] + new[_held_up(frame, len(beats)) :]
    )
    await sender


def _held_up(frame: int, total: int) -> int:
    """Beats that pass unchanged: the frame that the waiting beat belongs to. With a register behind, one beat or two
    have passed the place of the fault already."""
    passed = 2 if CASE["register"] else 0
    return min((passed // frame + 1) * frame, total)


@cocotb.test()
async def no_bubbles(dut: Any) -> None:
    """A beat a cycle, whatever is held."""
    rng = np.random.default_rng(CASE["seed"])
    await start(dut)
    bus = Registers(dut)
    golden = STREAM.values([])
    for kind in (None, *KINDS):
        fault = None if kind is None else STREAM.fault(kind, rng)
        await arm(bus, fault)
        begun = get_sim_time("ns")
        await passes(dut, golden, STREAM.values([fault] if fault else []), (0.0, 0.0), 0)
        cycles = round((get_sim_time("ns") - begun) / 10)
        assert cycles == FRAMES * STREAM.layout.beats + int(CASE["register"]), kind


@cocotb.test()
async def counters_stop(dut: Any) -> None:
    """Counters stay at their largest value, and CLEAR works while beats pass."""
    await start(dut)
    bus = Registers(dut)
    for name in ("hits_reg", "changes_reg", "frames_reg"):
        getattr(dut, name).value = 0xFFFFFFFE
    fault = STREAM.fault("pe", np.random.default_rng(3))
    await arm(bus, fault, clear=False)
    golden = STREAM.values([])
    for _ in range(2):
        await passes(dut, golden, STREAM.values([fault]), (0.1, 0.1), 5)
    assert await bus.read(REGISTER("HITS").offset) == 0xFFFFFFFF
    assert await bus.read(REGISTER("FRAMES").offset) == 0xFFFFFFFF
    assert await bus.read(REGISTER("CHANGES").offset) in (0xFFFFFFFE, 0xFFFFFFFF)
    await bus.write(REGISTER("CONTROL").offset, REGISTER("CONTROL").mask("CLEAR"))
    for name in ("HITS", "CHANGES", "FRAMES"):
        assert await bus.read(REGISTER(name).offset) == 0


@cocotb.test()
async def signatures_and_commands(dut: Any) -> None:
    """Any settings that fit: they act, are shown and signed as they were at ARM, in each beat; commands are counted."""
    chance = random.Random(CASE["seed"])
    await start(dut)
    bus = Registers(dut)
    golden = STREAM.values([])[:1]
    arms = clears = 0
    for turn in range(12):
        wanted = {name: chance.randrange(mask + 1) for name, mask in MASKS.items()}
        if turn % 4 == 0:
            wanted["MODE"] = 0
        await put(bus, wanted)
        command = chance.choice([("ARM",), ("ARM", "CLEAR")])
        arms, clears = arms + 1, clears + ("CLEAR" in command)
        await bus.write(REGISTER("CONTROL").offset, sum(map(COMMANDS, command)))
        assert await active(bus) == wanted
        await put(bus, {name: chance.randrange(mask + 1) for name, mask in MASKS.items()})
        sender = cocotb.start_soon(send(dut, STREAM.beats(golden), 0.1, chance))
        await receive(dut, STREAM.layout.beats, 0.1, chance)
        await sender
        assert await get(bus, "SIGNATURE") == signature(wanted)
        assert await active(bus) == wanted
        assert await get(bus, "COMMANDS") == arms | clears << 8
        assert await get(bus, "STATUS") == wanted["MODE"] << 8


@cocotb.test()
async def an_upset_of_what_acts_sticks(dut: Any) -> None:
    """Each register that acts, and its copy: one bit flips, in a frame or between two, also if it flips back."""
    chance = random.Random(CASE["seed"])
    await start(dut)
    bus = Registers(dut)
    upset, changed = REGISTER("STATUS").mask("UPSET"), REGISTER("STATUS").mask("CHANGED")
    beats = STREAM.beats(STREAM.values([]))
    for name, mask in MASKS.items():
        for copy in ("active", "armed"):
            for back in (False, True):
                await put(bus, NO_FAULT)
                await bus.write(REGISTER("CONTROL").offset, COMMANDS("ARM") | COMMANDS("CLEAR"))
                assert await get(bus, "STATUS") == 0
                passed = chance.randrange(1, len(beats))
                receiver = cocotb.start_soon(receive(dut, len(beats), 0.0, chance))
                await send(dut, beats[:passed], 0.0, chance)
                register, bit = getattr(dut, f"{copy}_{name.lower()}_reg"), 1 << chance.randrange(mask.bit_length())
                register.value = bit
                await RisingEdge(dut.clk)
                if back:
                    await RisingEdge(dut.clk)
                    register.value = 0
                    await RisingEdge(dut.clk)
                await send(dut, beats[passed:], 0.0, chance)
                await receiver
                acted = copy == "active" and not back
                found = await get(bus, "STATUS")
                assert found & 0xFF == upset | changed * acted
                assert await get(bus, "SIGNATURE") == signature(NO_FAULT)
                await put(bus, NO_FAULT)  # ARM repairs both, and only CLEAR forgets
                await bus.write(REGISTER("CONTROL").offset, COMMANDS("ARM"))
                assert await get(bus, "STATUS") == upset | changed * acted
                await bus.write(REGISTER("CONTROL").offset, COMMANDS("CLEAR"))
                assert await get(bus, "STATUS") == 0


async def note_beats(dut: Any, seen: list[int], clears: list[int]) -> None:
    """Cycles in which beats pass and in which they are cleared, from now on."""
    cycle = 0
    while True:
        await ReadOnly()
        if int(dut.beat.value):
            seen.append(cycle)
        if int(dut.clear.value):
            clears.append(cycle)
        cycle += 1
        await RisingEdge(dut.clk)


@cocotb.test()
async def cleared_at_any_moment(dut: Any) -> None:
    """What passes in the very cycle of CLEAR is counted, what passed before is not."""
    chance = random.Random(CASE["seed"])
    await start(dut)
    bus = Registers(dut)
    beats, frame = STREAM.beats(STREAM.values([])), STREAM.layout.beats
    await put(bus, {**NO_FAULT, "MODE": int(Mode.PE)})  # holds lane 0 in every beat
    await bus.write(REGISTER("CONTROL").offset, COMMANDS("ARM"))
    ties = 0
    for turn in range(40):
        passed: list[int] = []
        clears: list[int] = []
        watch = cocotb.start_soon(note_beats(dut, passed, clears))
        receiver = cocotb.start_soon(receive(dut, len(beats), turn % 3 * 0.2, random.Random(turn)))
        sender = cocotb.start_soon(send(dut, beats, turn % 2 * 0.3, random.Random(turn)))
        for _ in range(chance.randrange(len(beats) + 4)):
            await RisingEdge(dut.clk)
        await bus.write(REGISTER("CONTROL").offset, COMMANDS("CLEAR"))
        await sender
        await receiver
        watch.cancel()
        assert len(passed) == len(beats)
        assert len(clears) == 1
        assert await get(bus, "HITS") == sum(cycle >= clears[0] for cycle in passed)
        assert await get(bus, "FRAMES") == sum(cycle >= clears[0] for cycle in passed[frame - 1 :: frame])
        ties += clears[0] in passed
    assert ties, "no beat passed in the cycle of a clear: take another seed"
