"""What the values of a network's weights tell of its units, beyond the sizes and datatypes that a run keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fat_fpga.campaign import Run
from fat_fpga.errors import PlanError
from fat_fpga.hardening.costs.finn import arithmetic_of
from fat_fpga.hardening.costs.streams import stream_types, undecided
from fat_fpga.hardening.design import UnitShape
from fat_fpga.network import MatrixVectorUnit, Network
from fat_fpga.network.datatypes import smallest_type, span_of
from fat_fpga.network.words import unit_weight_type


def with_values(design: Sequence[UnitShape], network: Network) -> tuple[UnitShape, ...]:
    """The units with what the network tells of them: streams as FINN has them, the accumulators that their weights
    need, and whether these are narrow."""
    types, open_types, found = stream_types(network), undecided(network), []
    for shape, unit in zip(design, network.units, strict=True):
        (stream,) = network.inputs[unit.name]
        joined = stream in open_types
        weight_type = _weight_type(unit) if shape.output_type else shape.weight_type
        known = replace(shape, input_type=types[stream], joined=joined, weight_type=weight_type)
        found.append(replace(known, accumulator_bits=_accumulator_bits(known, unit), narrow=_narrow(unit)))
    return tuple(found)


def check_model(run: Run, network: Network) -> None:
    """PlanError unless the network is the one of the campaign."""
    identity = run.identity
    if network.fingerprint != identity.network_fingerprint:
        raise PlanError(
            f"the model is {network.name} ({network.fingerprint[:8]}), the campaign is on {identity.network} "
            f"({identity.network_fingerprint[:8]}): give the model of the campaign"
        )


def _accumulator_bits(shape: UnitShape, unit: MatrixVectorUnit) -> int:
    """Bits that hold every sum of any channel, for all values of the input's datatype.

    It is FINN's MinimizeAccumulatorWidth. One-bit inputs are 0 and 1 in XNOR units.
    """
    low, high = span_of(arithmetic_of(shape).input) or (0, 0)
    weights = unit.weights.reshape(unit.channels, -1).astype(np.int64)
    least = int(np.minimum(weights * low, weights * high).sum(axis=1).min())
    most = int(np.maximum(weights * low, weights * high).sum(axis=1).max())
    return most.bit_length() if least >= 0 else max((-least - 1).bit_length(), most.bit_length()) + 1


def _weight_type(unit: MatrixVectorUnit) -> str:
    """What holds a unit's weights, as FINN narrows them; one-bit weights stay as they are.

    FINN decides on DSP slices for the last unit before it narrows, so that has its type as declared.
    """
    low, high = int(unit.weights.min()), int(unit.weights.max())
    if unit_weight_type(unit) == "BIPOLAR":
        return "BIPOLAR"
    return smallest_type(min(low, -high - 1), 0) if low < 0 else smallest_type(0, high)


def _narrow(unit: MatrixVectorUnit) -> bool:
    """Whether no weight is the least value of its datatype."""
    span = span_of(unit_weight_type(unit))
    return span is not None and int(unit.weights.min()) > span[0]
