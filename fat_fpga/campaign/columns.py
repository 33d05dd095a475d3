"""The typed columns of a run file: what the parts of a fault's address are called there.

One column means one thing wherever a kind has it, so ``WHERE channel = 17`` is about a channel for every kind; only
``row`` and ``column`` are those of the kernel for weights and those of the stream for all others.
"""

from __future__ import annotations

from typing import Any

from fat_fpga.errors import CampaignError
from fat_fpga.faults import AnyFault, Fault, FaultModel, fault_model

AXES = {
    "channel": "channel",
    "output channel": "channel",
    "row": "row",
    "kernel row": "row",
    "column": "column",
    "kernel column": "column",
    "input channel": "input_channel",
    "threshold": "threshold",
    "entry": "threshold",
    "PE": "pe",
    "unit": "channel",
    "time step": "row",
    "layer": "column",
}
"""The column of each axis of a fault model."""

INDEX = ("channel", "row", "column", "input_channel", "threshold", "pe")
COLUMNS = (*INDEX, "of", "bit", "flip", "value", "frame")
"""What a run file knows of one fault besides layer and kind; integers, NULL where the kind has no such part."""


def index_columns(model: FaultModel) -> tuple[str, ...]:
    """The columns of a fault model's index, in the order of the text form."""
    unknown = [axis for axis in model.traits.axes if axis not in AXES]
    if unknown:
        raise CampaignError(
            f"a run file has no column for the axis '{unknown[0]}' of {model.kind} faults: its columns are for "
            f"{', '.join(AXES)}"
        )
    return tuple(AXES[axis] for axis in model.traits.axes)


def columns_of(fault: AnyFault) -> tuple[int | None, ...]:
    """The content of ``COLUMNS`` for a fault; all None for a set, whose faults have columns of their own.

    The index of a module's words may have fewer parts than its kind has axes.
    """
    if not isinstance(fault, Fault):
        return (None,) * len(COLUMNS)
    named = dict(zip(index_columns(fault_model(fault.kind)), fault.index, strict=False))
    return (*(named.get(name) for name in INDEX), fault.of, fault.bit, int(fault.flip), fault.value, fault.frame)


def fault_of(layer: str, kind: str, columns: tuple[Any, ...]) -> Fault:
    """The fault that ``columns_of`` was made from."""
    named = dict(zip(COLUMNS, columns, strict=True))
    index = tuple(named[name] for name in index_columns(fault_model(kind)) if named[name] is not None)
    return Fault(layer, kind, index, named["value"], named["of"], named["bit"], bool(named["flip"]), named["frame"])
