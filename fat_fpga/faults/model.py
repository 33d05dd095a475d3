"""What a fault model is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from fat_fpga.faults.fault import Fault
from fat_fpga.network import MatrixVectorUnit
from fat_fpga.network.layers import IntArray, Shape


class FaultModel(Protocol):
    """One kind of hardware fault: where it can sit and what it does there."""

    kind: str

    def faults(self, unit: MatrixVectorUnit, shape: Shape) -> Iterator[Fault]:
        """Every fault of this kind at a unit whose output has ``shape``, in a fixed order."""

    def count(self, unit: MatrixVectorUnit, shape: Shape) -> int:
        """How many faults ``faults`` yields, without going through them."""

    def check(self, fault: Fault, unit: MatrixVectorUnit, shape: Shape) -> None:
        """FaultError, saying what is possible, unless the fault exists at this unit."""

    def apply(self, activations: IntArray, fault: Fault) -> IntArray:
        """The faulty activations; [N, C, H, W] in front of any pooling. The argument is not changed."""
