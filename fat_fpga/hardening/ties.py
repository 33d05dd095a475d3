"""Which units must have their channels in the same order: an addition, or a depthwise unit, ties them together."""

from __future__ import annotations

from dataclasses import dataclass, field

from fat_fpga.errors import PlanError
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import (
    Add,
    Concat,
    Layer,
    Scores,
    Select,
    Shuffle,
    SumPool,
    Thresholding,
    Upsample,
    ZeroInsertion,
)
from fat_fpga.network.network import INPUT


@dataclass(frozen=True)
class Ties:
    """Units of a network by what their order depends on.

    Attributes:
        together: units that can be permuted, in network order; those of one entry only together, by the same order.
        fixed: units that cannot, and what holds each: the name of a stream.
    """

    together: tuple[tuple[str, ...], ...]
    fixed: dict[str, str]


def ties(network: Network) -> Ties:
    """The ties between all units but the last.

    Raises:
        PlanError: nothing is known of the order behind some kind of layer.
    """
    found = _Streams({name: name for name in network.shape_of})
    found.fix(INPUT)
    found.fix(network.scores)
    for layer in network.layers:
        _tie(layer, network.inputs[layer.name], found)
    found.fix_joined()
    classes: dict[str, list[str]] = {}
    for unit in network.units:
        if unit.levels is not None:
            classes.setdefault(found.root(unit.name), []).append(unit.name)
    held = {root: found.fixed[root] for root in classes if root in found.fixed}
    return Ties(
        tuple(tuple(names) for root, names in classes.items() if root not in held),
        {name: held[root] for root, names in classes.items() if root in held for name in names},
    )


@dataclass
class _Streams:
    """Streams of the same order, as a forest.

    Attributes:
        parent: a stream of the same order that is nearer to the root.
        fixed: by root, the stream whose order cannot be changed.
        parts: concatenations: by their stream, the streams that they put together.
        made: streams of units and concatenations, whose order does not come from what they read.
    """

    parent: dict[str, str]
    fixed: dict[str, str] = field(default_factory=dict)
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)

    def root(self, stream: str) -> str:
        while self.parent[stream] != stream:
            stream = self.parent[stream]
        return stream

    def tie(self, first: str, second: str) -> None:
        one, other = self.root(first), self.root(second)
        if one != other:
            self.parent[other] = one
            if other in self.fixed:
                self.fixed.setdefault(one, self.fixed.pop(other))

    def fix(self, stream: str) -> None:
        self.fixed.setdefault(self.root(stream), stream)

    def fix_joined(self) -> None:
        """Fix concatenations that are tied to anything else, and the parts of those that are fixed."""
        for stream in self.parts:
            if any(self.root(name) == self.root(stream) for name in self.made if name != stream):
                self.fix(stream)
        for stream, parts in reversed(self.parts.items()):
            if self.root(stream) in self.fixed:
                for part in parts:
                    self.fixed.setdefault(self.root(part), self.fixed[self.root(stream)])


@singledispatch
def _tie(layer: Layer, inputs: tuple[str, ...], streams: _Streams) -> None:
    """Tie the stream of a layer to those that it reads."""
    raise no_handler("the permutation of channels", layer, PlanError)


@_tie.register
def _(layer: MatrixVectorUnit, inputs: tuple[str, ...], streams: _Streams) -> None:
    streams.made.add(layer.name)
    if layer.groups == 1:
        return
    streams.tie(inputs[0], layer.name)
    if layer.weights.shape[1] > 1 or layer.channels > layer.groups:
        streams.fix(layer.name)


@_tie.register(MaxPool)
@_tie.register(SumPool)
@_tie.register(Upsample)
@_tie.register(ZeroInsertion)
@_tie.register(Thresholding)
@_tie.register(Add)
def _(layer: Layer, inputs: tuple[str, ...], streams: _Streams) -> None:
    for stream in inputs:
        streams.tie(stream, layer.name)


@_tie.register(MajorityVote)
@_tie.register(Scores)
def _(layer: Layer, inputs: tuple[str, ...], streams: _Streams) -> None:
    streams.tie(inputs[0], layer.name)
    streams.fix(layer.name)


@_tie.register
def _(layer: Select, inputs: tuple[str, ...], streams: _Streams) -> None:
    streams.made.add(layer.name)
    streams.fix(layer.name)


@_tie.register
def _(layer: Shuffle, inputs: tuple[str, ...], streams: _Streams) -> None:
    streams.made.add(layer.name)
    streams.fix(inputs[0])
    streams.fix(layer.name)


@_tie.register
def _(layer: Concat, inputs: tuple[str, ...], streams: _Streams) -> None:
    streams.made.add(layer.name)
    streams.parts[layer.name] = inputs
