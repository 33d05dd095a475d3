"""The device for a real board, against a fake ``pynq`` module whose DMA blocks move frames through a fake board."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.engine import BoardEngine
from fat_fpga.board.pynq_device import PynqDevice
from fat_fpga.engines import get
from fat_fpga.errors import BoardError
from fat_fpga.faults import fault_space
from tests.board.fake import FakeBoard, describe, small_network
from tests.designs.random_network import random_images

BASE = 0x4000_0000
NETWORK = small_network()


class Buffer(np.ndarray[Any, Any]):
    device_address = 0

    def flush(self) -> None: ...

    def invalidate(self) -> None: ...


class Dma:
    """FINN's DMA block: registers, and a start bit."""

    def __init__(self, start: Any = None) -> None:
        self.registers: dict[int, int] = {}
        self.start = start
        self.done = False

    def write(self, offset: int, value: int) -> None:
        self.registers[offset] = value
        if offset == 0 and value & 1:
            self.done = False
            if self.start:
                self.start()

    def read(self, offset: int) -> int:
        return 2 if offset == 0 and self.done else self.registers.get(offset, 0)

    @property
    def address(self) -> int:
        return self.registers[0x10] | self.registers[0x14] << 32


def fake_pynq(board: FakeBoard, ends: list[bool]) -> ModuleType:
    """A ``pynq`` with a board; ``ends`` says of each transfer whether it does."""
    module = ModuleType("pynq")
    memory: dict[int, Buffer] = {}

    def allocate(shape: tuple[int], dtype: Any, cacheable: bool) -> Buffer:
        buffer = np.zeros(shape, dtype).view(Buffer)
        buffer.device_address = (len(memory) + 1) << 36 | 0x100
        memory[buffer.device_address] = buffer
        return buffer

    def overlay(bitfile: str, download: bool) -> Any:
        if bitfile == "missing.bit":
            raise OSError("Bitstream file missing.bit does not exist")
        board.restart()
        if bitfile == "other.bit":
            return SimpleNamespace(axi_dma_0=Dma())
        odma = Dma()

        def start() -> None:
            if not (ends.pop(0) if ends else True):
                return
            assert idma.registers[0x1C] == odma.registers[0x1C]
            frames, layout, output = idma.registers[0x1C], board.description.input, board.description.output
            data = np.asarray(memory[idma.address]).reshape(frames * layout.beats, layout.beat_bytes)
            got = board.transfer(data, frames * output.beats, output.beat_bytes)
            np.copyto(np.asarray(memory[odma.address]), got.ravel())
            odma.done = True

        idma = Dma(start)
        return SimpleNamespace(idma0=idma, odma0=odma)

    module.Overlay = overlay  # type: ignore[attr-defined]
    module.allocate = allocate  # type: ignore[attr-defined]
    module.MMIO = lambda base, length: board.bus(base - BASE)  # type: ignore[attr-defined]
    return module


def device(monkeypatch: pytest.MonkeyPatch, ends: list[bool], bitfile: str = "tfc.bit") -> PynqDevice:
    description = replace(describe(NETWORK), base=BASE)
    monkeypatch.setitem(sys.modules, "pynq", fake_pynq(FakeBoard(NETWORK, description), ends))
    return PynqDevice(bitfile, description, seconds=0.05)


def test_a_campaign_through_dma(monkeypatch: pytest.MonkeyPatch) -> None:
    board = device(monkeypatch, [True, True, False, True])
    engine = BoardEngine(Accelerator(board, board.description, batch=16))
    images = random_images(NETWORK, 40, 2)
    labels = np.zeros(40, np.int64)
    faults = list(fault_space(NETWORK, "channel"))
    found = engine.run(NETWORK, images, labels, faults, predictions=True)
    wanted = get("reference").run(NETWORK, images, labels, faults, predictions=True)
    assert np.array_equal(found.predictions, wanted.predictions)
    assert engine.restarts == ["without a fault: 8 frames did not come back within 0.05 s"]


def test_no_such_bitstream(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BoardError, match=r"cannot load the bitstream missing.bit: Bitstream file"):
        device(monkeypatch, [], "missing.bit")
    with pytest.raises(BoardError, match=r"other.bit has no idma0 and no odma0: is it one of FINN's"):
        device(monkeypatch, [], "other.bit")


def test_without_pynq(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynq", None)
    with pytest.raises(BoardError, match="needs PYNQ"):
        PynqDevice("tfc.bit", describe(NETWORK))
