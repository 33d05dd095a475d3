"""Networks with a fault in them for good: every run, the golden one included, is a run with that fault.

A file that ``fat-fpga inject`` has written reads as such a network. What a second fault does beside the first is then a
campaign like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fat_fpga.engines.engine import Choosing, Engine, Images, Labels, Outcome, Progress, outcome_of
from fat_fpga.faults import AnyFault, parse_fault
from fat_fpga.faults.fault import single_or_set
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray


def with_its_fault(engine: Engine, network: Network) -> Engine:
    """An engine that executes ``network`` with the fault that is in it; the engine itself where there is none."""
    return Present(engine, network) if network.fault else engine


class Present:
    """Executes one network, with the fault that is in it."""

    def __init__(self, engine: Engine, network: Network) -> None:
        self.name = engine.name
        self._engine, self._network = engine, network.fault_free
        self._present = parse_fault(network.fault).faults

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
        count = len(images)
        together = [self._beside(None, count), *(self._beside(fault, count) for fault in faults)]
        found = self._engine.run(self._network, images, labels, together, predictions=True, progress=progress)
        assert found.predictions is not None
        return outcome_of(found.predictions[0].copy(), found.predictions[1:], labels, predictions)

    def trace(self, network: Network, images: Images, fault: AnyFault | None = None) -> dict[str, IntArray]:
        return self._engine.trace(self._network, images, self._beside(fault, len(images)))

    def refuses(self, fault: AnyFault) -> str | None:
        """Why the engine does not take this fault; None where it does."""
        return self._engine.refuses(fault) if isinstance(self._engine, Choosing) else None

    def _beside(self, fault: AnyFault | None, images: int) -> AnyFault:
        """The fault beside those that are present. One of a single frame is present in each image."""
        present = [
            each
            for part in self._present
            for each in ([part] if part.frame is None else [replace(part, frame=frame) for frame in range(images)])
        ]
        more = [] if fault is None else [part for part in fault.faults if part not in present]
        return single_or_set((*present, *more))
