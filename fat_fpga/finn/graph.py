"""A network as FINN's hardware graph, and which of its nodes and tensors belongs to which place of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from fat_fpga.errors import FinnError, ModelError
from fat_fpga.faults.place import INPUT
from fat_fpga.finn import steps
from fat_fpga.finn.layers import POOL, UNIT, VOTE, check_layer, role_of
from fat_fpga.finn.operators import CHECKSUM, SABOTEUR, VOTER, register
from fat_fpga.finn.setup import finn_errors
from fat_fpga.finn.steps import Model
from fat_fpga.network import Network
from fat_fpga.network.words import unit_weight_type

LABELS, LINK = "labels", "link"
"""Places of nodes that make no stream of the network: the class, and what FINN puts between layers."""

ACTIVATION, WINDOW, INJECTOR, HOOK = "activation", "window", "injector", "hook"
"""Roles of nodes beside those that layers become: thresholds, a window generator in front; a saboteur, a checksum
hook."""


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


def finn_form(network: Network) -> Model:
    """The network as a model in FINN form, still in QONNX's operators.

    Raises:
        FinnError: FINN cannot build it, with the layer and the reason.
    """
    check_mappable(network)
    register()
    from qonnx.core.modelwrapper import ModelWrapper

    from fat_fpga.network.write import to_qonnx

    try:
        return ModelWrapper(to_qonnx(network.canonical))
    except ModelError as error:
        raise FinnError(str(error)) from error


def hardware_graph(network: Network, standalone_thresholds: bool = False) -> Model:
    """The network in FINN's hardware layers, not yet specialised nor folded.

    A Transpose from [N, C, H, W] stands in front of the layers; everything behind is channels last.

    Raises:
        FinnError: FINN is not installed, or cannot build the network.
    """
    check_mappable(network, standalone_thresholds)
    model = finn_form(network)
    sequence: tuple[Callable[[Model], Model], ...] = (steps.tidy, steps.streamline, steps.hardening, steps.lower)
    with finn_errors(f"{network.name} to hardware layers"):
        for step in sequence:
            model = step(model)
        model = steps.to_hardware(model, standalone_thresholds)
    check_mapped(model, network)
    return model


def check_mappable(network: Network, standalone_thresholds: bool = False) -> None:
    """FinnError for what FINN's hardware layers cannot do, known without FINN."""
    levels, units = network.input.levels, network.units
    if np.any(network.input.table != np.arange(256)):
        counted = levels.bipolar and unit_weight_type(units[0]) == "BIPOLAR"
        if levels.step != 1 and not counted:
            raise FinnError(
                f"input: FINN's thresholds step by one, the input's levels are {levels}: train with "
                f"an input quantiser of neighbouring integers"
            )
    for unit, behind in pairwise(units):
        bipolar = unit.levels is not None and unit.levels.bipolar
        if standalone_thresholds and bipolar and unit_weight_type(behind) != "BIPOLAR":
            raise FinnError(
                f"{unit.name}: FINN has no thresholds of their own for levels {unit.levels} in front "
                f"of {behind.name}'s {unit_weight_type(behind)} weights: build without writable thresholds"
            )
    for layer, shape, _ in network.walk():
        check_layer(layer, shape)


def check_mapped(model: Model, network: Network) -> None:
    """FinnError, with the layer, unless everything behind the leading Transpose is a hardware layer."""
    unit = 0
    for number, node in enumerate(model.graph.node):
        unit += node.op_type.startswith("MVAU")
        if node.domain.startswith("finn.custom_op.fpgadataflow") or (number == 0 and node.op_type == "Transpose"):
            continue
        name = network.units[min(unit, len(network.units) - 1)].name
        raise FinnError(f"{name}: FINN has no hardware layer for its {node.op_type} ({node.name})")


def nodes_of(model: Model, network: Network) -> list[Node]:
    """Every hardware layer of the model, in order, with the place that it works for."""
    return placed(model.graph.node, network)


def placed(protos: Iterable[Any], network: Network) -> list[Node]:
    """Those of the nodes, given in the order of the stream, that are hardware layers."""
    layers = iter(network.layers)
    place, found, waiting = INPUT, [], []

    def next_of(role: str) -> tuple[str, str]:
        return next(layer.name for layer in layers if role_of(layer) == role), role

    for proto in protos:
        kind = proto.op_type.removesuffix("_hls").removesuffix("_rtl")
        if kind in ("ConvolutionInputGenerator", "FMPadding"):
            waiting.append(proto)
            continue
        role = LINK
        if kind == "MVAU":
            place, role = next_of(UNIT)
        elif kind == "Pool":
            place, role = next_of(POOL)
        elif proto.op_type == VOTER:
            place, role = next_of(VOTE)
        elif kind == "Thresholding":
            role = ACTIVATION
        elif proto.op_type == SABOTEUR:
            role = INJECTOR
        elif proto.op_type == CHECKSUM:
            role = HOOK
        elif kind == "LabelSelect":
            found.append(Node(LABELS, UNIT, proto))
            continue
        elif not proto.domain.startswith("finn.custom_op.fpgadataflow"):
            continue
        found += [Node(place, WINDOW, window) for window in waiting]
        waiting.clear()
        found.append(Node(place if role != LINK else LINK, role, proto))
    return found


def streams_of(model: Model, network: Network) -> dict[str, Node]:
    """The node whose output is each place's stream, behind thresholds, saboteurs and checksum hooks of its own."""
    made = (UNIT, ACTIVATION, POOL, VOTE, INJECTOR, HOOK)
    return {node.place: node for node in nodes_of(model, network) if node.role in made and node.place != LABELS}
