"""An accelerator with everything in it that can inject, vote and count: arm a fault, run images, check that the board
is still as it was armed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fat_fpga.board.description import Description
from fat_fpga.board.device import Device
from fat_fpga.board.saboteur import Saboteur
from fat_fpga.board.thresholds import WritableThresholds
from fat_fpga.board.voter import Disagreement, Voter
from fat_fpga.errors import BoardError
from fat_fpga.faults.fault import AnyFault, Fault

SABOTEUR, THRESHOLDS = "saboteur", "thresholds"
BATCH = 256
"""Frames of one DMA transfer."""


class Injection(NamedTuple):
    """Where the parts of a fault go: at most one fault a saboteur, and levels of channels a threshold memory."""

    saboteurs: dict[str, Fault]
    thresholds: dict[str, dict[int, int]]


class Accelerator:
    """A programmed board.

    Args:
        device: the board, or the simulated one.
        description: what was built.
        channels_by: how channels are stuck where a unit has both means: ``thresholds``, or ``saboteur``.
        batch: frames of one DMA transfer.

    Raises:
        BoardError: what is on the board is not what the description says, also after it was programmed anew.
    """

    def __init__(
        self, device: Device, description: Description, channels_by: str = THRESHOLDS, batch: int = BATCH
    ) -> None:
        if channels_by not in (SABOTEUR, THRESHOLDS):
            raise BoardError(f"channels are stuck by '{THRESHOLDS}' or '{SABOTEUR}', got '{channels_by}'")
        self.device = device
        self.description = description
        self.channels_by = channels_by
        self.batch = batch
        self._frames = 0
        try:
            self.connect()
        except BoardError:  # what a run that was interrupted left armed
            self.restart()

    def connect(self) -> None:
        """Look at every block, as after programming; BoardError where one is missing or another."""
        streams = self.description.streams
        bus = self.device.bus
        self.saboteurs = {
            s.place: Saboteur(s.place, bus(s.saboteur), s.layout) for s in streams if s.saboteur is not None
        }
        self.thresholds = {
            s.place: WritableThresholds(s, bus(s.thresholds.address)) for s in streams if s.thresholds is not None
        }
        self.voters = {}
        for front, stream in pairwise(streams):
            if stream.voter is not None:
                sources = np.array(stream.sources, np.int32)
                self.voters[stream.place] = Voter(stream.place, bus(stream.voter), front.layout, stream.layout, sources)

    def restart(self) -> None:
        """Program the board anew."""
        self.device.restart()
        self.connect()

    def injection(self, fault: AnyFault | None) -> Injection:
        """How the board injects a fault, or several at once; BoardError where it cannot."""
        saboteurs: dict[str, Fault] = {}
        thresholds: dict[str, dict[int, int]] = {}
        for part in fault.faults if fault is not None else ():
            writable = part.layer in self.thresholds
            if (
                part.kind == "channel"
                and writable
                and (self.channels_by == THRESHOLDS or part.layer not in self.saboteurs)
            ):
                if part.layer in saboteurs:
                    raise BoardError(
                        f"{fault}: the saboteur of {part.layer} stands behind its thresholds, and would win"
                    )
                thresholds.setdefault(part.layer, {})[part.index[0]] = part.value
            elif part.layer in self.saboteurs:
                if part.layer in saboteurs:
                    raise BoardError(f"{fault}: the saboteur of {part.layer} holds one fault at a time")
                saboteurs[part.layer] = part
            else:
                known = ", ".join(sorted({*self.saboteurs, *self.thresholds})) or "nowhere"
                raise BoardError(f"{part}: this board can inject faults at {known}, not at {part.layer}")
        return Injection(saboteurs, thresholds)

    def arm(self, fault: AnyFault | None) -> None:
        """Inject ``fault`` from the next image on, or nothing; BoardError if a register reads back wrong."""
        injection = self.injection(fault)
        written = [memory.hold(injection.thresholds.get(place, {})) for place, memory in self.thresholds.items()]
        if any(written):
            self._flush()
        for place, saboteur in self.saboteurs.items():
            saboteur.arm(injection.saboteurs.get(place))
        for voter in self.voters.values():
            voter.clear()
        self._frames = 0

    def scores(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
        """Class scores int32 [N, classes] of images uint8 [N, C, H, W]; HungTransferError if they do not come."""
        entry, output = self.description.input, self.description.output
        found = []
        for start in range(0, len(images), self.batch):
            part = images[start : start + self.batch]
            data = entry.pack(self.description.quantise(part)).reshape(-1, entry.beat_bytes)
            got = self.device.transfer(data, len(part) * output.beats, output.beat_bytes)
            found.append(output.unpack(got.reshape(len(part), output.beats, output.beat_bytes))[:, :, 0, 0])
            self._frames += len(part)
        return np.concatenate(found)

    def verify(self) -> None:
        """BoardError unless the board is still as it was armed, and has seen our images and no others."""
        for memory in self.thresholds.values():
            memory.verify()
        for place, saboteur in self.saboteurs.items():
            saboteur.verify()
            seen = saboteur.counters().frames
            if seen != self._frames:
                raise BoardError(
                    f"{place}: {seen} frames passed where {self._frames} were sent: another host uses this board, "
                    "or it was reset meanwhile"
                )

    def disagreements(self) -> dict[str, list[Disagreement]]:
        """What voters saw since ``arm``, by place; empty where all copies agreed."""
        found = {place: voter.disagreements() for place, voter in self.voters.items()}
        return {place: seen for place, seen in found.items() if seen}

    def _flush(self) -> None:
        """One image whose scores nobody reads: streams may still hold what old memories made."""
        self.scores(np.zeros((1, *self.description.shape), np.uint8))


def classes(scores: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Predicted classes, int32 [N]: the first maximum."""
    predicted: npt.NDArray[np.int32] = scores.argmax(axis=1).astype(np.int32)
    return predicted


def injectable(accelerator: Accelerator, faults: Sequence[AnyFault]) -> list[AnyFault]:
    """Those of the faults that this board can inject."""

    def possible(fault: AnyFault) -> bool:
        try:
            accelerator.injection(fault)
        except BoardError:
            return False
        return True

    return [fault for fault in faults if possible(fault)]
