"""Engines that execute one fault at a time: every judge does, for it is what anybody can read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.block import Block, Streams
from fat_fpga.engines.deviation import Deviation
from fat_fpga.engines.images import Images
from fat_fpga.engines.outcome import Outcome, outcome_of
from fat_fpga.engines.session import Session
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, Change, changes_of
from fat_fpga.network.layers import IntArray
from fat_fpga.network.outputs import OutputValues

State = TypeVar("State")
"""What an execution leaves: the streams, or every tensor of a graph."""


class OneByOne(Session, Generic[State]):
    """A session that executes the network anew for each fault. A subclass gives `execute`, `classes` and `streams`."""

    @abstractmethod
    def execute(
        self, images: Images, changes: Sequence[Change], first_frame: int, fault_free: State | None = None
    ) -> State:
        """Execute the network with all ``changes`` in it, on images uint8 [N, C, H, W].

        Args:
            first_frame: number of the first image in the data set.
            fault_free: what the same images gave without changes, where that is known.
        """

    @abstractmethod
    def classes(self, state: State) -> npt.NDArray[np.int32]:
        """Predicted classes, int32 [N]."""

    @abstractmethod
    def streams(self, state: State) -> Streams:
        """The streams that an execution shows."""

    def prepare(self, faults: Sequence[AnyFault]) -> list[tuple[Change, ...]]:
        return [changes_of(self.network, [fault]) for fault in faults]

    def compute(self, block: Block, asked: list[tuple[Change, ...]]) -> Outcome:
        if self.network.outputs is not None:
            return self._values(block, asked, self.network.outputs)
        fault_free = self.execute(block.images, (), block.first_frame)
        golden = self.classes(fault_free)
        table = np.empty((len(asked), len(block.images)), np.int32)
        for row, changes in enumerate(asked):
            table[row] = self.classes(self.execute(block.images, changes, block.first_frame, fault_free))
        return outcome_of(golden, table, block.labels, block.predictions)

    def _values(self, block: Block, asked: list[tuple[Change, ...]], values: OutputValues) -> Outcome:
        """The outcome for outputs that are no classes."""
        fault_free = self.execute(block.images, (), block.first_frame)
        golden, deviation = self._output(fault_free), Deviation.none(len(asked))
        table = np.empty((len(asked), len(block.images)), np.int32)
        for row, changes in enumerate(asked):
            found = self._output(self.execute(block.images, changes, block.first_frame, fault_free))
            table[row] = deviation.add(row, values, found, golden)
        nothing = np.zeros(len(block.images), np.int32)
        return outcome_of(nothing, table, block.labels, block.predictions, deviation)

    def _output(self, state: State) -> IntArray:
        """The last stream; EngineError where the engine does not show it."""
        streams = self.streams(state)
        if self.network.scores not in streams:
            raise EngineError(f"the {self.name} engine does not show the network's output, {self.network.scores}")
        return streams[self.network.scores]

    def show(self, block: Block, fault: AnyFault | None) -> Streams:
        changes = () if fault is None else changes_of(self.network, [fault])
        return self.streams(self.execute(block.images, changes, block.first_frame))
