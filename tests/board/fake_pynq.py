"""A fake ``pynq`` module in front of a device: an overlay with a memory map, DMA blocks as FINN has them, buffers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from fat_fpga.board.description import Address
from fat_fpga.board.device import Device
from fat_fpga.board.stream import StreamLayout

BASE, RANGE = 0x4000_0000, 1 << 16


class Buffer(np.ndarray[Any, Any]):
    device_address = 0

    def flush(self) -> None: ...

    def invalidate(self) -> None: ...


class Dma:
    """FINN's DMA block: registers, a start bit, done that is read once, idle."""

    def __init__(self, name: str, log: list[tuple[str, int, int]], start: Any = None) -> None:
        self.name, self.log, self.start = name, log, start
        self.registers: dict[int, int] = {}
        self.done = False
        self.busy = False

    def write(self, offset: int, value: int) -> None:
        self.registers[offset] = value
        self.log.append((self.name, offset, value))
        if offset == 0 and value & 1:
            self.busy = True
            if self.start:
                self.start()

    def finish(self) -> None:
        self.done, self.busy = True, False

    def read(self, offset: int) -> int:
        if offset:
            return self.registers.get(offset, 0)
        found = self.done << 1 | (not self.busy) << 2
        self.done = False
        return found

    @property
    def address(self) -> int:
        return self.registers[0x10] | self.registers[0x14] << 32


class Mmio:
    """Registers of a block, and its first words as an array, as FINN's own driver wants them."""

    def __init__(self, bus: Any) -> None:
        self._bus = bus

    def read(self, offset: int = 0) -> int:
        return int(self._bus.read(offset))

    def write(self, offset: int, data: int) -> None:
        self._bus.write(offset, data)

    def write_mm(self, offset: int, data: bytes) -> None:
        for number, word in enumerate(np.frombuffer(data, np.uint32).tolist()):
            self.write(offset + 4 * number, word)

    @property
    def array(self) -> np.ndarray:
        return np.array([self.read(offset) for offset in range(0, 1 << 14, 4)], np.uint32)


@dataclass
class FakePynq:
    """What is behind the fake module.

    Attributes:
        device: moves frames, has the blocks, and forgets everything when it is programmed.
        input, output: streams of the accelerator.
        names: names in the memory map; the block of each on the device.
        ends: of each transfer, whether it does; then all do.
        log: every register write of a DMA block: block, offset, value.
        sent: the bytes of every transfer.
        loaded: the overlay that was made last.
    """

    device: Device
    input: StreamLayout
    output: StreamLayout
    names: Mapping[str, Address]
    ends: list[bool] = field(default_factory=list)
    log: list[tuple[str, int, int]] = field(default_factory=list)
    sent: list[np.ndarray] = field(default_factory=list)
    memory: dict[int, Buffer] = field(default_factory=dict)
    loaded: Any = None

    def module(self) -> ModuleType:
        """The module ``pynq``; its part ``pynq.ps`` is an attribute of it."""
        fake = self
        found, ps = ModuleType("pynq"), ModuleType("pynq.ps")
        blocks = {BASE + number * RANGE: address for number, address in enumerate(self.names.values())}

        class Overlay:
            def __init__(self, bitfile_name: str, download: bool = True, device: Any = None) -> None:
                if bitfile_name == "missing.bit":
                    raise OSError("Bitstream file missing.bit does not exist")
                fake.device.restart()
                fake.loaded = self
                self.device = device
                self.ip_dict = {
                    name: {"phys_addr": BASE + number * RANGE, "addr_range": RANGE}
                    for number, name in enumerate(fake.names)
                }
                for name, entry in self.ip_dict.items():
                    bus = Mmio(fake.device.bus(blocks[entry["phys_addr"]]))
                    setattr(self, name.split("/")[0], SimpleNamespace(mmio=bus))
                if bitfile_name == "other.bit":
                    return
                self.odma0 = Dma("odma0", fake.log)
                self.idma0: Dma = Dma("idma0", fake.log, lambda: fake._transfer(self.idma0, self.odma0))

            def is_loaded(self) -> bool:
                return fake.loaded is self

        found.Overlay = Overlay  # type: ignore[attr-defined]
        found.Bitstream = SimpleNamespace  # type: ignore[attr-defined]
        found.allocate = self._allocate  # type: ignore[attr-defined]
        found.MMIO = lambda base, length: Mmio(self.device.bus(blocks[base]))  # type: ignore[attr-defined]
        ps.Clocks = SimpleNamespace(fclk0_mhz=50.0)  # type: ignore[attr-defined]
        found.ps = ps  # type: ignore[attr-defined]
        return found

    def _allocate(self, shape: tuple[int, ...], dtype: Any, cacheable: bool, target: Any = None) -> Buffer:
        buffer = np.zeros(shape, dtype).view(Buffer)
        buffer.device_address = (len(self.memory) + 1) << 36 | 0x100
        self.memory[buffer.device_address] = buffer
        return buffer

    def _transfer(self, idma: Dma, odma: Dma) -> None:
        if not (self.ends.pop(0) if self.ends else True):
            return
        frames = idma.registers[0x1C]
        assert frames == odma.registers[0x1C]
        data = np.asarray(self.memory[idma.address]).reshape(-1)[: frames * self.input.beats * self.input.beat_bytes]
        data = data.reshape(-1, self.input.beat_bytes).copy()
        self.sent.append(data)
        got = self.device.transfer(data, frames * self.output.beats, self.output.beat_bytes)
        np.asarray(self.memory[odma.address]).reshape(-1)[: got.size] = got.ravel()
        idma.finish()
        odma.finish()
