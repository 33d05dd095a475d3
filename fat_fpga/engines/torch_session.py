"""The torch engine: batches of faults in PyTorch, on the CPU or on a GPU, with the same code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fat_fpga.engines.block import Block, Streams
from fat_fpga.engines.deviation import Deviation
from fat_fpga.engines.outcome import Outcome, outcome_of
from fat_fpga.engines.reference import classes
from fat_fpga.engines.session import Session
from fat_fpga.engines.torch_layers import exact_products
from fat_fpga.engines.torch_walk import Walk
from fat_fpga.faults import AnyFault, Change, changes_of
from fat_fpga.network import Network
from fat_fpga.network.outputs import OutputValues

Asked = tuple[Walk, list[tuple[Change, ...]]]
"""The network on the device, and the changes of each fault."""


class TorchSession(Session):
    """Exact campaigns in PyTorch.

    Args:
        rows: faults times images that are computed at once.
    """

    images_at_a_time = 128

    def __init__(self, name: str, network: Network, device: torch.device, rows: int) -> None:
        super().__init__(name, network)
        self.device, self.rows = device, rows

    def prepare(self, faults: Sequence[AnyFault]) -> Asked:
        changes = [changes_of(self.network, [fault]) for fault in faults]
        with exact_products():
            return Walk(self.network, [change for part in changes for change in part], self.device), changes

    def compute(self, block: Block, asked: Asked) -> Outcome:
        if self.network.outputs is not None:
            return self._values(block, asked, self.network.outputs)
        walk, changes = asked
        count = len(block.images)
        with exact_products():
            streams = walk.streams(block.images)
            golden = _classes(streams[self.network.scores])
            table = np.broadcast_to(golden, (len(changes), count)).copy()
            step = max(1, self.rows // count)
            for first in range(0, len(changes), step):
                rows = walk.scores(streams, changes[first : first + step], block.first_frame)
                table[first + rows.fault.cpu().numpy(), rows.image.cpu().numpy()] = _classes(rows.values)
        return outcome_of(golden, table, block.labels, block.predictions)

    def _values(self, block: Block, asked: Asked, values: OutputValues) -> Outcome:
        """The outcome for outputs that are no classes."""
        walk, changes = asked
        count, deviation = len(block.images), Deviation.none(len(changes))
        table = np.zeros((len(changes), count), np.int32)
        with exact_products():
            streams = walk.streams(block.images)
            golden = streams[self.network.scores].cpu().numpy()
            step = max(1, self.rows // count)
            for first in range(0, len(changes), step):
                rows = walk.scores(streams, changes[first : first + step], block.first_frame)
                faults, images = first + rows.fault.cpu().numpy(), rows.image.cpu().numpy()
                found = rows.values.cpu().numpy()
                for fault in np.unique(faults):
                    own = faults == fault
                    table[fault, images[own]] = deviation.add(fault, values, found[own], golden[images[own]])
        return outcome_of(np.zeros(count, np.int32), table, block.labels, block.predictions, deviation)

    def show(self, block: Block, fault: AnyFault | None) -> Streams:
        found = {}
        walk, changes = self.prepare([] if fault is None else [fault])
        with exact_products():
            streams = walk.streams(block.images)
            for place, rows in walk.faulty(streams, changes, block.first_frame):
                stream = streams[place].clone()
                stream[rows.image] = rows.values
                found[place] = stream.cpu().numpy()
        return found


def _classes(scores: Tensor) -> npt.NDArray[np.int32]:
    return classes(scores.cpu().numpy())
