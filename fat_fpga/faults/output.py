"""A bit of one value that a module puts out, flipped or stuck in every image: a broken cell of its output buffer."""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.errors import FaultError
from fat_fpga.faults.changes import Change
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.memory import MemoryBits
from fat_fpga.faults.place import Place
from fat_fpga.faults.traits import STREAM_AXES, Family, Traits
from fat_fpga.network import Network


class OutputBit(MemoryBits):
    kind = "output"
    cause = "a bit of the buffer that holds what a module puts out"
    traits = Traits(
        Family.MEMORY_BIT, "faulty output bit", "output bits", "worst effect", axes=STREAM_AXES, last_layer=True
    )

    def words(self, place: Place) -> tuple[tuple[int, ...], int] | None:
        return None

    def changes(self, network: Network, fault: Fault) -> Sequence[Change]:
        raise FaultError(f"{fault}: only modules have faults of kind {self.kind}")
