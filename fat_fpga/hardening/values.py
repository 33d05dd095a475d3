"""What the values of a network's weights tell of its units, beyond the sizes and datatypes that a run keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fat_fpga.campaign import Run
from fat_fpga.errors import PlanError
from fat_fpga.hardening.costs.finn import arithmetic_of
from fat_fpga.hardening.design import UnitShape
from fat_fpga.network import MatrixVectorUnit, Network
from fat_fpga.network.datatypes import span_of
from fat_fpga.network.words import unit_weight_type


def with_values(design: Sequence[UnitShape], network: Network) -> tuple[UnitShape, ...]:
    """The units with the accumulators that their weights need, and whether these are narrow."""
    pairs = zip(design, network.units, strict=True)
    return tuple(
        replace(shape, accumulator_bits=_accumulator_bits(shape, unit), narrow=_narrow(unit)) for shape, unit in pairs
    )


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


def _narrow(unit: MatrixVectorUnit) -> bool:
    """Whether no weight is the least value of its datatype."""
    span = span_of(unit_weight_type(unit))
    return span is not None and int(unit.weights.min()) > span[0]
