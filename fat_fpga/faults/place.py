"""Places: the parts of a network that faults can sit in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from fat_fpga.arguments import checked
from fat_fpga.errors import FaultError
from fat_fpga.faults.subject import AnySubject, Subject
from fat_fpga.network import Levels, MatrixVectorUnit, Network
from fat_fpga.network.layers import Input, IntArray, Layer, Shape, Thresholded
from fat_fpga.network.network import INPUT as INPUT

if TYPE_CHECKING:
    from fat_fpga.faults.register import WordFormat

EVERYWHERE = "*"


@dataclass(frozen=True, eq=False)
class Cells:
    """The words that a subject which is no network has at a place, for one kind of fault.

    Attributes:
        dims: how many there are along each axis.
        format: how they stand in bits; as text its name.
        memory: whether they are stored, as parameters are; else they pass by, others for each image.
        stored: gives the integers of a memory in two's complement, in the order of the words; None where other words
            pass for each image, or stand for no integers.
    """

    dims: tuple[int, ...]
    format: WordFormat
    memory: bool = False
    stored: Callable[[], IntArray] | None = None


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
        before: what decides the integers in front of the layer; None in a subject that is no network.
        layer: the layer that makes the stream, None for the input.
        cells: of a subject that is no network: the words that faults can sit in, by kind of fault.
    """

    name: str
    position: int
    shape: Shape
    levels: Levels | None
    unit: MatrixVectorUnit | None
    enumerated: bool
    type: str
    before: Input | Levels | None
    thresholded: Thresholded | None = None
    layer: Layer | None = None
    cells: Mapping[str, Cells] = field(default_factory=dict)

    @property
    def source(self) -> Input | Levels:
        """What decides the integers in front of a layer of a network."""
        assert self.before is not None
        return self.before


MOST_LEVELS = 2**10
"""Of a stream with more levels, as one of sums, the smallest, 0 and the largest are tried."""


def tried(levels: Levels) -> Sequence[int]:
    """The levels that faults hold a stream at."""
    if levels.count <= MOST_LEVELS:
        return levels.values
    return [value for value in dict.fromkeys((levels.min, 0, levels.max)) if value in levels]


@checked
def places(network: AnySubject) -> Mapping[str, Place]:
    """Every place of a network, or of another subject, by name, in its order."""
    return _places(network) if isinstance(network, Network) else network.places


@lru_cache(maxsize=8)
def _places(network: Network) -> dict[str, Place]:
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


def no_levels(place: Place) -> str:
    """Why a place without activation levels has no faults of activations."""
    if place.before is None:
        kinds = f"takes faults of kind {', '.join(place.cells)}" if place.cells else "takes no faults"
        return f"{place.name} has no such faults: it {kinds}"
    return f"{place.name} is the last layer, its scores have no activation levels"


@checked
def place_of(network: AnySubject, name: str) -> Place:
    """The place called ``name``; FaultError lists the known ones."""
    known = places(network)
    if name not in known and isinstance(network, Subject):
        raise FaultError(network.unknown(name))
    if name not in known:
        raise FaultError(f"unknown place '{name}': {network.name} has {', '.join(known)}, and * for all layers at once")
    return known[name]
