"""The reference engine: numpy, slow, obvious, no tricks. It defines what the network and each fault mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fat_fpga.engines.engine import Engine
from fat_fpga.engines.images import Images
from fat_fpga.engines.one_by_one import OneByOne
from fat_fpga.engines.registry import register
from fat_fpga.engines.session import Session, Streams
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, Change, changed_stream, changed_unit, changes_of
from fat_fpga.faults.changes import ChangedAccumulators, changes_at
from fat_fpga.faults.place import INPUT
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import IntArray, Layer


def quantise(network: Network, images: Images) -> IntArray:
    """The integers in front of the first layer: int32 [N, C, H, W]."""
    return np.stack([table[images[:, c]] for c, table in enumerate(network.input.table)], axis=1)


def accumulate(unit: MatrixVectorUnit, activations: IntArray) -> IntArray:
    """Accumulators of a unit: int32 [N, M, H', W'] from activations [N, C, H, W]."""
    top, left, bottom, right = unit.padding
    padded = np.pad(activations, ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = sliding_window_view(padded, unit.kernel, axis=(2, 3))[:, :, :: unit.stride[0], :: unit.stride[1]]
    # float64 holds these integers exactly, and has a fast matrix product
    sums = np.einsum("nchwij,mcij->nmhw", windows.astype(np.float64), unit.weights.astype(np.float64), optimize=True)
    accumulators: IntArray = sums.astype(np.int32)
    return accumulators


def activate(unit: MatrixVectorUnit, accumulators: IntArray) -> IntArray:
    """Output levels of a unit from its accumulators, same shape."""
    assert unit.thresholds is not None
    assert unit.levels is not None
    out = np.full_like(accumulators, unit.levels.base)
    for i in range(unit.thresholds.shape[1]):
        out += unit.levels.step * (accumulators >= unit.thresholds[:, i, None, None])
    return out


@singledispatch
def output(layer: Layer, activations: IntArray, changes: Sequence[Change]) -> IntArray:
    """What a layer makes of activations int32 [N, C, H, W], with those of the changes that are inside it."""
    raise no_handler("the reference engine", layer, EngineError)


@output.register
def _(layer: MatrixVectorUnit, activations: IntArray, changes: Sequence[Change]) -> IntArray:
    unit = changed_unit(layer, changes)
    accumulators = accumulate(unit, activations)
    for change in changes_at(changes, unit.name, ChangedAccumulators):
        accumulators = change.apply(accumulators)
    return accumulators if unit.levels is None else activate(unit, accumulators)


@output.register
def _(layer: MaxPool, activations: IntArray, changes: Sequence[Change]) -> IntArray:
    """Maximum over each window."""
    windows = sliding_window_view(activations, layer.kernel, axis=(2, 3))
    pooled: IntArray = windows[:, :, :: layer.stride[0], :: layer.stride[1]].max(axis=(4, 5))
    return pooled


@output.register
def _(layer: MajorityVote, activations: IntArray, changes: Sequence[Change]) -> IntArray:
    """Bitwise majority of the copies."""
    a, b, c = (activations[:, copies] for copies in layer.sources.T)
    majority: IntArray = a & b | a & c | b & c
    return majority


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
    activations = changed_stream(quantise(network, images), changes, INPUT, first_frame)
    streams = {INPUT: activations}
    for layer in network.layers:
        activations = changed_stream(output(layer, activations, changes), changes, layer.name, first_frame)
        streams[layer.name] = activations
    return streams


def classes(scores: IntArray) -> IntArray:
    """Predicted classes, int32 [N]: the first maximum of the scores [N, C, 1, 1]."""
    predicted: IntArray = scores[:, :, 0, 0].argmax(axis=1).astype(np.int32)
    return predicted


def predict(network: Network, images: Images, faults: Sequence[AnyFault] = (), first_frame: int = 0) -> IntArray:
    """Predicted classes, int32 [N], with all ``faults`` present at once."""
    return classes(execute(network, images, faults, first_frame)[network.units[-1].name])


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
        return classes(state[self.network.units[-1].name])

    def streams(self, state: Streams) -> Streams:
        return state
