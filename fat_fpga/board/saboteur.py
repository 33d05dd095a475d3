"""Driving a stream saboteur: stuck channels, pixels, single activations and PEs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fat_fpga.board.access import Block, Bus
from fat_fpga.board.registers import SABOTEUR, SETTINGS, SIGNATURE_SEED, Mode
from fat_fpga.board.stream import StreamLayout
from fat_fpga.errors import BoardError
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.registry import fault_model, is_ours
from fat_fpga.faults.traits import CHANNEL_AXIS, COLUMN_AXIS, PE_AXIS, ROW_AXIS, STREAM_AXES

NO_FAULT = {**dict.fromkeys(SETTINGS, 0), "MODE": int(Mode.NONE)}
"""The settings that hold nothing."""

_MODES = {
    (CHANNEL_AXIS,): Mode.CHANNEL,
    (ROW_AXIS, COLUMN_AXIS): Mode.PIXEL,
    STREAM_AXES: Mode.ELEMENT,
    (PE_AXIS,): Mode.PE,
}
"""What a saboteur holds, by what the index of a fault names."""


def settings(layout: StreamLayout, fault: Fault | None) -> dict[str, int]:
    """All registers that the command ARM takes, by name.

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
    return {**NO_FAULT, **found, "VALUE": layout.word(fault.value), "MODE": int(_MODES[axes])}


def channel_settings(layout: StreamLayout, channel: int, value: int) -> dict[str, int]:
    """The settings that hold a channel at a value."""
    fold, lane = divmod(channel, layout.lanes)
    return {**NO_FAULT, "FOLD": fold, "LANE": lane, "VALUE": layout.word(value), "MODE": int(Mode.CHANNEL)}


def signature(settings: Mapping[str, int]) -> int:
    """What the register SIGNATURE holds where these settings acted: each is folded to 16 bits, rotated to the
    left by its own number of bits (`SETTINGS`), and all are XORed, with `SIGNATURE_SEED`."""
    found = SIGNATURE_SEED
    for name, shift in SETTINGS.items():
        folded = (settings[name] >> 16 ^ settings[name]) & 0xFFFF
        found ^= (folded << shift | folded >> 16 - shift) & 0xFFFF
    return found


def _check(fault: Fault, index: int, size: int, axis: str) -> None:
    if not 0 <= index < size:
        raise BoardError(f"{fault}: the stream has {axis}s 0 to {size - 1}")


def held(layout: StreamLayout, settings: Mapping[str, int]) -> npt.NDArray[np.bool_]:
    """What these settings hold: bool [height, width, folds, lanes]."""
    found = np.zeros((layout.height, layout.width, layout.folds, layout.lanes), bool)
    mode = SABOTEUR["MODE"]
    if settings["MODE"] & mode.mask("ENABLE"):
        bits = ("MATCH_ROW", "MATCH_COLUMN", "MATCH_FOLD", "MATCH_LANE")
        names = (bit.removeprefix("MATCH_") for bit in bits)
        at = [settings[n] if settings["MODE"] & mode.mask(b) else slice(None) for b, n in zip(bits, names, strict=True)]
        found[tuple(at)] = True
    return found


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
        self._commands = self._block.read("COMMANDS")

    def arm(self, fault: Fault | None) -> None:
        """Hold ``fault``, or nothing, from the next frame on; clears the counters.

        Raises:
            BoardError: the block was given commands that are not ours, or none of ours; a register reads back wrong; a
                frame is stuck half-way through; or something else acts.
        """
        self._check_commands()
        self._armed = settings(self.layout, fault)
        for register, value in self._armed.items():
            self._block.write(register, value)
        self._block.command("ARM", "CLEAR")
        for _, shift in SABOTEUR["COMMANDS"].bits:
            counted = (self._commands >> shift) + 1 & 0xFF
            self._commands = self._commands & ~(0xFF << shift) | counted << shift
        self._check_commands()
        if not self._block.idle("ARMING"):
            raise BoardError(f"saboteur of {self.place}: a frame is stuck half-way through, so it cannot be armed")
        self.verify(0)

    def verify(self, frames: int, hits: int | None = 0, changes: int | None = 0) -> None:
        """BoardError unless what was armed last acts, and acted in all beats since.

        Args:
            frames: that passed since.
            hits, changes: what it must have counted; None where that is not known.
        """
        self._check_commands()
        status = self._block.read("STATUS")
        wanted = self._armed["MODE"] << dict(SABOTEUR["STATUS"].bits)["MODE"]
        if status != wanted:
            sticky = [bit for bit in ("UPSET", "CHANGED") if status & SABOTEUR["STATUS"].mask(bit)]
            why = f" ({' and '.join(sticky)}: its settings changed without ARM)" if sticky else ""
            raise BoardError(
                f"saboteur of {self.place}: its status is {status:#x} where {wanted:#x} was expected: it does not "
                f"hold what was armed, or a frame is stuck in it{why}"
            )
        for register, value in self._armed.items():
            self._same(register, value, "it was written")
            if register != "MODE":  # which STATUS shows
                self._same(f"ACTIVE_{register}", value, "armed was")
        if frames:
            self._same("SIGNATURE", signature(self._armed), "the settings that were armed have")
        for register, count in (("HITS", hits), ("CHANGES", changes)):
            if count is not None:
                self._same(register, count, "the integer network foretells")

    def counters(self) -> Counters:
        """What was held since the last ``arm``."""
        return Counters(*(self._block.read(name) for name in ("HITS", "CHANGES", "FRAMES")))

    def _check_commands(self) -> None:
        """BoardError unless it took our commands, each once, and no others."""
        self._same("COMMANDS", self._commands, "the commands that were given make")

    def _same(self, register: str, value: int, why: str) -> None:
        if (found := self._block.read(register)) != value:
            raise BoardError(f"saboteur of {self.place}: register {register} reads back {found:#x}, {why} {value:#x}")
