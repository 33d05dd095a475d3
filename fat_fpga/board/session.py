"""A board at work: the same fault addresses, the same run files, the same protection of both.

Nothing that a board says is believed unchecked. Before and after each fault its blocks must show what was armed, that
it acted in every beat, and that our commands and our images came, each once and no others. What they count, and what
comes out, is held against the integer network (`fat_fpga.board.layer_checks`): of all images where the host has the
compiled kernels. Where it has not, every list of faults is gone through a second time, with the images in another
order, after the board was programmed anew, and both times must give the same: what is wrong with an accelerator and
stays, programming takes away. Where anything fails, or a transfer hangs, the board is programmed anew and the fault is
done again; after `ATTEMPTS` the run stops. What was recorded before stays, and nothing is recorded twice.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fat_fpga.board.accelerator import Accelerator, Held
from fat_fpga.board.injection import injection_of
from fat_fpga.board.layer_checks import LayerChecks, Order, Readings
from fat_fpga.board.stream import Bytes
from fat_fpga.board.voter import Disagreement
from fat_fpga.checksums import Found
from fat_fpga.engines.block import Block, Progress, Streams
from fat_fpga.engines.images import Images
from fat_fpga.engines.outcome import Outcome, outcome_of
from fat_fpga.engines.session import Session
from fat_fpga.errors import BoardError, EngineError
from fat_fpga.faults import AnyFault
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray

ATTEMPTS = 3
"""Times that a fault is tried."""
Judge = Callable[[IntArray, Readings], None]
"""Sees outputs and checksum blocks; BoardError where they are not what they must be."""


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
        checks: of what the board does with them.
        orders: in which they are sent under each fault.
        fresh: whether the last run was a fault-free one of these images, so that another would only repeat it.
    """

    key: int
    frames: Bytes
    checks: LayerChecks
    orders: list[Order]
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
        table = np.empty((len(asked), len(block.images)), np.int32)

        def tell(done: int) -> None:
            block.tell(len(block.images) * done // (len(asked) * len(shown.orders) + 1))

        for row, outputs in self._under(asked, shown, tell):
            table[row] = self._accelerator.classes(outputs)
        golden = self._accelerator.classes(shown.checks.foretold.outputs)
        return outcome_of(golden, table, block.labels, block.predictions)

    def show(self, block: Block, fault: AnyFault | None) -> Streams:
        """The class scores, where they leave the board; EngineError where it gives out classes alone."""
        if self._accelerator.description.labels:
            raise EngineError("this board gives out classes, and no streams: its checksums are in layer_checksums")
        self.check_taken([] if fault is None else [fault])
        shown = self._show(block.images)
        self._fault_free(shown)
        outputs = shown.checks.foretold.outputs
        if fault is not None:
            ((_, outputs),) = self._under([fault], shown)
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
            self._tried(fault, frame[None], keep)
        bits = {place: self._accelerator.description.place(place).layout.register.bits for place in blocks}
        return {place: (np.array(sums, np.int64), bits[place]) for place, sums in kept.items()}

    def _show(self, images: Images) -> _Shown:
        """These images on the board, as before if they are the last ones."""
        key = zlib.crc32(images.tobytes())
        if self._shown is None or self._shown.key != key:
            description, order = self._accelerator.description, np.arange(len(images))
            checks = LayerChecks(self.network, description, images)
            orders = [order] if checks.foretold.complete else [order, np.roll(order, len(order) // 2 | 1)]
            self._shown = _Shown(key, self._accelerator.pack(images), checks, orders)
        return self._shown

    def _fault_free(self, shown: _Shown) -> None:
        """BoardError where the board gives or does something else without a fault than the network."""
        if not shown.fresh:
            order = shown.orders[0]

            def judge(outputs: IntArray, readings: Readings) -> None:
                shown.checks.fault_free(order, outputs, readings)

            self._tried(None, shown.frames, judge, shown.checks.counts(self._accelerator.injection(None)))
            shown.fresh = True

    def _under(
        self, faults: Sequence[AnyFault], shown: _Shown, tell: Progress = lambda done: None
    ) -> Iterator[tuple[int, IntArray]]:
        """The number of each fault, and the outputs under it in the order of the images, as they are agreed upon.

        Args:
            tell: called with the number of runs under a fault that are finished.
        """
        if not faults:
            self._fault_free(shown)
            return
        waiting, why, done = list(range(len(faults))), "", 0
        for _ in range(ATTEMPTS):
            passes: list[list[IntArray]] = []
            for order in shown.orders:
                if passes:
                    self._accelerator.restart()
                    shown.fresh = False
                self._fault_free(shown)
                passes.append([])
                for number in waiting:
                    passes[-1].append(self._once_under(faults[number], shown, order))
                    tell(done := min(done + 1, len(faults) * len(shown.orders)))
                self._fault_free(shown)
            waiting, asked = [], waiting
            for number, *found in zip(asked, *passes, strict=True):
                if all(np.array_equal(found[0], other) for other in found):
                    yield number, found[0]
                    continue
                waiting.append(number)
                wrong = int((found[0] != found[1]).any(axis=1).sum())
                why = f"{wrong} of {len(found[0])} images gave something else after it was programmed anew"
                self._log.restarts.append(f"with {faults[number]}: {why}")
            if not waiting:
                return
        raise BoardError(f"the board failed {ATTEMPTS} times with {faults[waiting[0]]}, and is given up: {why}")

    def _once_under(self, fault: AnyFault, shown: _Shown, order: Order) -> IntArray:
        """Outputs under a fault, in the order of the images, which are sent in another one."""
        injection = self._accelerator.injection(fault)

        def judge(outputs: IntArray, readings: Readings) -> None:
            shown.checks.under(fault, injection, order, outputs, readings)

        outputs = self._tried(fault, shown.frames[order], judge, shown.checks.counts(injection))
        return outputs[np.argsort(order)]

    def _tried(
        self,
        fault: AnyFault | None,
        frames: Bytes,
        judge: Judge,
        counts: Mapping[str, Held] | None = None,
    ) -> IntArray:
        """Outputs of these frames under a fault, with the checks and the retries of this module.

        Args:
            judge: sees them and the checksum blocks.
            counts: what each saboteur must count.
        """
        what = "without a fault" if fault is None else f"with {fault}"
        if self._shown is not None:
            self._shown.fresh = False
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if attempt > 1:
                    self._accelerator.restart()
                self._accelerator.arm(fault)
                outputs = self._accelerator.run(frames)
                readings = self._accelerator.verify(counts)
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
