"""A bit of the hidden state of a recurrent module, flipped between two time steps of one image.

On request the bit is held. The state is what the next step reads; the output of its own step is left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.errors import FaultError
from fat_fpga.faults.block import BIT_EFFECTS, Block
from fat_fpga.faults.changes import Change
from fat_fpga.faults.fault import FLIP, Fault
from fat_fpga.faults.model import Setting
from fat_fpga.faults.place import Place, place_of
from fat_fpga.faults.subject import AnySubject
from fat_fpga.faults.traits import Family, Traits
from fat_fpga.network import Network


class StateUpset:
    kind = "state"
    cause = "a single-event upset of a bit of the hidden state between two time steps"
    traits = Traits(
        Family.TRANSIENT, "flipped state bit", "state bits", "worst image", axes=("time step", "layer", "unit")
    )

    def block(self, network: AnySubject, place: Place, setting: Setting) -> Block | None:
        own = place.cells.get(self.kind)
        if own is None:
            return None
        bits, frames = own.format.bits, setting.frames or 0
        return Block(place.name, self.kind, self.traits.axes, own.dims, (FLIP,), BIT_EFFECTS, bits=bits, frames=frames)

    def block_of(self, network: AnySubject, fault: Fault) -> Block:
        block = self.block(network, place_of(network, fault.layer), Setting())
        if block is None:
            raise FaultError(
                f"{fault}: {fault.layer} has no hidden state that can be met: a GRU, LSTM or RNN, called once "
                "and without projection, has one"
            )
        return block

    def changes(self, network: Network, fault: Fault) -> Sequence[Change]:
        raise FaultError(f"{fault}: only modules have faults of kind {self.kind}")
