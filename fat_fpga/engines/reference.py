"""The reference engine: numpy, slow, obvious, no tricks. It defines what the network and each fault mean."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from fat_fpga.engines.block import Streams
from fat_fpga.engines.engine import Engine
from fat_fpga.engines.images import Images
from fat_fpga.engines.one_by_one import OneByOne
from fat_fpga.engines.registry import register
from fat_fpga.engines.session import Session
from fat_fpga.faults import AnyFault, Change, changed_stream, changes_of
from fat_fpga.faults.changes import (
    ChangedAccumulators,
    changed_parameters,
    changed_weights,
    changes_at,
    stored_words,
)
from fat_fpga.faults.place import INPUT
from fat_fpga.network import MatrixVectorUnit, Network
from fat_fpga.network.layers import IntArray, Layer, Thresholded, Thresholding
from fat_fpga.network.operators.thresholds import activate


def quantise(network: Network, images: Images) -> IntArray:
    """The integers in front of the first layer: int32 [N, C, H, W]."""
    return network.input.integers(images)


@functools.singledispatch  # every layer says what it computes, so no other package is asked for a handler
def output(layer: Layer, *arguments: Any) -> IntArray:
    """What a layer makes of the streams that it reads, with those of the changes that are inside it.

    Args:
        arguments: the streams, int32 [N, C, H, W], and then the changes.
    """
    *streams, changes = arguments
    return changed_parameters(layer, changes).output(*streams)


@output.register
def _(layer: MatrixVectorUnit, activations: IntArray, changes: Sequence[Change]) -> IntArray:
    accumulators = changed_weights(layer, changes).accumulate(activations)
    for change in changes_at(changes, layer.name, ChangedAccumulators):
        accumulators = change.apply(accumulators)
    return _levels(layer, accumulators, changes)


@output.register
def _(layer: Thresholding, activations: IntArray, changes: Sequence[Change]) -> IntArray:
    return _levels(layer, activations, changes)


def _levels(layer: Thresholded, integers: IntArray, changes: Sequence[Change]) -> IntArray:
    """What the layer's hardware makes of integers with the words that its threshold memory holds, as they stand."""
    if layer.thresholds is None or layer.levels is None:
        return integers
    return activate(integers, stored_words(layer, changes), layer.levels, layer.threshold_logic)


def execute(
    network: Network, images: Images, faults: Sequence[AnyFault] = (), first_frame: int = 0
) -> dict[str, IntArray]:
    """Run the network, with all ``faults`` present at once.

    Args:
        first_frame: number of the first image in the data set, which faults of a single frame refer to.

    Returns:
        The stream at every place, int32 [N, C, H, W], by name and in network order, from ``input`` to the class scores.
    """
    return execute_changes(network, images, changes_of(network, faults), first_frame)


def execute_changes(
    network: Network, images: Images, changes: Sequence[Change], first_frame: int = 0
) -> dict[str, IntArray]:
    """What `execute` does, for faults given by their changes."""
    streams = {INPUT: changed_stream(quantise(network, images), changes, INPUT, first_frame)}
    for layer in network.layers:
        read = (streams[stream] for stream in network.inputs[layer.name])
        streams[layer.name] = changed_stream(output(layer, *read, changes), changes, layer.name, first_frame)
    return streams


def classes(scores: IntArray) -> IntArray:
    """Predicted classes, int32 [N]: the first maximum of the scores [N, C, 1, 1]; of a single one 1 above 0, else 0."""
    if scores.shape[1] == 1:
        above: IntArray = (scores[:, 0, 0, 0] > 0).astype(np.int32)
        return above
    predicted: IntArray = scores[:, :, 0, 0].argmax(axis=1).astype(np.int32)
    return predicted


def predict(network: Network, images: Images, faults: Sequence[AnyFault] = (), first_frame: int = 0) -> IntArray:
    """Predicted classes, int32 [N], with all ``faults`` present at once."""
    return classes(execute(network, images, faults, first_frame)[network.scores])


@register
class ReferenceEngine(Engine):
    name = "reference"
    forms = ("reference",)

    def _open(self, network: Network) -> Session:
        return ReferenceSession(self.name, network)


class ReferenceSession(OneByOne[Streams]):
    images_at_a_time = 50  # to bound memory

    def execute(
        self, images: Images, changes: Sequence[Change], first_frame: int, fault_free: Streams | None = None
    ) -> Streams:
        return execute_changes(self.network, images, changes, first_frame)

    def classes(self, state: Streams) -> IntArray:
        return classes(state[self.network.scores])

    def streams(self, state: Streams) -> Streams:
        return state
