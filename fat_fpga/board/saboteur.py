"""Driving a stream saboteur: stuck channels, pixels, single activations and PEs."""

from __future__ import annotations

from typing import NamedTuple

from fat_fpga.board.access import Block, Bus
from fat_fpga.board.registers import SABOTEUR, Mode
from fat_fpga.board.stream import StreamLayout
from fat_fpga.errors import BoardError
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.registry import fault_model, is_ours
from fat_fpga.faults.traits import CHANNEL_AXIS, COLUMN_AXIS, PE_AXIS, ROW_AXIS, STREAM_AXES

NO_FAULT = {"MODE": int(Mode.NONE)}


_MODES = {
    (CHANNEL_AXIS,): Mode.CHANNEL,
    (ROW_AXIS, COLUMN_AXIS): Mode.PIXEL,
    STREAM_AXES: Mode.ELEMENT,
    (PE_AXIS,): Mode.PE,
}
"""What a saboteur holds, by what the index of a fault names."""


def settings(layout: StreamLayout, fault: Fault | None) -> dict[str, int]:
    """The registers to write, by name, before the command ARM; MODE is last.

    Args:
        fault: of a kind that holds activations, at the place of the saboteur; None for no fault.

    Raises:
        BoardError: a saboteur cannot hold this, or the fault lies outside the stream.
    """
    if fault is None:
        return NO_FAULT
    if fault.flip or fault.bit is not None or fault.frame is not None:
        raise BoardError(f"{fault}: a saboteur holds whole values, it flips no bits")
    found: dict[str, int] = {}
    traits = fault_model(fault.kind).traits
    axes = traits.axes
    if not is_ours(fault.kind) or not traits.levels or axes not in _MODES:
        raise BoardError(f"{fault}: a saboteur holds channels, pixels, elements and PEs")
    if CHANNEL_AXIS in axes:
        _check(fault, fault.index[0], layout.channels, CHANNEL_AXIS)
        found["FOLD"], found["LANE"] = divmod(fault.index[0], layout.lanes)
    if ROW_AXIS in axes:
        found["ROW"], found["COLUMN"] = fault.index[-2:]
        _check(fault, found["ROW"], layout.height, ROW_AXIS)
        _check(fault, found["COLUMN"], layout.width, COLUMN_AXIS)
    if PE_AXIS in axes:
        if fault.of != layout.lanes:
            raise BoardError(f"{fault}: the stream carries {layout.lanes} channels a beat, so it has as many PEs")
        found["LANE"] = fault.index[0]
    return {**found, "VALUE": layout.word(fault.value), "MODE": int(_MODES[axes])}


def _check(fault: Fault, index: int, size: int, axis: str) -> None:
    if not 0 <= index < size:
        raise BoardError(f"{fault}: the stream has {axis}s 0 to {size - 1}")


class Counters(NamedTuple):
    """What a saboteur counted since it was cleared: beats held, beats that this changed, frames."""

    hits: int
    changes: int
    frames: int


class Saboteur:
    """A saboteur on a bus.

    Raises:
        BoardError: the block is no saboteur, or one of another stream.
    """

    def __init__(self, place: str, bus: Bus, layout: StreamLayout) -> None:
        self.place = place
        self.layout = layout
        self._block = Block(
            f"saboteur of {place}",
            bus,
            SABOTEUR,
            {
                "LANES": layout.lanes,
                "FOLDS": layout.folds,
                "WIDTH": layout.width,
                "HEIGHT": layout.height,
                "BITS": layout.register.bits,
            },
        )
        self._armed = NO_FAULT

    def arm(self, fault: Fault | None) -> None:
        """Hold ``fault``, or nothing, from the next frame on; clears the counters.

        Raises:
            BoardError: a register reads back wrong, or a frame is stuck half-way through.
        """
        for register, value in settings(self.layout, fault).items():
            self._block.write(register, value)
        self._block.command("ARM", "CLEAR")
        if not self._block.idle("ARMING"):
            raise BoardError(f"saboteur of {self.place}: a frame is stuck half-way through, so it cannot be armed")
        self._armed = settings(self.layout, fault)
        self.verify()

    def verify(self) -> None:
        """BoardError unless what was armed last acts, between frames."""
        status = self._block.read("STATUS")
        wanted = self._armed["MODE"] << dict(SABOTEUR["STATUS"].bits)["MODE"]
        if status != wanted:
            raise BoardError(
                f"saboteur of {self.place}: its status is {status:#x} where {wanted:#x} was expected: it does not "
                "hold what was armed, or a frame is stuck in it"
            )
        for register, value in self._armed.items():
            if (found := self._block.read(register)) != value:
                raise BoardError(
                    f"saboteur of {self.place}: register {register} reads back {found:#x}, it was written {value:#x}"
                )

    def counters(self) -> Counters:
        """What was held since the last ``arm``."""
        return Counters(*(self._block.read(name) for name in ("HITS", "CHANGES", "FRAMES")))
