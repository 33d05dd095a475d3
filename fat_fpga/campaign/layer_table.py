"""What a run keeps of the network, so that reports and plans need no model file."""

from __future__ import annotations

from typing import NamedTuple

from fat_fpga.network import MatrixVectorUnit, Network


class LayerRow(NamedTuple):
    """One layer of the network.

    Attributes:
        position: index in the network.
        name: the layer's address.
        type: ``unit`` for a matrix-vector unit, ``pool`` for max-pooling.
        node: name of its node in the model file.
        channels, height, width: its output for one image.
        levels: values its activations take, comma separated; empty for pools and for the last layer.
        weight_type: QONNX datatype of the weights, empty for pools.
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


def layer_table(network: Network) -> list[LayerRow]:
    """One row for each layer, in network order."""
    rows = []
    for position, (layer, before, behind) in enumerate(network.walk()):
        if isinstance(layer, MatrixVectorUnit):
            levels = ",".join(map(str, layer.levels or ()))
            details = ("unit", layer.node, *behind, levels, layer.weight_type, layer.weights.size, layer.macs(before))
        else:
            details = ("pool", layer.node, *behind, "", "", 0, 0)
        rows.append(LayerRow(position, layer.name, *details))
    return rows
