"""What can go wrong between a host and a board, and in the board: devices around a fake or a simulated one.

Each trouble strikes with a probability at each of its occasions: a register access, a command, or a transfer. The board
itself is never told; what the host can see of it, it must see by reading registers and looking at what comes out.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np

from fat_fpga.board.access import Bus
from fat_fpga.board.description import Address, Description
from fat_fpga.board.device import Device
from fat_fpga.board.registers import SABOTEUR, SETTINGS
from fat_fpga.board.simulated import SimulatedBoard, saboteur_instance
from fat_fpga.board.stream import Bytes
from tests.board.blocks import SaboteurBlock
from tests.board.fake import FakeBoard

CONTROL = SABOTEUR["CONTROL"]
ARM, CLEAR = CONTROL.mask("ARM"), CONTROL.mask("CLEAR")
WORD = (1 << 32) - 1


class Trouble:
    """A device that passes everything on.

    Args:
        device: a `FakeBoard` or a `SimulatedBoard`.
        rate: probability at each occasion.
        seed: of what is drawn.
    """

    def __init__(self, device: Device, description: Description, rate: float, seed: int) -> None:
        self.device, self.description, self.rate = device, description, rate
        self.rng = random.Random(seed)
        self.saboteurs = {s.saboteur: s.layout for s in description.streams if s.saboteur is not None}
        self.events, self.cycles = 0, 1

    def strikes(self, rate: float | None = None) -> bool:
        found = self.rng.random() < (self.rate if rate is None else rate)
        self.events += found
        return found

    def bus(self, address: Address) -> Bus:
        return _Bus(self, address)

    def restart(self) -> None:
        self.device.restart()

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        if not isinstance(self.device, SimulatedBoard):
            return self.device.transfer(data, beats, beat_bytes)
        start = self.device.cycles
        found = self.device.transfer(data, beats, beat_bytes)
        self.cycles = self.device.cycles - start
        return found

    def read(self, address: Address, offset: int) -> int:
        return int(self.device.bus(address).read(offset))

    def write(self, address: Address, offset: int, data: int) -> None:
        self.device.bus(address).write(offset, data)

    def is_command(self, address: Address, offset: int) -> bool:
        return address in self.saboteurs and offset == CONTROL.offset

    def cycle(self) -> int:
        """A clock cycle of the next transfer to a simulated board, which is taken to be as long as the last one."""
        return self.rng.randrange(self.cycles)

    def forget(self) -> None:
        """What a power cycle leaves: everything as built. The host is not told."""
        if isinstance(self.device, FakeBoard):
            self.device.lose_power()
        else:
            self.device.restart()


@dataclass
class _Bus:
    trouble: Trouble
    address: Address

    def read(self, offset: int = 0) -> int:
        return self.trouble.read(self.address, offset)

    def write(self, offset: int, data: int) -> None:
        self.trouble.write(self.address, offset, data)


class GarbageReads(Trouble):
    """A read gives a random word."""

    def read(self, address: Address, offset: int) -> int:
        found = super().read(address, offset)
        return self.rng.getrandbits(32) if self.strikes() else found


class FlippedReads(Trouble):
    """A read gives a word with one bit flipped."""

    def read(self, address: Address, offset: int) -> int:
        found = super().read(address, offset)
        return found ^ 1 << self.rng.randrange(32) if self.strikes() else found


class StaleReads(Trouble):
    """A read gives the word that was read before."""

    last = 0

    def read(self, address: Address, offset: int) -> int:
        if not self.strikes():
            self.last = super().read(address, offset)
        return self.last


class LostReads(Trouble):
    """A read gives ones, as a bus without an answer."""

    def read(self, address: Address, offset: int) -> int:
        found = super().read(address, offset)
        return WORD if self.strikes() else found


class LostWrites(Trouble):
    """A write does not arrive."""

    def write(self, address: Address, offset: int, data: int) -> None:
        if not self.strikes():
            super().write(address, offset, data)


class FlippedWrites(Trouble):
    """A write arrives with one bit flipped."""

    def write(self, address: Address, offset: int, data: int) -> None:
        super().write(address, offset, data ^ (1 << self.rng.randrange(32) if self.strikes() else 0))


class DoubledWrites(Trouble):
    """A write arrives twice."""

    def write(self, address: Address, offset: int, data: int) -> None:
        for _ in range(1 + self.strikes()):
            super().write(address, offset, data)


class AstrayWrites(Trouble):
    """A write arrives where the one before it went."""

    before: tuple[Address, int] | None = None

    def write(self, address: Address, offset: int, data: int) -> None:
        to = self.before if self.before is not None and self.strikes() else (address, offset)
        self.before = address, offset
        super().write(*to, data)


class LostArm(Trouble):
    """ARM is lost, CLEAR is not."""

    def write(self, address: Address, offset: int, data: int) -> None:
        lost = self.is_command(address, offset) and self.strikes()
        super().write(address, offset, data & ~ARM if lost else data)


class LostClear(Trouble):
    """CLEAR is lost, ARM is not."""

    def write(self, address: Address, offset: int, data: int) -> None:
        lost = self.is_command(address, offset) and self.strikes()
        super().write(address, offset, data & ~CLEAR if lost else data)


class OldArm(Trouble):
    """ARM acts twice, the second time with the registers that were armed before."""

    def __init__(self, device: Device, description: Description, rate: float, seed: int) -> None:
        super().__init__(device, description, rate, seed)
        self.before: dict[Address, dict[str, int]] = {}

    def write(self, address: Address, offset: int, data: int) -> None:
        super().write(address, offset, data)
        if not self.is_command(address, offset) or not data & ARM:
            return
        now = {name: self.read(address, SABOTEUR[name].offset) for name in SETTINGS}
        if address in self.before and self.strikes():
            self._put(address, self.before[address])
            super().write(address, CONTROL.offset, ARM)
            self._put(address, now)
        self.before[address] = now

    def _put(self, address: Address, values: dict[str, int]) -> None:
        for name, value in values.items():
            super().write(address, SABOTEUR[name].offset, value)


class Upset(Trouble):
    """While images pass, one bit flips of what acts in a saboteur."""

    names: tuple[str, ...] = tuple(SETTINGS)

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        if self.saboteurs and self.strikes():
            address = self.rng.choice(list(self.saboteurs))
            layout, name = self.saboteurs[address], self.rng.choice(self.names)
            sizes = {
                "MODE": 32, "LANE": layout.lanes, "FOLD": layout.folds, "ROW": layout.height,
                "COLUMN": layout.width, "VALUE": 1 << layout.register.bits,
            }  # fmt: skip
            mask = 1 << self.rng.randrange(max((sizes[name] - 1).bit_length(), 1))
            if isinstance(self.device, SimulatedBoard):
                self.device.upset(address, f"active_{name.lower()}_reg", mask, self.cycle())
            else:
                assert isinstance(self.device, FakeBoard)
                block = self.device.blocks[address]
                assert isinstance(block, SaboteurBlock)
                block.upset = self.rng.randrange(1 << 16), name, mask
        return super().transfer(data, beats, beat_bytes)


class ValueUpset(Upset):
    """While images pass, one bit flips of the value that acts in a saboteur."""

    names = ("VALUE",)


class PlaceUpset(Upset):
    """While images pass, one bit flips of the place in the frame at which a saboteur is."""

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        if isinstance(self.device, SimulatedBoard) and self.saboteurs and self.strikes():
            address = self.rng.choice(list(self.saboteurs))
            bits = max((self.saboteurs[address].folds - 1).bit_length(), 1)
            self.device.upset(address, "at_fold_reg", 1 << self.rng.randrange(bits), self.cycle())
        return Trouble.transfer(self, data, beats, beat_bytes)


class CounterUpset(Upset):
    """While images pass, one bit flips of what a saboteur counts."""

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        found = Trouble.transfer(self, data, beats, beat_bytes)
        if self.saboteurs and self.strikes():
            address, bit = self.rng.choice(list(self.saboteurs)), self.rng.randrange(32)
            name = self.rng.choice(("HITS", "CHANGES", "FRAMES"))
            if isinstance(self.device, SimulatedBoard):
                self.device.upset(address, f"{name.lower()}_reg", 1 << bit)
            else:
                assert isinstance(self.device, FakeBoard)
                self.device.blocks[address].words[SABOTEUR[name].offset] ^= 1 << bit
        return found


class PassingUpset(Trouble):
    """Behind a saboteur, one bit flips of an activation that passes."""

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        if self.strikes():
            stream = self.rng.choice([s for s in self.description.streams if s.levels is not None])
            layout = stream.layout
            if isinstance(self.device, SimulatedBoard):
                built = self.device.description.place(stream.place).saboteur
                assert isinstance(built, int)
                path = f"{saboteur_instance(built)}.output_register.registers"
                mask = 1 << self.rng.randrange(min(layout.lanes * layout.register.bits, 32))
                self.device.upset(path, "out_data_reg", mask, self.cycle())
            else:
                assert isinstance(self.device, FakeBoard)
                bit = self.rng.randrange(layout.register.bits)
                self.device.flip = stream.place, self.rng.randrange(1 << 16), self.rng.randrange(layout.channels), bit
        return super().transfer(data, beats, beat_bytes)


class WeightUpset(Trouble):
    """While images pass, one bit of a weight flips; it stays so until the board is programmed anew."""

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        if self.strikes():
            bit = self.rng.randrange(2)
            if isinstance(self.device, SimulatedBoard):
                unit = self.rng.randrange(len(self.description.streams))
                path = f"u{10 * unit + 1}.core.genUnpumped.mem.blkMem"
                self.device.upset(path, "Mem", 1 << 2 * self.rng.randrange(4) + bit, self.cycle())
            else:
                assert isinstance(self.device, FakeBoard)
                chosen = self.rng.choice(self.device.network.units)
                weights = chosen.weights.copy()
                at = self.rng.randrange(weights.size)
                weights.flat[at] = (int(weights.flat[at]) + 2 ^ 1 << bit) - 2  # two's complement in two bits
                frame = self.rng.randrange(len(data) // self.description.input.beats)
                self.device.upset_unit = replace(chosen, weights=weights), frame
        return super().transfer(data, beats, beat_bytes)


class ThresholdUpset(Trouble):
    """Between two images of a transfer, one bit flips of a threshold in its memory."""

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        memories = [s.thresholds for s in self.description.streams if s.thresholds is not None]
        frames = beats // self.description.output.beats
        if frames < 2 or not self.strikes():
            return super().transfer(data, beats, beat_bytes)
        memory, cut = self.rng.choice(memories), self.rng.randrange(1, frames)
        offset = memory.word_address(self.rng.randrange(len(memory.values)), self.rng.randrange(memory.count))
        at_in, at_out = cut * len(data) // frames, cut * beats // frames
        first = super().transfer(data[:at_in], at_out, beat_bytes)
        word = self.read(memory.address, offset) ^ 1 << self.rng.randrange(memory.bits)
        self.write(memory.address, offset, word & (1 << memory.bits) - 1)
        return np.concatenate([first, super().transfer(data[at_in:], beats - at_out, beat_bytes)])


class StaleBuffer(Trouble):
    """The host sees what the buffer for outputs held before."""

    seen = np.zeros(0, np.uint8)

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        found = super().transfer(data, beats, beat_bytes)
        self.seen = self._sees(found.ravel(), np.resize(self.seen, found.size) if self.seen.size else found.ravel())
        return self.seen.reshape(found.shape)

    def _sees(self, new: Bytes, old: Bytes) -> Bytes:
        return old if self.strikes() else new


class PartialTransfer(StaleBuffer):
    """Behind some byte, the host sees what the buffer for outputs held before."""

    def _sees(self, new: Bytes, old: Bytes) -> Bytes:
        cut = self.rng.randrange(new.size) if self.strikes() else new.size
        return np.concatenate([new[:cut], old[cut:]])


class PartialInput(Trouble):
    """Behind some byte, the board gets what the buffer for images held before."""

    held = np.zeros(0, np.uint8)

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        new = np.ascontiguousarray(data).ravel()
        if self.held.size and self.strikes():
            cut = self.rng.randrange(new.size)
            new = np.concatenate([new[:cut], np.resize(self.held, new.size)[cut:]])
        self.held = new
        return super().transfer(new.reshape(data.shape), beats, beat_bytes)


def _swapped(data: Bytes, size: int) -> Bytes:
    """The bytes of each word in reverse order; what is no whole word stays."""
    flat = np.ascontiguousarray(data).ravel().copy()
    whole = flat.size // size * size
    flat[:whole] = flat[:whole].reshape(-1, size)[:, ::-1].ravel()
    return flat.reshape(data.shape)


class SwappedOutputs(Trouble):
    """Outputs come with the bytes of each word of 16, 32 or 64 bits in reverse order."""

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        found = super().transfer(data, beats, beat_bytes)
        return _swapped(found, self.rng.choice((2, 4, 8))) if self.strikes() else found


class SwappedInputs(Trouble):
    """Images go with the bytes of each word of 16, 32 or 64 bits in reverse order."""

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        sent = _swapped(data, self.rng.choice((2, 4, 8))) if self.strikes() else data
        return super().transfer(sent, beats, beat_bytes)


class SwappedImages(Trouble):
    """Two images of a transfer change places."""

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        frames = len(data) // self.description.input.beats
        if frames > 1 and self.strikes():
            data = _exchanged(data, frames, self.rng)
        return super().transfer(data, beats, beat_bytes)


class SwappedResults(Trouble):
    """The outputs of two images of a transfer change places."""

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        found = super().transfer(data, beats, beat_bytes)
        frames = beats // self.description.output.beats
        return _exchanged(found, frames, self.rng) if frames > 1 and self.strikes() else found


def _exchanged(data: Bytes, frames: int, rng: random.Random) -> Bytes:
    parts = np.ascontiguousarray(data).reshape(frames, -1).copy()
    first, second = rng.sample(range(frames), 2)
    parts[[first, second]] = parts[[second, first]]
    return parts.reshape(data.shape)


class ResetBeforeTransfer(Trouble):
    """The board is reset between ARM and the images."""

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        if self.strikes():
            self.forget()
        return super().transfer(data, beats, beat_bytes)


class Reboot(Trouble):
    """The board loses power behind a transfer, or between two register writes."""

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        found = super().transfer(data, beats, beat_bytes)
        if self.strikes():
            self.forget()
        return found

    def write(self, address: Address, offset: int, data: int) -> None:
        if self.strikes(self.rate / 10):
            self.forget()
        super().write(address, offset, data)


TROUBLES: tuple[type[Trouble], ...] = (
    GarbageReads, FlippedReads, StaleReads, LostReads, LostWrites, FlippedWrites, DoubledWrites, AstrayWrites,
    LostArm, LostClear, OldArm, ValueUpset, Upset, PlaceUpset, CounterUpset, PassingUpset, WeightUpset, ThresholdUpset,
    SwappedImages, SwappedResults, StaleBuffer, PartialTransfer, PartialInput,
    SwappedOutputs, SwappedInputs, ResetBeforeTransfer, Reboot,
)  # fmt: skip
