"""Registers on a bus: what the driver needs of ``pynq.MMIO``, and checked access to our blocks."""

from __future__ import annotations

from typing import Protocol

from fat_fpga.board.registers import RegisterMap
from fat_fpga.errors import BoardError

POLLS = 1000
"""Reads of a register after which what it says is taken to stay."""


class Bus(Protocol):
    """Words at byte offsets; ``pynq.MMIO`` is one."""

    def read(self, offset: int = 0) -> int:
        """The 32-bit word at ``offset``."""

    def write(self, offset: int, data: int) -> None:
        """Put a 32-bit word at ``offset``."""


class Block:
    """One of our blocks behind a bus, by register names.

    Args:
        name: what messages call it: ``saboteur of fc1``.
        expected: read-only registers that must hold what the network and its folding say.

    Raises:
        BoardError: there is another block, another version of it, or one built for something else.
    """

    def __init__(self, name: str, bus: Bus, registers: RegisterMap, expected: dict[str, int]) -> None:
        self.name = name
        self.bus = bus
        self.registers = registers
        for register, value in {"ID": registers.identity, "VERSION": registers.version, **expected}.items():
            found = self.read(register)
            if register == "VERSION" and 0 < found < value:
                raise BoardError(
                    f"{name}: its register map is version {found}, this driver needs {value}: the older block does not "
                    "show all that the driver checks, so nothing is recorded with it; build the bitstream again"
                )
            if found != value:
                raise BoardError(
                    f"{name}: register {register} holds {found:#x} where {value:#x} was expected: the bitstream was "
                    "built for something else, the address is wrong, or the board is not programmed"
                )

    def read(self, register: str) -> int:
        """What a register holds."""
        return int(self.bus.read(self.registers[register].offset))

    def write(self, register: str, value: int) -> None:
        """Put a value into a register that can be read back; BoardError if it then holds another one."""
        target = self.registers[register]
        self.bus.write(target.offset, value)
        if target.access == "rw" and (found := self.read(register)) != value:
            raise BoardError(f"{self.name}: wrote {value:#x} to register {register}, it reads back {found:#x}")

    def command(self, *bits: str) -> None:
        """Give commands of the CONTROL register."""
        control = self.registers["CONTROL"]
        self.bus.write(control.offset, sum(control.mask(bit) for bit in bits))

    def idle(self, bit: str) -> bool:
        """Whether a bit of the STATUS register is 0, now or within `POLLS` reads."""
        mask = self.registers["STATUS"].mask(bit)
        return any(not self.read("STATUS") & mask for _ in range(POLLS))
