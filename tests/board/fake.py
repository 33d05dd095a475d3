"""A fake board, in Python: registers and memories that behave like the RTL's, streams computed by the reference engine,
and a way to break each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from fat_fpga.board.description import Address, Description, StreamPlace, ThresholdMemory
from fat_fpga.board.registers import SABOTEUR
from fat_fpga.board.stream import Bytes, StreamLayout
from fat_fpga.checksums import stream_words
from fat_fpga.errors import HungTransferError
from fat_fpga.faults.register import Register, activation_register
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, Network
from fat_fpga.network.operators.threshold_logic import SEARCH, searched
from tests.board.blocks import Block, ChecksumBlock, SaboteurBlock

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


def describe(network: Network, checksums: bool = True) -> Description:
    """The board that FINN would build of it, 4 channels a beat."""
    register = activation_register(Levels(-1, 1, 3))
    streams, pages = [], iter(range(0, 100 * PAGE, PAGE))

    def hook() -> int | None:
        return next(pages) if checksums else None

    for unit in network.units[:-1]:
        assert unit.thresholds is not None
        memory = ThresholdMemory(next(pages), 6, True, 2, 4, unit.thresholds.tolist())
        layout = StreamLayout(unit.channels, 1, 1, 4, register)
        place = StreamPlace(unit.name, layout, unit.levels, next(pages), memory, checksum=hook())
        streams.append(replace(place, threshold_logic=SEARCH))
    _, bits = stream_words(network, "fc2", np.zeros((1, 3, 1, 1), np.int32))
    entry, output = StreamLayout(16, 1, 1, 4, register), StreamLayout(3, 1, 1, 1, Register(bits, True))
    streams.append(StreamPlace("fc2", output, None, checksum=hook()))
    table = network.input.code_table
    assert table is not None
    return Description("small", network.fingerprint, (1, 4, 4), table.tolist(), entry, output, tuple(streams))


@dataclass
class FakeBoard:
    """A device. What is to go wrong is told by its attributes, each used up by the event.

    Attributes:
        hang: transfers that never end, counted from now.
        power_cycle_at: the transfer behind which the board loses everything, once.
        second_host: whether somebody else's frames pass with each transfer.
        wrong_register: place and register of a saboteur that read back with their lowest bit inverted.
        drift: whether the scores of the first image change from the second transfer on.
        stuck_word: block, offset and the word that is there after every write.
        upset_unit: a unit that takes the place of the one of its name until the board is programmed anew, and the frame
            of the next transfer from which on it does.
        flip: place, frame, channel and bit of an activation that is another one in the next transfer.
        wrong_layer: a place whose checksum block sees a bit flipped in the first image of each transfer.
    """

    network: Network
    description: Description
    hang: int = 0
    power_cycle_at: int | None = None
    second_host: bool = False
    wrong_register: tuple[str, str] | None = None
    drift: bool = False
    stuck_word: tuple[Address, int, int] | None = None
    upset_unit: tuple[MatrixVectorUnit, int] | None = None
    flip: tuple[str, int, int, int] | None = None
    wrong_layer: str | None = None
    restarts: int = -1
    transfers: int = 0
    on_transfer: Callable[[], None] | None = None
    blocks: dict[Address, Block] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.restarts += 1
        self.lose_power()

    def lose_power(self) -> None:
        """Everything is as built."""
        self.blocks.clear()
        self.upset_unit = None
        for stream in self.description.streams:
            if stream.saboteur is not None:
                block = SaboteurBlock(stream.layout)
                self.blocks[stream.saboteur] = block
                place, register = self.wrong_register or ("", "ID")
                if place == stream.place:
                    block.broken.add(SABOTEUR[register].offset)
            if stream.checksum is not None:
                self.blocks[stream.checksum] = ChecksumBlock(stream.layout)
            memory = stream.thresholds
            if memory is not None:
                words = {
                    memory.word_address(channel, index): value & 63
                    for channel, values in enumerate(memory.values)
                    for index, value in enumerate(values)
                }
                self.blocks[memory.address] = Block(words)

    def bus(self, address: Address) -> FakeBus:
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
        for unit, stream in zip(self.network.units, self.description.streams, strict=True):
            values = self._accumulate(unit, values)
            if stream.thresholds is not None:
                values = replace(unit, thresholds=self._thresholds(stream)).activate(values)
            values = self._passes(stream, values)
        if self.upset_unit is not None:
            self.upset_unit = self.upset_unit[0], 0
        if self.power_cycle_at == self.transfers:
            self.lose_power()
        if self.drift and self.transfers > 1:
            values[0] += 1
        return output.pack(values).reshape(beats, beat_bytes)

    def _accumulate(self, unit: MatrixVectorUnit, values: np.ndarray) -> np.ndarray:
        if self.upset_unit is None or self.upset_unit[0].name != unit.name:
            return unit.accumulate(values)
        upset, start = self.upset_unit
        found = unit.accumulate(values)
        found[start:] = upset.accumulate(values)[start:]
        return found

    def _thresholds(self, stream: StreamPlace) -> np.ndarray:
        memory = stream.thresholds
        assert memory is not None
        block = self.blocks[memory.address]
        words = [
            [block.read(memory.word_address(c, i)) for i in range(memory.count)] for c in range(len(memory.values))
        ]
        signed = (np.array(words, np.int64) + 32) % 64 - 32  # 6 bits, two's complement
        return searched(signed.astype(np.int32))

    def _passes(self, stream: StreamPlace, values: np.ndarray) -> np.ndarray:
        bits = stream.layout.register.bits
        words = values.astype(np.int64) & (1 << bits) - 1
        if stream.saboteur is not None:
            seen = np.concatenate([words, words[:1]]) if self.second_host else words
            words = self.blocks[stream.saboteur].passes(seen)[: len(words)]
        if self.flip is not None and self.flip[0] == stream.place:
            _, frame, channel, bit = self.flip
            words[frame % len(words), channel] ^= 1 << bit
            self.flip = None
        if stream.checksum is not None:
            seen = words.copy()
            if stream.place == self.wrong_layer:
                seen[0, 0] ^= 1
            self.blocks[stream.checksum].passes(seen)
        return (words ^ 1 << bits - 1) - (1 << bits - 1)


@dataclass
class FakeBus:
    """Finds the block anew for each access: a reset makes new ones."""

    board: FakeBoard
    address: Address

    def read(self, offset: int = 0) -> int:
        return self.board.blocks[self.address].read(offset)

    def write(self, offset: int, data: int) -> None:
        block, at, word = self.board.stuck_word or (None, 0, 0)
        self.board.blocks[self.address].write(offset, word if (block, at) == (self.address, offset) else data)
