"""A board as an engine of campaigns: the same fault addresses, the same run files, the same protection of both.

Nothing that a board says is believed unchecked: fault-free outputs are taken before and after each list of faults and
must be the same; after each fault, registers must still hold it and the saboteurs must have seen our images only; where
there are checksum blocks, they are judged layer by layer (`fat_fpga.board.layer_checks`). Where that fails, or a
transfer hangs, the board is programmed anew and the fault is done again; after `ATTEMPTS` the run stops. What was
recorded before stays, and nothing is recorded twice.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.injection import injection_of
from fat_fpga.board.layer_checks import LayerChecks, Readings
from fat_fpga.board.stream import Bytes
from fat_fpga.board.voter import Disagreement
from fat_fpga.checksums import Found
from fat_fpga.engines.engine import Images, Labels, Outcome, Progress, check_images, check_taken, outcome_of
from fat_fpga.errors import BoardError, EngineError
from fat_fpga.faults import AnyFault, check_faults
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray

ATTEMPTS = 3
"""Times that a fault is tried."""


@dataclass(eq=False)
class _Session:
    """One set of images on the board.

    Attributes:
        key: CRC-32 of the images.
        frames: as DMA sends them.
        checks: of its layers.
        golden: fault-free outputs; None before the first run.
        fresh: whether the last run was a fault-free one of these images, so that another would only repeat it.
    """

    key: int
    frames: Bytes
    checks: LayerChecks
    golden: npt.NDArray[np.int32] | None = None
    fresh: bool = False


class BoardEngine:
    """Runs faults on a board; give it to `fat_fpga.campaign.run_campaign` as the engine.

    Attributes:
        disagreements: what voters saw, by fault and by voter; only where copies disagreed.
        restarts: why the board was programmed anew, each time.
    """

    name = "board"

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self.disagreements: dict[str, dict[str, list[Disagreement]]] = {}
        self.restarts: list[str] = []
        self._session: _Session | None = None

    def refuses(self, fault: AnyFault) -> str | None:
        """Why this board cannot inject a fault; None where it can."""
        try:
            injection_of(fault, self.accelerator.description, self.accelerator.channels_by)
        except BoardError as error:
            return str(error)
        return None

    def run(
        self,
        network: Network,
        images: Images,
        labels: Labels,
        faults: Sequence[AnyFault],
        *,
        predictions: bool = False,
        progress: Progress | None = None,
    ) -> Outcome:
        """See `fat_fpga.engines.Engine`.

        Raises:
            EngineError: the board was built from another network, or cannot inject a fault.
            BoardError: the board keeps failing.
        """
        check_images(network, images, labels)
        check_faults(network, faults, len(images))
        session = self._open(network, images, faults)
        golden = self._fault_free(session)
        table = np.empty((len(faults), len(images)), np.int32)
        for row, fault in enumerate(faults):
            outputs = self._outputs(fault, session.frames, partial(session.checks.under, fault))
            table[row] = self.accelerator.classes(outputs)
            if progress:
                progress(len(images) * (row + 1) // (len(faults) + 1))
        if faults:
            self._fault_free(session)
        if progress:
            progress(len(images))
        return outcome_of(self.accelerator.classes(golden), table, labels, predictions)

    def trace(self, network: Network, images: Images, fault: AnyFault | None = None) -> dict[str, IntArray]:
        """The class scores, where they leave the board; EngineError where it gives out classes alone."""
        if self.accelerator.description.labels:
            raise EngineError("this board gives out classes, and no streams: its checksums are in layer_checksums")
        session = self._open(network, images, [] if fault is None else [fault])
        return {network.units[-1].name: self._outputs(fault, session.frames, _pass)[:, :, None, None]}

    def layer_checksums(self, network: Network, images: Images, fault: AnyFault | None = None) -> Found:
        """What the checksum blocks hold for each image, as `fat_fpga.checksums.checksums` gives it of streams.

        Raises:
            EngineError: as ``run``, or the board has no such blocks.
            BoardError: the board keeps failing.
        """
        session, kept = self._open(network, images, [] if fault is None else [fault]), dict[str, list[int]]()
        blocks = self.accelerator.checksums
        if not blocks:
            raise EngineError("this board has no checksum blocks: build it with --checksums")

        def keep(outputs: IntArray, readings: Readings) -> None:
            for place, reading in readings.items():
                kept.setdefault(place, []).append(reading.checksum)

        for frame in session.frames:
            self._outputs(fault, frame[None], keep)
        bits = {place: self.accelerator.description.place(place).layout.register.bits for place in blocks}
        return {place: (np.array(sums, np.int64), bits[place]) for place, sums in kept.items()}

    def _open(self, network: Network, images: Images, faults: Sequence[AnyFault]) -> _Session:
        """The session of these images, the last one if they are the same; EngineError for what the board cannot do."""
        built = self.accelerator.description
        if network.fingerprint != built.fingerprint:
            raise EngineError(f"the board was built from another network than {network.name}: it holds {built.name}")
        check_taken(self, faults)
        key = zlib.crc32(images.tobytes())
        if self._session is None or self._session.key != key:
            checks = LayerChecks(network, built, images)
            self._session = _Session(key, self.accelerator.pack(images), checks)
        return self._session

    def _fault_free(self, session: _Session) -> npt.NDArray[np.int32]:
        """Fault-free outputs; BoardError unless they are the same every time that these images are asked for."""
        if session.golden is not None and session.fresh:
            return session.golden
        outputs = self._outputs(None, session.frames, session.checks.fault_free)
        before = outputs if session.golden is None else session.golden
        if checksum(outputs) != checksum(before):
            wrong = int((before != outputs).any(axis=1).sum())
            raise BoardError(
                f"the board's fault-free outputs changed (checksum {checksum(before):08x} before, "
                f"{checksum(outputs):08x} now, {wrong} of {len(outputs)} images): what was run in between is not "
                "counted. Run again; if it stays, look at the supply, the clock and the temperature"
            )
        session.golden, session.fresh = outputs, True
        return outputs

    def _outputs(
        self, fault: AnyFault | None, frames: Bytes, judge: Callable[[IntArray, Readings], None]
    ) -> npt.NDArray[np.int32]:
        """Outputs under a fault, with the checks and the retries of this module; ``judge`` sees them and the checksum
        blocks."""
        what = "without a fault" if fault is None else f"with {fault}"
        if self._session is not None:
            self._session.fresh = False
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if attempt > 1:
                    self.accelerator.restart()
                self.accelerator.arm(fault)
                outputs = self.accelerator.run(frames)
                readings = self.accelerator.verify()
                seen = self.accelerator.disagreements()
                judge(outputs, readings)
            except BoardError as error:
                self.restarts.append(f"{what}: {error}")
                if attempt == ATTEMPTS:
                    raise BoardError(f"the board failed {ATTEMPTS} times {what}, and is given up: {error}") from error
            else:
                if seen:
                    self.disagreements[str(fault)] = seen
                return outputs
        raise AssertionError


def checksum(outputs: npt.NDArray[np.int32]) -> int:
    """CRC-32 of outputs."""
    return zlib.crc32(np.ascontiguousarray(outputs, "<i4").tobytes())


def _pass(outputs: IntArray, readings: Readings) -> None:
    """Judges nothing."""
