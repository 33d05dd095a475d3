"""Places: the parts of a network that faults can sit in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from fat_fpga.arguments import checked
from fat_fpga.errors import FaultError
from fat_fpga.network import Levels, MatrixVectorUnit, Network
from fat_fpga.network.layers import Input, Layer, Shape, Thresholded
from fat_fpga.network.network import INPUT as INPUT

EVERYWHERE = "*"


@dataclass(frozen=True, eq=False)
class Place:
    """A stream of activations, and the unit that makes it if one does.

    Attributes:
        name: of the layer whose output the stream is, or ``input`` for the integers in front of the first layer.
        position: index of that layer in the network; -1 for the input.
        shape: channels, height and width of the stream.
        levels: what its activations can be; None for class scores.
        unit: the matrix-vector unit, None for all that is none.
        thresholded: the layer that makes the stream where it has a threshold memory, else None.
        enumerated: whether faults are enumerated here unless other places are named.
        type: kind of the layer that makes the stream: ``unit``, ``vote``, ``pool``, ``add``, ...; ``input``.
        source: what decides the integers in front of the layer.
        layer: the layer that makes the stream, None for the input.
    """

    name: str
    position: int
    shape: Shape
    levels: Levels | None
    unit: MatrixVectorUnit | None
    enumerated: bool
    type: str
    source: Input | Levels
    thresholded: Thresholded | None = None
    layer: Layer | None = None


MOST_LEVELS = 2**10
"""Of a stream with more levels, as one of sums, the smallest, 0 and the largest are tried."""


def tried(levels: Levels) -> Sequence[int]:
    """The levels that faults hold a stream at."""
    if levels.count <= MOST_LEVELS:
        return levels.values
    return [value for value in dict.fromkeys((levels.min, 0, levels.max)) if value in levels]


@lru_cache(maxsize=8)
def places(network: Network) -> dict[str, Place]:
    """Every place of a network by name, in network order."""
    levels = network.levels_of
    found = {INPUT: Place(INPUT, -1, network.input.shape, levels[INPUT], None, False, INPUT, network.input)}
    for position, layer in enumerate(network.layers):
        name, read = layer.name, network.inputs[layer.name][0]
        source = network.source(position) if read in levels else network.input  # sums have no levels; ranks read them
        shape, made = network.shape_of[name], levels.get(name)
        found[name] = Place(
            name,
            position,
            shape,
            made,
            layer.unit,
            layer.enumerated,
            layer.row_type,
            source,
            layer.thresholded,
            layer,
        )
    return found


@checked
def place_of(network: Network, name: str) -> Place:
    """The place called ``name``; FaultError lists the known ones."""
    known = places(network)
    if name not in known:
        raise FaultError(f"unknown place '{name}': {network.name} has {', '.join(known)}, and * for all layers at once")
    return known[name]
