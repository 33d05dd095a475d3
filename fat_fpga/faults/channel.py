"""A whole output channel stuck at one activation level.

Models a fault inside the processing element that computes the channel: adder tree, weight or threshold
memory, comparator (Zahid et al. 2020, section II, Figures 1 and 2 left). It acts where the unit's output
register is: behind the thresholds, in front of any pooling.
"""

from __future__ import annotations

from collections.abc import Iterator

from fat_fpga.errors import FaultError
from fat_fpga.faults.fault import Fault
from fat_fpga.network import MatrixVectorUnit
from fat_fpga.network.layers import IntArray, Shape


class ChannelStuckAt:
    kind = "channel"

    def faults(self, unit: MatrixVectorUnit, shape: Shape) -> Iterator[Fault]:
        if unit.levels is None:
            return
        for channel in range(shape[0]):
            for value in unit.levels:
                yield Fault(unit.name, self.kind, (channel,), value)

    def count(self, unit: MatrixVectorUnit, shape: Shape) -> int:
        return shape[0] * unit.levels.count if unit.levels else 0

    def check(self, fault: Fault, unit: MatrixVectorUnit, shape: Shape) -> None:
        if unit.levels is None:
            raise FaultError(f"{fault}: {unit.name} is the last layer, its scores have no activation levels")
        if len(fault.index) != 1 or fault.index[0] >= shape[0]:
            raise FaultError(f"{fault}: {unit.name} has channels 0 to {shape[0] - 1}")
        if fault.value not in unit.levels.values:
            raise FaultError(f"{fault}: the activations of {unit.name} take the values {unit.levels}")

    def apply(self, activations: IntArray, fault: Fault) -> IntArray:
        faulty = activations.copy()
        faulty[:, fault.index[0]] = fault.value
        return faulty
