"""The qonnx engine, the outside judge: the faulty graph, executed node by node by the qonnx package.

Nothing of ours computes an activation here. The network is written as a QONNX graph, the fault is built into that
graph (see ``faulty_graph.py``), and ``qonnx.core.onnx_exec.execute_onnx`` runs every node: onnxruntime the standard
operators, qonnx its MultiThreshold. It is slow, and meant for cross-checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fat_fpga.engines.block import Streams
from fat_fpga.engines.faulty_graph import FaultyGraph
from fat_fpga.engines.images import Images
from fat_fpga.engines.one_by_one import OneByOne
from fat_fpga.engines.qonnx_execution import execute
from fat_fpga.engines.reference import classes
from fat_fpga.faults import Change, places
from fat_fpga.network.layers import IntArray
from fat_fpga.network.writer import INPUT, OUTPUT

Executed = tuple[FaultyGraph, dict[str, Any]]
"""A graph, and every tensor of its execution by name."""


class QonnxSession(OneByOne[Executed]):
    images_at_a_time = 32  # to bound memory

    def execute(
        self, images: Images, changes: Sequence[Change], first_frame: int, fault_free: Executed | None = None
    ) -> Executed:
        graph = FaultyGraph(self.network, changes, len(images), first_frame)
        values = {INPUT: images.astype(np.float32)}
        return graph, execute(graph.model, values)

    def classes(self, state: Executed) -> IntArray:
        return classes(self._integers(state[1][OUTPUT], self.network.scores))

    def streams(self, state: Executed) -> Streams:
        graph, tensors = state
        return {place: self._integers(tensors[name], place) for place, name in graph.tensors.items()}

    def _integers(self, tensor: Any, place: str) -> IntArray:
        """A tensor of the graph as the stream int32 [N, C, H, W] at a place."""
        found = places(self.network)[place]
        layer = None if found.position < 0 else self.network.layers[found.position]
        integers: IntArray = tensor.astype(np.int32) if layer is None else layer.executed(tensor)
        return integers.reshape(len(tensor), *found.shape)
