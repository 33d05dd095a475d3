"""How an accelerator injects a fault: which of its saboteurs and threshold memories take which part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fat_fpga.board.description import Description
from fat_fpga.board.saboteur import settings
from fat_fpga.errors import BoardError
from fat_fpga.faults.any_fault import AnyFault
from fat_fpga.faults.channel import ChannelStuckAt
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.registry import is_ours, meets_thresholds

SABOTEUR, THRESHOLDS = "saboteur", "thresholds"
CHANNELS = ChannelStuckAt.kind
"""The kind of fault that thresholds can hold."""


class Injection(NamedTuple):
    """Where the parts of a fault go: at most one fault a saboteur, and levels of channels a threshold memory."""

    saboteurs: dict[str, Fault]
    thresholds: dict[str, dict[int, int]]


def injection_of(fault: AnyFault | None, description: Description, channels_by: str = THRESHOLDS) -> Injection:
    """How the accelerator injects a fault, or several at once.

    Args:
        channels_by: how channels are stuck where a unit has both means: ``thresholds``, or ``saboteur``.

    Raises:
        BoardError: it cannot.
    """
    places = {stream.place: stream for stream in description.streams}
    found = Injection({}, {})
    for part in fault.faults if fault is not None else ():
        stream = places.get(part.layer)
        if stream is None or (stream.saboteur is None and stream.thresholds is None):
            able = [s.place for s in description.streams if s.saboteur is not None or s.thresholds is not None]
            raise BoardError(
                f"{part}: this board can inject faults at {', '.join(able) or 'no place'}, not at {part.layer}"
            )
        writable = stream.thresholds is not None and part.kind == CHANNELS
        if stream.thresholds is not None and is_ours(part.kind) and meets_thresholds(part.kind):
            raise BoardError(f"{part}: the board engine writes ascending thresholds alone, and no single bits of them")
        by_thresholds = writable and (channels_by == THRESHOLDS or stream.saboteur is None)
        if not by_thresholds and stream.saboteur is None:
            raise BoardError(f"{part}: thresholds hold whole channels, and {part.layer} has no saboteur on this board")
        if part.layer in (found.saboteurs if by_thresholds else found.thresholds):
            raise BoardError(f"{fault}: the saboteur of {part.layer} stands behind its thresholds, and would win")
        if by_thresholds:
            found.thresholds.setdefault(part.layer, {})[part.index[0]] = part.value
            continue
        if part.layer in found.saboteurs:
            raise BoardError(f"{fault}: the saboteur of {part.layer} holds one fault at a time")
        settings(stream.layout, part)  # whether it can be held
        found.saboteurs[part.layer] = part
    return found


def injectable(description: Description, faults: Sequence[AnyFault], channels_by: str = THRESHOLDS) -> list[AnyFault]:
    """Those of the faults that the accelerator can inject."""

    def possible(fault: AnyFault) -> bool:
        try:
            injection_of(fault, description, channels_by)
        except BoardError:
            return False
        return True

    return [fault for fault in faults if possible(fault)]
