"""A fake board, in Python: registers and memories that behave like the RTL's, streams computed by the reference engine,
and a way to break each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from fat_fpga.board.description import Description, StreamPlace, ThresholdMemory
from fat_fpga.board.registers import SABOTEUR, VERSION, Mode
from fat_fpga.board.stream import Bytes, StreamLayout
from fat_fpga.engines.reference import accumulate, activate
from fat_fpga.errors import BoardError, HungTransferError
from fat_fpga.faults.register import Register, activation_register
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network

PAGE = 1 << 16


def small_network() -> Network:
    """Two hidden layers of eight channels with three levels, on images of 4 x 4."""
    rng = np.random.default_rng(7)
    table = (np.arange(256)[None] // 86 - 1).astype(np.int32)
    levels = Levels(-1, 1, 3)

    def unit(name: str, channels: int, shape: tuple[int, int, int], last: bool) -> MatrixVectorUnit:
        weights = rng.integers(-1, 2, (channels, *shape)).astype(np.int32)
        thresholds = None if last else np.sort(rng.integers(-3, 4, (channels, 2)), axis=1).astype(np.int32)
        return MatrixVectorUnit(name, weights, thresholds, None if last else levels, weight_type="INT2")

    layers = (unit("fc0", 8, (1, 4, 4), False), unit("fc1", 8, (8, 1, 1), False), unit("fc2", 3, (8, 1, 1), True))
    return Network("small", InputQuantiser((1, 4, 4), table), layers)


def describe(network: Network) -> Description:
    """The board that FINN would build of it, 4 channels a beat."""
    register = activation_register(Levels(-1, 1, 3))
    streams = []
    for number, unit in enumerate(network.units[:-1]):
        assert unit.thresholds is not None
        assert unit.levels is not None
        page = 2 * number * PAGE
        memory = ThresholdMemory(page, 6, True, 2, 4, unit.thresholds.tolist())
        layout = StreamLayout(unit.channels, 1, 1, 4, register)
        streams.append(StreamPlace(unit.name, layout, unit.levels, page + PAGE, memory))
    entry, output = StreamLayout(16, 1, 1, 4, register), StreamLayout(3, 1, 1, 1, Register(6, True))
    table = network.input.table.tolist()
    return Description("small", network.fingerprint, (1, 4, 4), table, entry, output, tuple(streams))


@dataclass
class FakeBoard:
    """A device. What is to go wrong is told by its attributes, each used up by the event.

    Attributes:
        hang: transfers that never end, counted from now.
        power_cycle_at: the transfer behind which the board loses everything, once.
        second_host: whether somebody else's frames pass with each transfer.
        wrong_register: place and register that read back with their lowest bit inverted.
        drift: whether scores change from the second transfer on.
    """

    network: Network
    description: Description
    hang: int = 0
    power_cycle_at: int | None = None
    second_host: bool = False
    wrong_register: tuple[str, str] | None = None
    drift: bool = False
    restarts: int = -1
    transfers: int = 0
    on_transfer: Callable[[], None] | None = None
    registers: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.restarts += 1
        self._reset()

    def _reset(self) -> None:
        self.registers.clear()
        for stream in self.description.streams:
            assert stream.saboteur is not None
            assert stream.thresholds is not None
            layout = stream.layout
            for name, value in {
                "ID": SABOTEUR.identity,
                "VERSION": VERSION,
                "LANES": layout.lanes,
                "FOLDS": layout.folds,
                "WIDTH": 1,
                "HEIGHT": 1,
                "BITS": layout.register.bits,
            }.items():
                self._put(stream, name, value)
            memory = stream.thresholds
            for channel, values in enumerate(memory.values):
                for index, value in enumerate(values):
                    self.registers[memory.address + memory.word_address(channel, index)] = value & 63

    def bus(self, address: int) -> FakeBus:
        return FakeBus(self, address)

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        entry, output = self.description.input, self.description.output
        frames = len(data) // entry.beats
        self.transfers += 1
        if self.on_transfer:
            self.on_transfer()
        if self.hang:
            self.hang -= 1
            raise HungTransferError(f"{frames} frames did not come back")
        values = entry.unpack(data.reshape(frames, entry.beats, entry.beat_bytes)).reshape(frames, 1, 4, 4)
        for unit, stream in zip(self.network.units, (*self.description.streams, None), strict=True):
            values = accumulate(unit, values)
            if stream is not None:
                values = self._hold(stream, activate(replace(unit, thresholds=self._thresholds(stream)), values))
                seen = self._get(stream, "FRAMES") + frames + self.second_host
                self._put(stream, "FRAMES", seen)
        if self.power_cycle_at == self.transfers:
            self._reset()
        if self.drift and self.transfers > 1:
            values = values + 1
        return output.pack(values).reshape(beats, beat_bytes)

    def _thresholds(self, stream: StreamPlace) -> np.ndarray:
        memory = stream.thresholds
        assert memory is not None
        words = [
            [self.registers[memory.address + memory.word_address(c, i)] for i in range(memory.count)]
            for c in range(len(memory.values))
        ]
        return np.sort((np.array(words, np.int32) + 32) % 64 - 32, axis=1)

    def _hold(self, stream: StreamPlace, values: np.ndarray) -> np.ndarray:
        mode, layout = self._get(stream, "ACTIVE"), stream.layout
        word = self._get(stream, "VALUE")
        level = (word ^ 2) - 2  # two bits, two's complement
        channel = self._get(stream, "FOLD") * layout.lanes + self._get(stream, "LANE")
        if mode in (Mode.CHANNEL, Mode.ELEMENT):
            values[:, channel] = level
        elif mode == Mode.PIXEL:
            values[:] = level
        elif mode == Mode.PE:
            values[:, self._get(stream, "LANE") :: layout.lanes] = level
        return values

    def _address(self, stream: StreamPlace, name: str) -> int:
        assert stream.saboteur is not None
        return stream.saboteur + (0xF00 if name == "ACTIVE" else SABOTEUR[name].offset)

    def _get(self, stream: StreamPlace, name: str) -> int:
        return self.registers.get(self._address(stream, name), 0)

    def _put(self, stream: StreamPlace, name: str, value: int) -> None:
        self.registers[self._address(stream, name)] = value


@dataclass
class FakeBus:
    board: FakeBoard
    address: int

    def read(self, offset: int = 0) -> int:
        board, at = self.board, self.address + offset
        for stream in board.description.streams:
            if at == board._address(stream, "STATUS"):
                return board._get(stream, "ACTIVE") << dict(SABOTEUR["STATUS"].bits)["MODE"]
            place, register = board.wrong_register or ("", "ID")
            if stream.place == place and at == board._address(stream, register):
                return board.registers.get(at, 0) ^ 1
        return board.registers.get(at, 0)

    def write(self, offset: int, data: int) -> None:
        board, at = self.board, self.address + offset
        if not 0 <= data < 1 << 32:
            raise BoardError(f"no 32-bit word: {data}")
        board.registers[at] = data
        for stream in board.description.streams:
            if at == board._address(stream, "CONTROL"):
                board._put(stream, "ACTIVE", board._get(stream, "MODE"))
                board._put(stream, "FRAMES", 0)
