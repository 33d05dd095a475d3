"""The device for a real board, against a fake ``pynq`` module whose DMA blocks move frames through a fake board."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.board import open_board
from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.description import Description
from fat_fpga.board.engine import BoardEngine
from fat_fpga.board.pynq_device import PynqDevice
from fat_fpga.engines import get
from fat_fpga.errors import BoardError
from fat_fpga.faults import fault_space
from fat_fpga.network.network_file import write_network
from tests.board.fake import FakeBoard, describe, small_network
from tests.board.fake_pynq import BASE, RANGE, FakePynq
from tests.designs.random_network import random_images

NETWORK = small_network()


def named(description: Description) -> tuple[Description, dict[str, int]]:
    """The description with names in place of addresses, and what each name stands for: FINN's, as PYNQ writes them."""
    names: dict[str, int] = {}

    def name_of(address: object) -> str | None:
        if address is None:
            return None
        assert isinstance(address, int)
        name = f"StreamingDataflowPartition_{len(names) + 1}"
        names[name + ("/s_axilite_0" if len(names) % 2 else "")] = address
        return name

    streams = []
    for s in description.streams:
        memory = s.thresholds
        if memory is not None:
            address = name_of(memory.address)
            assert address is not None
            memory = replace(memory, address=address)
        streams.append(replace(s, thresholds=memory, saboteur=name_of(s.saboteur), checksum=name_of(s.checksum)))
    return replace(description, streams=tuple(streams)), names


def install(monkeypatch: pytest.MonkeyPatch, ends: list[bool]) -> tuple[FakePynq, Description]:
    plain = describe(NETWORK)
    description, names = named(plain)
    fake = FakePynq(FakeBoard(NETWORK, plain), plain.input, plain.output, names, ends)
    module = fake.module()
    monkeypatch.setitem(sys.modules, "pynq", module)
    monkeypatch.setitem(sys.modules, "pynq.ps", module.ps)
    return fake, description


def test_a_campaign_through_dma(monkeypatch: pytest.MonkeyPatch) -> None:
    _, description = install(monkeypatch, [True, True, False, True])
    board = PynqDevice("tfc.bit", description, seconds=0.05)
    engine = BoardEngine(Accelerator(board, description, batch=16))
    images = random_images(NETWORK, 40, 2)
    labels = np.zeros(40, np.int64)
    faults = list(fault_space(NETWORK, "channel"))
    found = engine.open(NETWORK).run(images, labels, faults, predictions=True)
    wanted = get("reference").open(NETWORK).run(images, labels, faults, predictions=True)
    assert found.predictions is not None
    assert wanted.predictions is not None
    assert np.array_equal(found.predictions, wanted.predictions)
    assert engine.restarts == ["without a fault: 8 frames did not come back within 0.05 s"]
    assert sys.modules["pynq.ps"].Clocks.fclk0_mhz == 100


def test_a_folder_as_finn_packs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, description = install(monkeypatch, [])
    description.write(tmp_path / "board.json")
    write_network(NETWORK, tmp_path / "network.npz")
    (tmp_path / "bitfile").mkdir()
    (tmp_path / "bitfile" / "finn-accel.bit").touch()
    board = open_board(tmp_path)
    assert not board.simulated
    assert board.network.fingerprint == NETWORK.fingerprint
    (tmp_path / "other.bit").touch()
    with pytest.raises(BoardError, match="has 2 bitstreams, expected one"):
        open_board(tmp_path)


def test_no_such_bitstream(monkeypatch: pytest.MonkeyPatch) -> None:
    _, description = install(monkeypatch, [])
    with pytest.raises(BoardError, match=r"cannot load the bitstream missing.bit: Bitstream file"):
        PynqDevice("missing.bit", description)
    with pytest.raises(BoardError, match=r"other.bit has no idma0 and no odma0: is it one of FINN's"):
        PynqDevice("other.bit", description)


def test_a_bitstream_of_another_build(monkeypatch: pytest.MonkeyPatch) -> None:
    _, description = install(monkeypatch, [])
    board = PynqDevice("tfc.bit", description)
    with pytest.raises(BoardError, match=r"tfc.bit has no blocks StreamingDataflowPartition_9 .* of two builds"):
        board.bus("StreamingDataflowPartition_9")
    assert board.bus(BASE + RANGE).read(0) == board.bus("StreamingDataflowPartition_2").read(0) == 0x46415453


def test_two_boards_on_one_fpga_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    _, description = install(monkeypatch, [])
    devices = [PynqDevice(f"{name}.bit", description) for name in ("first", "second")]
    with pytest.raises(BoardError, match=r"first.bit is not on the board any more: another bitstream has been loaded"):
        devices[0].bus("StreamingDataflowPartition_2").read(0)
    engines = [BoardEngine(Accelerator(device, description)) for device in devices]
    images, labels = random_images(NETWORK, 5, 2), np.zeros(5, np.int64)
    faults = list(fault_space(NETWORK, "channel"))[:4]
    wanted = get("reference").open(NETWORK).run(images, labels, faults, predictions=True)
    for turn in range(2):
        for engine in engines:
            found = engine.open(NETWORK).run(images, labels, faults, predictions=True)
            assert found.predictions is not None
            assert wanted.predictions is not None
            assert np.array_equal(found.predictions, wanted.predictions)
            assert len(engine.restarts) == turn + 1
    assert all("another bitstream has been loaded" in line for engine in engines for line in engine.restarts)


def test_a_transfer_behind_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    _, description = install(monkeypatch, [False])
    board = PynqDevice("tfc.bit", description, seconds=0.01)
    frame = np.zeros((description.input.beats, description.input.beat_bytes), np.uint8)
    for message in ("1 frames did not come back", "output DMA is still busy"):
        with pytest.raises(BoardError, match=message):
            board.transfer(frame, description.output.beats, description.output.beat_bytes)
    board.restart()
    assert len(board.transfer(frame, description.output.beats, description.output.beat_bytes)) == 3


def test_without_pynq(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynq", None)
    with pytest.raises(BoardError, match="needs PYNQ"):
        PynqDevice("tfc.bit", describe(NETWORK))
