"""Networks with a fault in them for good: every run, the golden one included, is a run with that fault.

A file that ``fat-fpga inject`` has written reads as such a network. What a second fault does beside the first is then a
campaign like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fat_fpga.engines.block import Block, Streams
from fat_fpga.engines.images import Images, Labels, check_images
from fat_fpga.engines.outcome import Outcome, outcome_of
from fat_fpga.engines.session import Session
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, check_faults, parse_fault
from fat_fpga.faults.fault import single_or_set
from fat_fpga.network import Network


class Present(Session):
    """Executes a network with the fault that is in it, in a session on the network without.

    Args:
        session: on ``network.fault_free``.
    """

    def __init__(self, session: Session, network: Network) -> None:
        super().__init__(session.name, network)
        if network.outputs is not None:
            raise EngineError(
                f"{network.name} has the fault {network.fault} in it for good, and outputs that are no classes: this "
                "is not supported yet, take the file without the fault"
            )
        self._session = session
        self._present = parse_fault(network.fault).faults

    def prepare(self, faults: Sequence[AnyFault]) -> Sequence[AnyFault]:
        return faults

    def compute(self, block: Block, asked: Sequence[AnyFault]) -> Outcome:
        frames = block.frames
        together = [self._beside(None, frames), *(self._beside(fault, frames) for fault in asked)]
        found = self._session.run(
            block.images, block.labels, together, predictions=True, progress=block.tell,
            first_frame=block.first_frame, frames=frames,
        )  # fmt: skip
        assert found.predictions is not None
        return outcome_of(found.predictions[0].copy(), found.predictions[1:], block.labels, block.predictions)

    def show(self, block: Block, fault: AnyFault | None) -> Streams:
        beside = self._beside(fault, block.frames)
        return self._session.trace(block.images, beside, first_frame=block.first_frame, frames=block.frames)

    def refuses(self, fault: AnyFault) -> str | None:
        return self._session.refuses(fault)

    def _check(self, images: Images, labels: Labels, faults: Sequence[AnyFault], frames: int) -> None:
        check_images(self.network, images, labels)
        check_faults(self.network.fault_free, faults, frames)

    def _beside(self, fault: AnyFault | None, frames: int) -> AnyFault:
        """The fault beside those that are present. One of a single frame is present in each image."""
        present = [
            each
            for part in self._present
            for each in ([part] if part.frame is None else [replace(part, frame=frame) for frame in range(frames)])
        ]
        more = [] if fault is None else [part for part in fault.faults if part not in present]
        return single_or_set((*present, *more))
