"""Our blocks in Python, from what the register maps and the RTL's comments say: registers, and words that pass.

Words are unsigned, int64 [N, C, H, W], as the values stand in the stream's bits.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np

from fat_fpga.board.registers import CHECKSUM, COPIES_SHIFT, SABOTEUR, VOTER, RegisterMap
from fat_fpga.board.stream import StreamLayout
from fat_fpga.board.voter import triplets
from fat_fpga.checksums import checksum, register_word
from fat_fpga.errors import BoardError

Words = np.ndarray
LARGEST = (1 << 32) - 1


@dataclass
class Block:
    """Words by offset; ``broken`` registers read back with their lowest bit inverted."""

    words: dict[int, int] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)

    def read(self, offset: int = 0) -> int:
        return self.words.get(offset, 0) ^ (offset in self.broken)

    def write(self, offset: int, data: int) -> None:
        if not 0 <= data <= LARGEST:
            raise BoardError(f"no 32-bit word: {data}")
        self.words[offset] = data

    def passes(self, words: Words) -> Words:
        """What comes out behind the block."""
        return words


class Mapped(Block):
    """A block with one of our register maps."""

    def __init__(self, registers: RegisterMap, **fixed: int) -> None:
        super().__init__()
        self.map = registers
        self.put(ID=registers.identity, VERSION=registers.version, **fixed)

    def get(self, name: str) -> int:
        return self.words.get(self.map[name].offset, 0)

    def put(self, **values: int) -> None:
        for name, value in values.items():
            self.words[self.map[name].offset] = min(value, LARGEST)

    def write(self, offset: int, data: int) -> None:
        known = {register.offset: register for register in self.map.registers}
        assert known[offset].access in ("rw", "wo")
        if known[offset].name == "CONTROL":
            for name, bit in known[offset].bits:
                if data >> bit & 1:
                    self.command(name)
        else:
            super().write(offset, data)

    def command(self, name: str) -> None:
        raise NotImplementedError


SETTINGS = ("MODE", "LANE", "FOLD", "ROW", "COLUMN", "VALUE")


class SaboteurBlock(Mapped):
    """What acts, its copy, and a signature bit by bit.

    Attributes:
        active: the settings that act.
        upset: frame of the next transfer from which on bits of what acts are others: frame, setting, bits.
    """

    def __init__(self, layout: StreamLayout) -> None:
        sizes = {"LANES": layout.lanes, "FOLDS": layout.folds, "WIDTH": layout.width, "HEIGHT": layout.height}
        super().__init__(SABOTEUR, **sizes, BITS=layout.register.bits)
        self.layout = layout
        self.active, self.armed = dict.fromkeys(SETTINGS, 0), dict.fromkeys(SETTINGS, 0)
        self.upset: tuple[int, str, int] | None = None
        self.sticky: set[str] = set()
        self.signed: list[int] = []

    def command(self, name: str) -> None:
        shift = {"ARM": 0, "CLEAR": 8}[name]
        counted = (self.get("COMMANDS") >> shift) + 1 & 0xFF
        self.put(COMMANDS=self.get("COMMANDS") & ~(0xFF << shift) | counted << shift)
        if name == "ARM":
            self.armed = {register: self.get(register) for register in SETTINGS}
            self.active = dict(self.armed)
        else:
            self.put(HITS=0, CHANGES=0, FRAMES=0)
            self.sticky.clear()
        self.signed.clear()
        self._show()

    def passes(self, words: Words) -> Words:
        parts = [words]
        if self.upset is not None:
            at = self.upset[0] % len(words)
            parts = [words[:at], words[at:]]
        found = []
        for number, part in enumerate(parts):
            if number:
                assert self.upset is not None
                _, name, bits = self.upset
                self.active[name] ^= bits
                self.upset = None
            found.append(self._held(part))
        return np.concatenate(found)

    def _held(self, words: Words) -> Words:
        layout = self.layout
        mode = {name for name, bit in SABOTEUR["MODE"].bits if self.active["MODE"] >> bit & 1}
        fold, lane = np.divmod(np.arange(layout.channels), layout.lanes)
        held = np.ones((layout.channels, layout.height, layout.width), bool)
        held[(fold != self.active["FOLD"]) if "MATCH_FOLD" in mode else []] = False
        held[(lane != self.active["LANE"]) if "MATCH_LANE" in mode else []] = False
        if "MATCH_ROW" in mode:
            held[:, np.arange(layout.height) != self.active["ROW"]] = False
        if "MATCH_COLUMN" in mode:
            held[:, :, np.arange(layout.width) != self.active["COLUMN"]] = False
        held &= "ENABLE" in mode
        found = np.where(held, self.active["VALUE"], words)
        self.put(HITS=self.get("HITS") + self._beats(np.broadcast_to(held, words.shape)))
        self.put(CHANGES=self.get("CHANGES") + self._beats(found != words), FRAMES=self.get("FRAMES") + len(words))
        if self.active != self.armed:
            self.sticky.add("UPSET")
        if len(words):
            self.signed.append(self._signature())
        if len(set(self.signed)) > 1:
            self.sticky.add("CHANGED")
        self._show()
        return found

    def _beats(self, where: Words) -> int:
        """Beats in which anything is true."""
        layout = self.layout
        return int(where.reshape(len(where), layout.folds, layout.lanes, layout.height, layout.width).any(axis=2).sum())

    def _signature(self) -> int:
        """Bit i of a setting flips bit i + its shift, modulo 16."""
        bits = [0xFA75 >> n & 1 for n in range(16)]
        for number, name in enumerate(SETTINGS):
            for i in range(32):
                bits[(i + 3 * number) % 16] ^= self.active[name] >> i & 1
        return sum(bit << n for n, bit in enumerate(bits))

    def _show(self) -> None:
        """What acts, in the registers."""
        for name in SETTINGS[1:]:
            self.put(**{f"ACTIVE_{name}": self.active[name]})
        bits = dict(SABOTEUR["STATUS"].bits)
        status = self.active["MODE"] << bits["MODE"]
        status |= sum(1 << bits[name] for name in self.sticky)
        self.put(STATUS=status)
        if self.signed:
            self.put(SIGNATURE=self.signed[0])


class ChecksumBlock(Mapped):
    def __init__(self, layout: StreamLayout) -> None:
        super().__init__(CHECKSUM, LANES=layout.lanes, BEATS=layout.beats, BITS=layout.register.bits)
        self.bits = layout.register.bits

    def command(self, name: str) -> None:
        self.put(CHECKSUM=0, FRAMES=0, DIGEST=0)

    def passes(self, words: Words) -> Words:
        for frame in words.transpose(0, 2, 3, 1).reshape(len(words), -1):
            found, before, frames = checksum(frame, self.bits), self.get("DIGEST"), self.get("FRAMES")
            turned = (before << 1 & LARGEST) | before >> 31
            self.put(CHECKSUM=register_word(found, frames), FRAMES=frames + 1, DIGEST=(turned + found) & LARGEST)
        return words


class VoterBlock(Mapped):
    """Counts; the majority itself is the network's."""

    def __init__(self, front: StreamLayout, behind: StreamLayout, sources: np.ndarray) -> None:
        self.sources = sources
        self.triplets = triplets(sources)
        sizes = {
            "CHANNELS": behind.channels,
            "ROWS": front.channels,
            "LANES_IN": front.lanes,
            "LANES_OUT": behind.lanes,
        }
        signature = zlib.crc32(sources.astype("<u2").tobytes())
        counted = {"TRIPLETS": len(self.triplets), "COUNT_BITS": 8, "SIGNATURE": signature}
        super().__init__(VOTER, **sizes, BITS=front.register.bits, **counted)

    def command(self, name: str) -> None:
        self.put(DISAGREEMENTS=0)
        assert VOTER.window is not None
        for offset in [offset for offset in self.words if offset >= VOTER.window]:
            del self.words[offset]

    def passes(self, words: Words) -> Words:
        """What comes in comes out; copies are compared on the way."""
        assert VOTER.window is not None
        for t, channel in enumerate(self.triplets):
            copies = words[:, self.sources[channel]]  # [N, 3, H, W]
            majority = (copies[:, 0] & copies[:, 1]) | (copies[:, 1] & copies[:, 2]) | (copies[:, 0] & copies[:, 2])
            differs = copies != majority[:, None]
            pixels = int(differs.any(axis=1).sum())
            if pixels:
                offset = VOTER.window + 4 * t
                before = self.words.get(offset, 0)
                rows = sum(int(differs[:, k].any()) << COPIES_SHIFT + k for k in range(3))
                self.words[offset] = before & ~255 | rows | min((before & 255) + pixels, 255)
                self.put(DISAGREEMENTS=self.get("DISAGREEMENTS") + pixels)
        return words
