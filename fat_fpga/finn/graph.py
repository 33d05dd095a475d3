"""A network as FINN's hardware graph, and which of its nodes and tensors belongs to which place of the network."""

from __future__ import annotations

from collections.abc import Callable

from fat_fpga.errors import FinnError, ModelError
from fat_fpga.faults.place import INPUT
from fat_fpga.finn import steps
from fat_fpga.finn.form import counted, taken
from fat_fpga.finn.layers import KINDS, UNIT, check_layer
from fat_fpga.finn.operators import register
from fat_fpga.finn.placing import ACTIVATION, HOOK, INJECTOR, LABELS, Node, placed, wired
from fat_fpga.finn.setup import finn_errors
from fat_fpga.finn.steps import Model
from fat_fpga.network import Network
from fat_fpga.network.words import unit_weight_type

MAKERS = (*KINDS, ACTIVATION)
"""Roles of nodes that make the stream of a place."""


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
        return ModelWrapper(to_qonnx(taken(network.canonical)))
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
    if not network.input.pixels:
        raise FinnError(
            f"input: FINN builds are of networks that take pixels, {network.name} takes {network.input.takes}"
        )
    if network.outputs is not None:
        raise FinnError("FINN builds here end with the choice of a class, and the outputs are values")
    if network.shapes[-1][0] == 1:
        raise FinnError("FINN's LabelSelect takes the largest of two or more scores, and there is one")
    levels = network.input.levels
    if not network.input.raw_pixels and levels.step != 1 and not counted(network, INPUT):
        raise FinnError(
            f"input: FINN's thresholds step by one, the input's levels are {levels}: train with "
            f"an input quantiser of neighbouring integers"
        )
    for unit in network.units if standalone_thresholds else ():
        if unit.levels is not None and unit.levels.bipolar and not counted(network, unit.name):
            readers = (network.layers[network.position(name)].unit for name in network.readers[unit.name])
            behind = next((unit for unit in readers if unit is not None), None)
            of = "" if behind is None else f" of {behind.name}'s {unit_weight_type(behind)} weights"
            raise FinnError(
                f"{unit.name}: FINN has no thresholds of their own for levels {unit.levels} in front{of}: build "
                "without writable thresholds"
            )
    for layer, shape, _ in network.walk():
        check_layer(layer, network, shape)


def check_mapped(model: Model, network: Network) -> None:
    """FinnError, with the layer, unless everything behind the leading Transpose is a hardware layer."""
    unit = 0
    for number, node in enumerate(model.graph.node):
        unit += node.op_type.startswith(KINDS[UNIT])
        if node.domain.startswith("finn.custom_op.fpgadataflow") or (number == 0 and node.op_type == "Transpose"):
            continue
        name = network.units[min(unit, len(network.units) - 1)].name
        raise FinnError(f"{name}: FINN has no hardware layer for its {node.op_type} ({node.name})")


def nodes_of(model: Model, network: Network) -> list[Node]:
    """Every hardware layer of the model, in order, with the place that it works for."""
    return placed(wired(model.graph.node), network)


def streams_of(model: Model, network: Network) -> dict[str, Node]:
    """The node whose output is each place's stream, behind thresholds, saboteurs and checksum hooks of its own."""
    made = (*MAKERS, INJECTOR, HOOK)
    return {node.place: node for node in nodes_of(model, network) if node.role in made and node.place != LABELS}
