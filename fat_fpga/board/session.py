"""A board at work: the same fault addresses, the same run files, the same protection of both.

Nothing that a board says is believed unchecked: fault-free outputs are taken before and after each list of faults and
must be the same; after each fault, registers must still hold it and the saboteurs must have seen our images only; where
there are checksum blocks, they are judged layer by layer (`fat_fpga.board.layer_checks`). Where that fails, or a
transfer hangs, the board is programmed anew and the fault is done again; after `ATTEMPTS` the run stops. What was
recorded before stays, and nothing is recorded twice.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.injection import injection_of
from fat_fpga.board.layer_checks import LayerChecks, Readings
from fat_fpga.board.stream import Bytes
from fat_fpga.board.voter import Disagreement
from fat_fpga.checksums import Found
from fat_fpga.engines.images import Images
from fat_fpga.engines.outcome import Outcome, outcome_of
from fat_fpga.engines.session import Block, Session, Streams
from fat_fpga.errors import BoardError, EngineError
from fat_fpga.faults import AnyFault
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray

ATTEMPTS = 3
"""Times that a fault is tried."""


@dataclass(eq=False)
class Log:
    """What happened on a board.

    Attributes:
        disagreements: what voters saw, by fault and by voter; only where copies disagreed.
        restarts: why the board was programmed anew, each time.
    """

    disagreements: dict[str, dict[str, list[Disagreement]]] = field(default_factory=dict)
    restarts: list[str] = field(default_factory=list)


@dataclass(eq=False)
class _Shown:
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


class BoardSession(Session):
    """Runs faults on a board. All images go to it at once, as often as there are faults.

    Raises:
        EngineError: the board was built from another network.
    """

    def __init__(self, name: str, network: Network, accelerator: Accelerator, log: Log) -> None:
        super().__init__(name, network)
        self._accelerator, self._log = accelerator, log
        self._shown: _Shown | None = None
        built = accelerator.description
        if network.fingerprint != built.fingerprint:
            raise EngineError(f"the board was built from another network than {network.name}: it holds {built.name}")

    def refuses(self, fault: AnyFault) -> str | None:
        """Why this board cannot inject a fault; None where it can."""
        try:
            injection_of(fault, self._accelerator.description, self._accelerator.channels_by)
        except BoardError as error:
            return str(error)
        return None

    def prepare(self, faults: Sequence[AnyFault]) -> Sequence[AnyFault]:
        self.check_taken(faults)
        return faults

    def compute(self, block: Block, asked: Sequence[AnyFault]) -> Outcome:
        """See `Session.compute`; BoardError where the board keeps failing."""
        shown = self._show(block.images)
        golden = self._fault_free(shown)
        table = np.empty((len(asked), len(block.images)), np.int32)
        for row, fault in enumerate(asked):
            outputs = self._outputs(fault, shown.frames, partial(shown.checks.under, fault))
            table[row] = self._accelerator.classes(outputs)
            block.tell(len(block.images) * (row + 1) // (len(asked) + 1))
        if asked:
            self._fault_free(shown)
        return outcome_of(self._accelerator.classes(golden), table, block.labels, block.predictions)

    def show(self, block: Block, fault: AnyFault | None) -> Streams:
        """The class scores, where they leave the board; EngineError where it gives out classes alone."""
        if self._accelerator.description.labels:
            raise EngineError("this board gives out classes, and no streams: its checksums are in layer_checksums")
        self.check_taken([] if fault is None else [fault])
        outputs = self._outputs(fault, self._show(block.images).frames, _pass)
        return {self.network.scores: outputs[:, :, None, None]}

    def layer_checksums(self, images: Images, fault: AnyFault | None = None) -> Found:
        """What the checksum blocks hold for each image, as `fat_fpga.checksums.checksums` gives it of streams.

        Raises:
            EngineError: the board cannot inject the fault, or has no such blocks.
            BoardError: the board keeps failing.
        """
        self.check_taken([] if fault is None else [fault])
        kept: dict[str, list[int]] = {}
        blocks = self._accelerator.checksums
        if not blocks:
            raise EngineError("this board has no checksum blocks: build it with --checksums")

        def keep(outputs: IntArray, readings: Readings) -> None:
            for place, reading in readings.items():
                kept.setdefault(place, []).append(reading.checksum)

        for frame in self._show(images).frames:
            self._outputs(fault, frame[None], keep)
        bits = {place: self._accelerator.description.place(place).layout.register.bits for place in blocks}
        return {place: (np.array(sums, np.int64), bits[place]) for place, sums in kept.items()}

    def _show(self, images: Images) -> _Shown:
        """These images on the board, as before if they are the last ones."""
        key = zlib.crc32(images.tobytes())
        if self._shown is None or self._shown.key != key:
            checks = LayerChecks(self.network, self._accelerator.description, images)
            self._shown = _Shown(key, self._accelerator.pack(images), checks)
        return self._shown

    def _fault_free(self, shown: _Shown) -> npt.NDArray[np.int32]:
        """Fault-free outputs; BoardError unless they are the same every time that these images are asked for."""
        if shown.golden is not None and shown.fresh:
            return shown.golden
        outputs = self._outputs(None, shown.frames, shown.checks.fault_free)
        before = outputs if shown.golden is None else shown.golden
        if checksum(outputs) != checksum(before):
            wrong = int((before != outputs).any(axis=1).sum())
            raise BoardError(
                f"the board's fault-free outputs changed (checksum {checksum(before):08x} before, "
                f"{checksum(outputs):08x} now, {wrong} of {len(outputs)} images): what was run in between is not "
                "counted. Run again; if it stays, look at the supply, the clock and the temperature"
            )
        shown.golden, shown.fresh = outputs, True
        return outputs

    def _outputs(
        self, fault: AnyFault | None, frames: Bytes, judge: Callable[[IntArray, Readings], None]
    ) -> npt.NDArray[np.int32]:
        """Outputs under a fault, with the checks and the retries of this module; ``judge`` sees them and the checksum
        blocks."""
        what = "without a fault" if fault is None else f"with {fault}"
        if self._shown is not None:
            self._shown.fresh = False
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if attempt > 1:
                    self._accelerator.restart()
                self._accelerator.arm(fault)
                outputs = self._accelerator.run(frames)
                readings = self._accelerator.verify()
                seen = self._accelerator.disagreements()
                judge(outputs, readings)
            except BoardError as error:
                self._log.restarts.append(f"{what}: {error}")
                if attempt == ATTEMPTS:
                    raise BoardError(f"the board failed {ATTEMPTS} times {what}, and is given up: {error}") from error
            else:
                if seen:
                    self._log.disagreements[str(fault)] = seen
                return outputs
        raise AssertionError


def checksum(outputs: npt.NDArray[np.int32]) -> int:
    """CRC-32 of outputs."""
    return zlib.crc32(np.ascontiguousarray(outputs, "<i4").tobytes())


def _pass(outputs: IntArray, readings: Readings) -> None:
    """Judges nothing."""
