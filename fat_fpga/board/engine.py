"""A board as an engine of campaigns: the same fault addresses, the same run files, the same protection of both.

Nothing that a board says is believed unchecked: fault-free scores are taken before and after each list of faults and
must be the same; after each fault, registers must still hold it and the saboteurs must have seen our images only.
Where that fails, or a transfer hangs, the board is programmed anew and the fault is done again; after `ATTEMPTS` the
run stops. What was recorded before stays, and nothing is recorded twice.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fat_fpga.board.accelerator import Accelerator, classes
from fat_fpga.board.voter import Disagreement
from fat_fpga.engines.engine import Images, Labels, Outcome, Progress, check_images, outcome_of
from fat_fpga.errors import BoardError, EngineError
from fat_fpga.faults import AnyFault, check_faults
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray

ATTEMPTS = 3
"""Times that a fault is tried."""


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
        self._golden: dict[int, npt.NDArray[np.int32]] = {}

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
            BoardError: the board is another one, cannot inject a fault, or keeps failing.
        """
        self._check(network)
        check_images(network, images, labels)
        check_faults(network, faults, len(images))
        for fault in faults:
            self.accelerator.injection(fault)
        golden = self._fault_free(images)
        table = np.empty((len(faults), len(images)), np.int32)
        for row, fault in enumerate(faults):
            table[row] = classes(self._scores(fault, images))
            if progress:
                progress(len(images) * (row + 1) // (len(faults) + 1))
        if faults:
            self._fault_free(images)
        if progress:
            progress(len(images))
        return outcome_of(classes(golden), table, labels, predictions)

    def trace(self, network: Network, images: Images, fault: AnyFault | None = None) -> dict[str, IntArray]:
        """The class scores, which are all that leaves a board."""
        self._check(network)
        return {network.units[-1].name: self._scores(fault, images)[:, :, None, None]}

    def _check(self, network: Network) -> None:
        built = self.accelerator.description
        if network.fingerprint != built.fingerprint:
            raise EngineError(f"the board was built from another network than {network.name}: it holds {built.name}")

    def _fault_free(self, images: Images) -> npt.NDArray[np.int32]:
        """Fault-free scores; BoardError unless they are the same every time that these images are asked for."""
        scores = self._scores(None, images)
        before = self._golden.setdefault(zlib.crc32(images.tobytes()), scores)
        if checksum(scores) != checksum(before):
            wrong = int((before != scores).any(axis=1).sum())
            raise BoardError(
                f"the board's fault-free scores changed (checksum {checksum(before):08x} before, "
                f"{checksum(scores):08x} now, {wrong} of {len(images)} images): what was run in between is not "
                "counted. Run again; if it stays, look at the supply, the clock and the temperature"
            )
        return scores

    def _scores(self, fault: AnyFault | None, images: Images) -> npt.NDArray[np.int32]:
        """Scores under a fault, with the checks and the retries of this module."""
        what = "without a fault" if fault is None else f"with {fault}"
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if attempt > 1:
                    self.accelerator.restart()
                self.accelerator.arm(fault)
                scores = self.accelerator.scores(images)
                self.accelerator.verify()
                seen = self.accelerator.disagreements()
            except BoardError as error:
                self.restarts.append(f"{what}: {error}")
                if attempt == ATTEMPTS:
                    raise BoardError(f"the board failed {ATTEMPTS} times {what}, and is given up: {error}") from error
            else:
                if seen:
                    self.disagreements[str(fault)] = seen
                return scores
        raise AssertionError


def checksum(scores: npt.NDArray[np.int32]) -> int:
    """CRC-32 of class scores."""
    return zlib.crc32(np.ascontiguousarray(scores, "<i4").tobytes())
