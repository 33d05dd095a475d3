"""Bus models for the benches: an AXI-Lite master, and both ends of an AXI-Stream with random pauses."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge

PERIOD_NS = 10


async def start(dut: Any) -> None:
    """Clock on, everything quiet, reset over."""
    quiet(dut)
    await clock_on(dut)
    watch(dut)


def quiet(dut: Any, axil: bool = True) -> None:
    """Nothing is offered to a block, nor taken from it.

    Args:
        axil: whether it has registers.
    """
    for name in (
        ("awvalid", "wvalid", "bready", "arvalid", "rready", "awaddr", "araddr", "wdata", "wstrb") if axil else ()
    ):
        getattr(dut, f"s_axil_{name}").value = 0
    dut.s_axis_tvalid.value = 0
    dut.s_axis_tdata.value = 0
    dut.m_axis_tready.value = 0


async def clock_on(dut: Any) -> None:
    """The clock runs, and reset is over."""
    cocotb.start_soon(Clock(dut.clk, PERIOD_NS, unit="ns").start())
    dut.rst.value = 1
    for _ in range(3):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    await RisingEdge(dut.clk)


def watch(dut: Any) -> None:
    """Hold every answer on AXI-Lite against its rules."""
    cocotb.start_soon(answers_follow(dut, ("awvalid", "wvalid"), ("awready", "wready"), "bvalid"))
    cocotb.start_soon(answers_follow(dut, ("arvalid",), ("arready",), "rvalid"))


async def answers_follow(dut: Any, valids: Sequence[str], readies: Sequence[str], answer: str) -> None:
    """AXI: an answer is offered only in a cycle after that of its handshake, and stays until it is taken."""
    ready = answer[0] + "ready"
    owed, before = 0, False
    while True:
        await ReadOnly()
        lines = [bool(getattr(dut, f"s_axil_{name}").value) for name in (*valids, *readies, answer, ready)]
        *handshake, offered, taken = lines
        assert not offered or owed, f"{answer} rises before the cycle after its handshake"
        assert offered or not before, f"{answer} fell before it was taken"
        owed -= offered and taken
        owed += all(handshake)
        before = offered and not taken
        await RisingEdge(dut.clk)


class Registers:
    """AXI-Lite master. With a generator given, channels start in any order and answers are taken late."""

    def __init__(self, dut: Any, rng: random.Random | None = None) -> None:
        self.dut = dut
        self.rng = rng

    async def _wait(self) -> None:
        for _ in range(self.rng.randrange(4) if self.rng else 0):
            await RisingEdge(self.dut.clk)

    async def _handshake(self, valid: str, ready: str, **values: int) -> None:
        await self._wait()
        for name, value in values.items():
            getattr(self.dut, f"s_axil_{name}").value = value
        await self._until(valid, ready)

    async def _until(self, drives: str, answers: str) -> None:
        mine, other = getattr(self.dut, f"s_axil_{drives}"), getattr(self.dut, f"s_axil_{answers}")
        mine.value = 1
        while True:
            await ReadOnly()
            done = bool(other.value)
            await RisingEdge(self.dut.clk)
            if done:
                break
        mine.value = 0

    async def write(self, offset: int, value: int, strobe: int = 0xF) -> None:
        address = cocotb.start_soon(self._handshake("awvalid", "awready", awaddr=offset))
        data = cocotb.start_soon(self._handshake("wvalid", "wready", wdata=value, wstrb=strobe))
        await address
        await data
        await self._wait()
        await self._until("bready", "bvalid")
        assert self.dut.s_axil_bresp.value == 0

    async def read(self, offset: int) -> int:
        await self._handshake("arvalid", "arready", araddr=offset)
        await self._wait()
        self.dut.s_axil_rready.value = 1
        while True:
            await ReadOnly()
            done, data = bool(self.dut.s_axil_rvalid.value), self.dut.s_axil_rdata.value
            await RisingEdge(self.dut.clk)
            if done:
                break
        self.dut.s_axil_rready.value = 0
        assert self.dut.s_axil_rresp.value == 0
        return int(data)


async def send(dut: Any, beats: Sequence[int], pause: float, rng: random.Random) -> None:
    """Offer the beats; before each one, wait with probability ``pause`` and again."""
    for beat in beats:
        while rng.random() < pause:
            await RisingEdge(dut.clk)
        dut.s_axis_tdata.value = beat
        dut.s_axis_tvalid.value = 1
        while True:
            await ReadOnly()
            done = bool(dut.s_axis_tready.value)
            await RisingEdge(dut.clk)
            if done:
                break
        dut.s_axis_tvalid.value = 0


async def receive(dut: Any, count: int, pause: float, rng: random.Random) -> list[int]:
    """Take ``count`` beats, not ready with probability ``pause``; an offered beat must stay until it is taken."""
    beats: list[int] = []
    waiting: int | None = None
    while len(beats) < count:
        ready = rng.random() >= pause
        dut.m_axis_tready.value = int(ready)
        await ReadOnly()
        valid = bool(dut.m_axis_tvalid.value)
        data = int(dut.m_axis_tdata.value) if valid else None
        assert waiting is None or data == waiting, "an offered beat changed or vanished"
        if valid and ready:
            assert data is not None
            beats.append(data)
            waiting = None
        else:
            waiting = data
        await RisingEdge(dut.clk)
    dut.m_axis_tready.value = 0
    return beats
