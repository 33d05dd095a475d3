"""What a run keeps of the network, so that reports and plans need no model file."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from fat_fpga.faults import AnySubject, Place, Subject, places
from fat_fpga.faults.place import tried
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool
from fat_fpga.network.names import reads_flat


class LayerRow(NamedTuple):
    """One place of the network: a layer, or its input.

    Attributes:
        position: index in the network; -1 for the input.
        name: the layer's address.
        type: ``unit`` for a matrix-vector unit, ``vote`` for a majority voter, ``pool`` for max-pooling, ``input`` for
            what the first layer sees; of a module the name of its class, of a parameter ``parameter``.
        node: name of its node in the model file; empty for the input.
        channels, height, width: its output for one image.
        levels: values its activations can take, comma separated, or of very many those that faults hold them at
            (`fat_fpga.faults.place.tried`); empty for the last layer.
        weight_type: QONNX datatype of the weights, or their format in a module; empty where there are none.
        weights: number of weights.
        macs: multiply-accumulates for one image.
    """

    position: int
    name: str
    type: str
    node: str
    channels: int
    height: int
    width: int
    levels: str
    weight_type: str
    weights: int
    macs: int

    @property
    def is_unit(self) -> bool:
        """Whether it is a matrix-vector unit."""
        return self.type == MatrixVectorUnit.type

    @property
    def is_vote(self) -> bool:
        """Whether it is a majority voter."""
        return self.type == MajorityVote.type

    @property
    def is_pool(self) -> bool:
        """Whether it is a max-pool."""
        return self.type == MaxPool.type

    @property
    def inputs(self) -> int:
        """Weights of one output channel; 0 where there are none."""
        return self.weights // self.channels

    def reads_windows(self, front: LayerRow) -> bool:
        """Whether it is a convolution behind the place ``front``: a window generator gives it whole pixels."""
        return self.is_unit and not reads_flat(self.name, self.inputs, (front.channels, front.height, front.width))


def layer_table(network: AnySubject) -> list[LayerRow]:
    """One row for each place, in network order."""
    if isinstance(network, Subject):
        return list(map(_row, places(network).values()))
    rows = []
    for place in places(network).values():
        levels = ",".join(map(str, tried(place.levels))) if place.levels else ""
        unit, position = place.unit, place.position
        macs = unit.macs(network.input_shape(position)) if unit else 0
        weights = (unit.weight_type, unit.weights.size, macs) if unit else ("", 0, 0)
        node = network.layers[position].node if position >= 0 else ""
        rows.append(LayerRow(position, place.name, place.type, node, *place.shape, levels, *weights))
    return rows


def _row(place: Place) -> LayerRow:
    """Of a place that brings its own words: those that are stored are its weights."""
    stored = [cells for cells in place.cells.values() if cells.memory]
    weights = (str(stored[0].format), prod(stored[0].dims)) if stored else ("", 0)
    return LayerRow(place.position, place.name, place.type, "", *place.shape, "", *weights, 0)
