"""An accelerator with everything in it that can inject, vote and count: arm a fault, run images, check that the board
is still as it was armed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fat_fpga.board.access import POLLS
from fat_fpga.board.checksum import ChecksumHook, Reading
from fat_fpga.board.description import Description
from fat_fpga.board.device import Device
from fat_fpga.board.injection import SABOTEUR, THRESHOLDS, Injection, injection_of
from fat_fpga.board.saboteur import Counters, Saboteur
from fat_fpga.board.stream import Bytes
from fat_fpga.board.thresholds import WritableThresholds
from fat_fpga.board.voter import Disagreement, Voter
from fat_fpga.errors import BoardError
from fat_fpga.faults.any_fault import AnyFault

BATCH = 256
"""Frames of one DMA transfer."""
Counts = TypeVar("Counts", Counters, Reading)
Held = tuple[int | None, int | None]
"""HITS and CHANGES of a saboteur; None where it is not known."""


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
        self.checksums = {
            s.place: ChecksumHook(s.place, bus(s.checksum), s.layout) for s in streams if s.checksum is not None
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
        """How a fault gets in, or none; BoardError where it cannot."""
        return injection_of(fault, self.description, self.channels_by)

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
        for hook in self.checksums.values():
            hook.clear()
        self._frames = 0

    def pack(self, images: npt.NDArray[np.uint8]) -> Bytes:
        """Images uint8 [N, C, H, W] as the frames that DMA sends, uint8 [N, beats, bytes]."""
        return self.description.input.pack(self.description.quantise(images))

    def run(self, frames: Bytes) -> npt.NDArray[np.int32]:
        """What comes out for frames of ``pack``: class scores int32 [N, classes], or where the accelerator gives the
        class alone int32 [N, 1].

        Raises:
            HungTransferError: it does not come.
        """
        output = self.description.output
        found = []
        for start in range(0, len(frames), self.batch):
            part = frames[start : start + self.batch]
            data = part.reshape(-1, part.shape[-1])
            got = self.device.transfer(data, len(part) * output.beats, output.beat_bytes)
            found.append(output.unpack(got.reshape(len(part), output.beats, output.beat_bytes))[:, :, 0, 0])
            self._frames += len(part)
        return np.concatenate(found)

    def classes(self, outputs: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Predicted classes, int32 [N], of what ``run`` gave: the first of the largest scores."""
        predicted = outputs[:, 0] if self.description.labels else outputs.argmax(axis=1)
        return predicted.astype(np.int32)

    def verify(self, counts: Mapping[str, Held] | None = None) -> dict[str, Reading]:
        """What the checksum blocks hold of the images since ``arm``, by place.

        Args:
            counts: what each saboteur must have counted; None where that is not known.

        Raises:
            BoardError: the board is not as it was armed any more, or was not all the time; it has not seen our images
                and no others; or a saboteur counted something else.
        """
        for memory in self.thresholds.values():
            memory.verify()
        for place, saboteur in self.saboteurs.items():
            self._check_frames(place, saboteur.counters)
            saboteur.verify(self._frames, *(counts[place] if counts is not None else (None, None)))
        return {place: self._check_frames(place, hook.read) for place, hook in self.checksums.items()}

    def disagreements(self) -> dict[str, list[Disagreement]]:
        """What voters saw since ``arm``, by place; empty where all copies agreed."""
        found = {place: voter.disagreements() for place, voter in self.voters.items()}
        return {place: seen for place, seen in found.items() if seen}

    def _flush(self) -> None:
        """One image whose outputs nobody reads: streams may still hold what old memories made."""
        self.run(self.pack(np.zeros((1, *self.description.shape), np.uint8)))

    def _check_frames(self, place: str, read: Callable[[], Counts]) -> Counts:
        """What a block counted; BoardError unless it is the frames that were sent. The last beats, which decide no
        class, may still be on their way."""
        for _ in range(POLLS):
            if (seen := read()).frames >= self._frames:
                break
        if seen.frames != self._frames:
            raise BoardError(
                f"{place}: {seen.frames} frames passed where {self._frames} were sent: another host uses this board, "
                "or it was reset meanwhile"
            )
        return seen
