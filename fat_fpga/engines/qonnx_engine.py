"""The qonnx engine, the outside judge: the faulty graph, executed node by node by the qonnx package.

Nothing of ours computes an activation here. The network is written as a QONNX graph, the fault is built into that
graph (see ``faulty_graph.py``), and ``qonnx.core.onnx_exec.execute_onnx`` runs every node: onnxruntime the standard
operators, qonnx its MultiThreshold. It is slow, and meant for cross-checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fat_fpga.engines.engine import Images, Labels, Outcome, Progress, check_images, outcome_of
from fat_fpga.engines.faulty_graph import FaultyGraph
from fat_fpga.engines.reference import classes
from fat_fpga.faults import AnyFault, Change, changes_of, check_faults, places
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray
from fat_fpga.network.write import INPUT, OUTPUT

_BLOCK = 32  # images at a time, to bound memory


class QonnxEngine:
    name = "qonnx"

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
        check_images(network, images, labels)
        check_faults(network, faults, len(images))
        golden = np.empty(len(images), np.int32)
        table = np.empty((len(faults), len(images)), np.int32)
        for start in range(0, len(images), _BLOCK):
            block = slice(start, min(start + _BLOCK, len(images)))
            golden[block] = _predict(network, images[block], (), start)
            for f, fault in enumerate(faults):
                table[f, block] = _predict(network, images[block], changes_of(network, [fault]), start)
            if progress:
                progress(block.stop)
        return outcome_of(golden, table, labels, predictions)

    def trace(self, network: Network, images: Images, fault: AnyFault | None = None) -> dict[str, IntArray]:
        faults = [] if fault is None else [fault]
        check_faults(network, faults, len(images))
        changes = changes_of(network, faults)
        blocks = []
        for start in range(0, len(images), _BLOCK):
            block = images[start : start + _BLOCK]
            graph, tensors = _execute(network, block, changes, start)
            blocks.append({place: _integers(network, tensors[name], place) for place, name in graph.tensors.items()})
        return {place: np.concatenate([block[place] for block in blocks]) for place in blocks[0]}


def _predict(network: Network, images: Images, changes: Sequence[Change], first_frame: int) -> IntArray:
    _, tensors = _execute(network, images, changes, first_frame)
    return classes(_integers(network, tensors[OUTPUT], network.units[-1].name))


def _execute(
    network: Network, images: Images, changes: Sequence[Change], first_frame: int
) -> tuple[FaultyGraph, dict[str, Any]]:
    """The faulty graph, and every tensor of its execution by name."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx

    graph = FaultyGraph(network, changes, len(images), first_frame)
    values = {INPUT: images.astype(np.float32)}
    return graph, execute_onnx(ModelWrapper(graph.model), values, return_full_exec_context=True)


def _integers(network: Network, tensor: Any, place: str) -> IntArray:
    """A tensor of the graph as the stream int32 [N, C, H, W] at a place."""
    integers: IntArray = tensor.astype(np.int32).reshape(len(tensor), *places(network)[place].shape)
    return integers
