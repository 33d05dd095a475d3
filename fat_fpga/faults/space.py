"""Fault spaces: all faults of a kind in a network."""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.errors import FaultError
from fat_fpga.faults.channel import ChannelStuckAt
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.model import FaultModel
from fat_fpga.network import MatrixVectorUnit, Network
from fat_fpga.network.layers import Shape

MODELS: dict[str, FaultModel] = {model.kind: model for model in (ChannelStuckAt(),)}
"""Every fault model, by kind."""


def fault_model(kind: str) -> FaultModel:
    """The model called ``kind``; FaultError lists the known ones."""
    if kind not in MODELS:
        raise FaultError(f"unknown fault kind '{kind}': known are {', '.join(MODELS)}")
    return MODELS[kind]


def fault_units(network: Network, layers: Sequence[str] | None = None) -> list[tuple[MatrixVectorUnit, Shape]]:
    """The units whose activations can be faulty, with their output shapes, in network order.

    Args:
        layers: keep only these names; ModelError for a name the network lacks, FaultError for a layer without
            activations of its own.
    """
    units = {
        layer.name: (layer, shape)
        for layer, _, shape in network.walk()
        if isinstance(layer, MatrixVectorUnit) and layer.levels is not None
    }
    for name in layers or ():
        network.position(name)
        if name not in units:
            raise FaultError(f"layer '{name}' has no faultable activations: choose among {', '.join(units)}")
    return [unit for name, unit in units.items() if layers is None or name in layers]


def fault_space(network: Network, kind: str = "channel", layers: Sequence[str] | None = None) -> list[Fault]:
    """Every fault of one kind, layer by layer in network order."""
    model = fault_model(kind)
    return [fault for unit, shape in fault_units(network, layers) for fault in model.faults(unit, shape)]


def check_faults(network: Network, faults: Sequence[Fault]) -> None:
    """FaultError or ModelError for the first fault that names no place in the network."""
    units = {unit.name: (unit, shape) for unit, shape in fault_units(network)}
    for fault in faults:
        model = fault_model(fault.kind)
        if fault.layer not in units:
            fault_units(network, [fault.layer])
        model.check(fault, *units[fault.layer])
