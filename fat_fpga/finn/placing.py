"""Which node of FINN's graph works for which place of the network.

FINN names nodes anew at every step, and may put parallel branches into another order. What it keeps is which tensor
feeds which input. So nodes are found from the end, the class, up against the streams: the layers and their inputs are
known, and each stream has one node that makes it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fat_fpga.errors import FinnError
from fat_fpga.faults.place import INPUT
from fat_fpga.finn.form import spreads
from fat_fpga.finn.layers import KINDS, THRESHOLDS, UNIT, VOTE, role_of
from fat_fpga.finn.operators import CHECKSUM, SABOTEUR, UNITS
from fat_fpga.network import Network

LABELS, LINK = "labels", "link"
"""Places of nodes that make no stream of the network: the class, and what FINN puts between layers."""

ACTIVATION, WINDOW, INJECTOR, HOOK, COPY, FACTOR = "activation", "window", "injector", "hook", "copy", "factor"
SPREAD = "spread"
"""Roles of nodes beside those that layers become: thresholds, a window generator in front; a saboteur, a checksum
hook, what gives a stream to several readers; an integer that a stream is multiplied with in front of a join; what gives
each channel out several times in front of a depthwise unit."""

_BEHIND = {SABOTEUR: INJECTOR, CHECKSUM: HOOK, "DuplicateStreams": COPY}
_OURS = {ours: finns for finns, ours in UNITS.items()}
_WINDOWS = ("ConvolutionInputGenerator", "FMPadding")


@dataclass(frozen=True, eq=False)
class Node:
    """A node of FINN's graph.

    Attributes:
        place: of the network that it works for; ``labels`` and ``link`` are none of the network's.
        role: what it does there.
        proto: the ONNX node.
    """

    place: str
    role: str
    proto: Any

    @property
    def custom(self) -> Any:
        """FINN's object for it, which reads and writes attributes."""
        from qonnx.custom_op.registry import getCustomOp

        return getCustomOp(self.proto)


class Wired(NamedTuple):
    """A node with names of its tensors that are unique in all of the graph."""

    proto: Any
    inputs: tuple[Hashable, ...]
    outputs: tuple[Hashable, ...]


def wired(protos: Iterable[Any]) -> list[Wired]:
    """The nodes of one graph."""
    return [Wired(proto, tuple(proto.input), tuple(proto.output)) for proto in protos]


def placed(nodes: Sequence[Wired], network: Network) -> list[Node]:
    """Those of the nodes that are hardware layers, in the order in which they are given.

    Raises:
        FinnError: the graph is not one of the network.
    """
    found = _Search(nodes, network).found
    placed = []
    for node in nodes:
        hardware = str(node.proto.domain).startswith("finn.custom_op.fpgadataflow")
        place, role = found.get(id(node.proto), (LINK, LINK))
        if hardware or role != LINK:
            placed.append(Node(place, role, node.proto))
    return placed


def kind_of(proto: Any) -> str:
    """The operator of a node, whether it is in HLS, in RTL, in ours, or not decided yet."""
    name = str(proto.op_type)
    if name in _OURS:
        return _OURS[name]
    return name if name in (SABOTEUR, CHECKSUM) else name.removesuffix("_hls").removesuffix("_rtl")


class _Search:
    """Finds place and role of every node, by its identity."""

    def __init__(self, nodes: Sequence[Wired], network: Network) -> None:
        self.network, self.found = network, dict[int, tuple[str, str]]()
        self._makers = {tensor: node for node in nodes for tensor in node.outputs}
        self._seen: set[str] = set()
        end = next((node for node in nodes if kind_of(node.proto) == "LabelSelect"), None)
        if end is None:
            raise FinnError(f"this build has no layer {LABELS}: it is not one of {network.name}")
        self._put(end, LABELS, UNIT)
        self._waiting = [(end.inputs[0], network.scores)]
        while self._waiting:
            self._stream(*self._waiting.pop())

    def _put(self, node: Wired, place: str, role: str) -> None:
        self.found[id(node.proto)] = place, role

    def _up(self, tensor: Hashable, place: str, wanted: Sequence[str], beside: dict[str, str]) -> Wired | None:
        """The node of a wanted operator that makes a tensor; what is between is of the roles ``beside``, or a link."""
        node = self._makers.get(tensor)
        while node is not None and kind_of(node.proto) not in wanted:
            role = beside.get(kind_of(node.proto), LINK)
            if role == LINK and kind_of(node.proto) in _MAKING:
                return None
            if role != LINK:
                self._put(node, place, role)
            node = self._makers.get(node.inputs[0]) if node.inputs else None
        return node

    def _stream(self, tensor: Hashable, stream: str) -> None:
        """The nodes that make a stream, from a tensor that holds it."""
        if stream == INPUT:
            node = self._up(tensor, INPUT, ("Thresholding",), _BEHIND)
            if node is not None:
                self._put(node, INPUT, ACTIVATION)
                self._up(node.inputs[0], INPUT, (), {})
            return
        layer = self.network.layers[self.network.position(stream)]
        role = role_of(layer)
        kinds = KINDS[role]
        own = (*kinds, "Thresholding") if role == UNIT else kinds
        node = self._up(tensor, stream, own, _BEHIND)
        if node is not None and role == UNIT and kind_of(node.proto) == "Thresholding":
            self._put(node, stream, ACTIVATION)
            node = self._up(node.inputs[0], stream, kinds, {})
        if node is None:
            raise FinnError(f"this build has no layer {stream}: it is not one of {self.network.name}")
        self._put(node, stream, ACTIVATION if role == THRESHOLDS else role)
        if stream in self._seen:
            return
        self._seen.add(stream)
        spread = layer.unit is not None and spreads(self.network, layer.unit)
        for source, read in zip(node.inputs, self.network.inputs[stream], strict=False):
            self._waiting.append((self._before(source, stream, spread), read))

    def _before(self, tensor: Hashable, place: str, spread: bool) -> Hashable:
        """The tensor in front of the window generators and factors of a layer."""
        while (node := self._makers.get(tensor)) is not None:
            kind = kind_of(node.proto)
            if kind in _WINDOWS:
                self._put(node, place, WINDOW)
            elif kind == "ElementwiseMul":
                self._put(node, place, FACTOR)
            elif spread and kind in KINDS[VOTE]:
                self._put(node, place, SPREAD)
                spread = False
            elif kind in _MAKING or kind in _BEHIND:
                break
            tensor = node.inputs[0]
        return tensor


_MAKING = {kind for kinds in KINDS.values() for kind in kinds} | {"LabelSelect"}
"""Operators that make a stream."""
