"""The register maps of saboteur, voter and checksum hook: written here once, for the driver and for the RTL.

``python -m fat_fpga.board.registers`` prints the SystemVerilog package that stands in ``hw/rtl/fat_registers_pkg.sv``.
All registers are 32 bits wide, byte addresses count from the block's base, and only whole words are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True)
class Register:
    """One 32-bit register.

    Attributes:
        name: upper case.
        offset: byte address in the block.
        access: ``ro``, ``rw``, or ``wo`` (a command; reads give 0).
        text: what it means.
        bits: named bits, by position.
    """

    name: str
    offset: int
    access: str
    text: str
    bits: tuple[tuple[str, int], ...] = ()

    def mask(self, bit: str) -> int:
        """Value with only the named bit set; KeyError if the register has no such bit."""
        return 1 << dict(self.bits)[bit]


@dataclass(frozen=True)
class RegisterMap:
    """The registers of one block.

    Attributes:
        name: upper case, of the block.
        identity: what its ID register holds.
        version: of this map, which the block's VERSION register holds.
        registers: by offset.
        window: offset of the first word of an array of words behind the registers; None if there is none.
    """

    name: str
    identity: int
    version: int
    registers: tuple[Register, ...]
    window: int | None = None

    def __getitem__(self, name: str) -> Register:
        for register in self.registers:
            if register.name == name:
                return register
        known = ", ".join(register.name for register in self.registers)
        raise KeyError(f"{self.name} has no register {name}: it has {known}")


class Mode(IntEnum):
    """What a saboteur holds. Bit 0 enables it, each other bit restricts it to one index register.

    A new combination is a new mode: ``0x09``, for instance, would hold a whole row.
    """

    NONE = 0x00
    CHANNEL = 0x07  # lane and fold: an output channel in every pixel
    PIXEL = 0x19  # row and column: every channel of one pixel
    ELEMENT = 0x1F  # all four: one activation
    PE = 0x03  # lane alone: every channel that one processing element computes


MODE_BITS = (("ENABLE", 0), ("MATCH_LANE", 1), ("MATCH_FOLD", 2), ("MATCH_ROW", 3), ("MATCH_COLUMN", 4))

SABOTEUR = RegisterMap(
    "SABOTEUR",
    0x46415453,
    2,
    (
        Register("ID", 0x00, "ro", "0x46415453, 'FATS'"),
        Register("VERSION", 0x04, "ro", "version of this map"),
        Register("LANES", 0x08, "ro", "channels a beat"),
        Register("FOLDS", 0x0C, "ro", "beats a pixel"),
        Register("WIDTH", 0x10, "ro", "pixels a row"),
        Register("HEIGHT", 0x14, "ro", "rows a frame"),
        Register("BITS", 0x18, "ro", "bits a value"),
        Register("CONTROL", 0x1C, "wo", "commands", (("ARM", 0), ("CLEAR", 1))),
        Register(
            "STATUS",
            0x20,
            "ro",
            "ARMING: the armed settings wait for the end of a frame; IN_FRAME: part of a frame has passed; UPSET: the "
            "settings that act were not those that were armed, in any cycle since CLEAR; CHANGED: SIGNATURE was not "
            "the same for all beats since CLEAR and the last ARM; from MODE on: the mode that acts now",
            (("ARMING", 0), ("IN_FRAME", 1), ("UPSET", 2), ("CHANGED", 3), ("MODE", 8)),
        ),
        Register("MODE", 0x24, "rw", "what to hold, as the next ARM takes it", MODE_BITS),
        Register("LANE", 0x28, "rw", "place in the beat: channel mod LANES"),
        Register("FOLD", 0x2C, "rw", "beat of the pixel: channel div LANES"),
        Register("ROW", 0x30, "rw", "row of the pixel"),
        Register("COLUMN", 0x34, "rw", "column of the pixel"),
        Register("VALUE", 0x38, "rw", "the value held, in the stream's bits"),
        Register("HITS", 0x3C, "ro", "beats in which values were held, since CLEAR; stops at 2^32 - 1"),
        Register("CHANGES", 0x40, "ro", "those of them that were not what was held already; stops at 2^32 - 1"),
        Register("FRAMES", 0x44, "ro", "whole frames that passed since CLEAR; stops at 2^32 - 1"),
        Register(
            "COMMANDS",
            0x48,
            "ro",
            "commands since reset, modulo 256: ARM in the low 8 bits, CLEAR from CLEARS on",
            (("ARMS", 0), ("CLEARS", 8)),
        ),
        Register(
            "SIGNATURE",
            0x4C,
            "ro",
            "16 bits of the settings that acted in the first beat since CLEAR and the last ARM; nothing before it",
        ),
        Register("ACTIVE_LANE", 0x50, "ro", "the LANE that acts now"),
        Register("ACTIVE_FOLD", 0x54, "ro", "the FOLD that acts now"),
        Register("ACTIVE_ROW", 0x58, "ro", "the ROW that acts now"),
        Register("ACTIVE_COLUMN", 0x5C, "ro", "the COLUMN that acts now"),
        Register("ACTIVE_VALUE", 0x60, "ro", "the VALUE that acts now"),
    ),
)
"""CLEAR sets HITS, CHANGES, FRAMES, UPSET and CHANGED to 0; what passes in its cycle is counted. ARM takes
MODE to VALUE as they are in its cycle; they act from the next frame on."""

SETTINGS = {"MODE": 0, "LANE": 3, "FOLD": 6, "ROW": 9, "COLUMN": 12, "VALUE": 15}
"""The registers that ARM takes, and by how many bits SIGNATURE rotates each to the left."""

SIGNATURE_SEED = 0xFA75
"""SIGNATURE of settings that are all 0."""

VOTER = RegisterMap(
    "VOTER",
    0x46415456,
    1,
    (
        Register("ID", 0x00, "ro", "0x46415456, 'FATV'"),
        Register("VERSION", 0x04, "ro", "version of this map"),
        Register("CHANNELS", 0x08, "ro", "output channels"),
        Register("ROWS", 0x0C, "ro", "physical channels in front: CHANNELS and two for each triplet"),
        Register("LANES_IN", 0x10, "ro", "physical channels a beat"),
        Register("LANES_OUT", 0x14, "ro", "output channels a beat"),
        Register("BITS", 0x18, "ro", "bits a value"),
        Register("CONTROL", 0x1C, "wo", "commands", (("CLEAR", 0),)),
        Register("MODE", 0x20, "rw", "settings", (("CLEAR_ON_READ", 0),)),
        Register("TRIPLETS", 0x24, "ro", "triplets, in order of their output channels"),
        Register("COUNT_BITS", 0x28, "ro", "bits of each triplet's counter"),
        Register("SIGNATURE", 0x2C, "ro", "CRC-32 of the map of sources that the block was built with"),
        Register("DISAGREEMENTS", 0x30, "ro", "beats voted on in which any triplet disagreed; stops at 2^32 - 1"),
    ),
    window=0x100,
)
"""At ``window + 4 * t`` stands triplet t: its counter of disagreements in the low bits, which stops at its largest
value, and from bit COPIES_SHIFT on one sticky bit for each copy that was not as the majority."""

COPIES_SHIFT = 29

CHECKSUM = RegisterMap(
    "CHECKSUM",
    0x46415443,
    1,
    (
        Register("ID", 0x00, "ro", "0x46415443, 'FATC'"),
        Register("VERSION", 0x04, "ro", "version of this map"),
        Register("LANES", 0x08, "ro", "values a beat"),
        Register("BEATS", 0x0C, "ro", "beats a frame"),
        Register("BITS", 0x10, "ro", "bits a value"),
        Register("CONTROL", 0x1C, "wo", "commands", (("CLEAR", 0),)),
        Register(
            "CHECKSUM",
            0x20,
            "ro",
            "of the last whole frame: its checksum in the low 24 bits; in the high 8, FRAMES minus one, modulo 256; "
            "0 before the first frame",
        ),
        Register("FRAMES", 0x24, "ro", "whole frames that passed since CLEAR; stops at 2^32 - 1"),
        Register(
            "DIGEST",
            0x28,
            "ro",
            "over the checksums of all frames since CLEAR: rotated left by one bit, plus the next, modulo 2^32",
        ),
        Register(
            "STATUS",
            0x2C,
            "ro",
            "IN_FRAME: part of a frame has passed, or a whole one whose checksum is not in the registers yet",
            (("IN_FRAME", 0),),
        ),
    ),
)
"""CLEAR sets CHECKSUM, FRAMES and DIGEST to 0 and forgets every frame whose last beat has passed; a frame that is
passing stays whole, and counts as it ends."""

SUM_BITS = 24
"""Low bits of the register CHECKSUM."""

MAPS = (SABOTEUR, VOTER, CHECKSUM)


def systemverilog() -> str:
    """The maps as a SystemVerilog package."""
    lines = [
        "// Register maps of saboteur, voter and checksum hook.",
        "// Made by python -m fat_fpga.board.registers; a test fails where the two differ.",
        "",
        "`resetall",
        "`timescale 1ns / 1ps",
        "`default_nettype none",
        "",
        "/* verilator lint_off UNUSEDPARAM */",
        "package fat_registers_pkg;",
    ]
    for block in MAPS:
        lines += ["", f"localparam logic [31:0] {block.name}_IDENTITY = 32'h{block.identity:08x};"]
        lines += [f"localparam logic [31:0] {block.name}_MAP = 32'h{block.version:08x};"]
        for register in block.registers:
            name = f"{block.name}_{register.name}"
            lines += [f"// {register.access}: {register.text}", f"localparam int {name} = 'h{register.offset:02x};"]
            lines += [f"localparam int {name}_{bit}_BIT = {position};" for bit, position in register.bits]
        if block.window is not None:
            lines += ["// ro: an array of words", f"localparam int {block.name}_WINDOW = 'h{block.window:03x};"]
    lines += ["", "// SIGNATURE: how far each setting is rotated to the left, and what is there without any"]
    lines += [f"localparam int SIGNATURE_{name} = {shift};" for name, shift in SETTINGS.items()]
    lines += [f"localparam logic [15:0] SIGNATURE_SEED = 16'h{SIGNATURE_SEED:04x};"]
    lines += ["", f"localparam int COPIES_SHIFT = {COPIES_SHIFT};"]
    lines += [f"localparam int SUM_BITS = {SUM_BITS};", "", "endpackage", "", "`resetall"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(systemverilog(), end="")
