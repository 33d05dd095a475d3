"""A transient: one bit of one activation is flipped while one image passes, by a single-event upset in a FIFO.

On request the bit is held for that image, which is how a pattern of stuck or erased activations is made up.

What comes out is what the bits then say, also where that is none of the levels: a flipped high bit of a two-bit 0
is -2.
"""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.errors import FaultError
from fat_fpga.faults.block import BIT_EFFECTS, Block
from fat_fpga.faults.changes import Change, FlippedActivation
from fat_fpga.faults.fault import FLIP, Fault
from fat_fpga.faults.memory import held
from fat_fpga.faults.model import Setting
from fat_fpga.faults.place import Place, no_levels, place_of
from fat_fpga.faults.register import activation_register
from fat_fpga.faults.subject import AnySubject
from fat_fpga.faults.traits import STREAM_AXES, Family, Traits
from fat_fpga.faults.words import activation_words
from fat_fpga.network import Network


class ActivationUpset:
    kind = "activation"
    cause = "a single-event upset of one activation's bit while one image passes"
    traits = Traits(
        Family.TRANSIENT, "flipped activation bit", "activation bits", "worst image", axes=STREAM_AXES,
        words=activation_words,
        change=FlippedActivation,
    )  # fmt: skip

    def block(self, network: AnySubject, place: Place, setting: Setting) -> Block | None:
        own = place.cells.get(self.kind)
        if own is not None:
            dims, bits = own.dims, own.format.bits
        elif place.levels is not None:
            dims, bits = place.shape, activation_register(place.levels).bits
        else:
            return None
        axes, frames = self.traits.axes[: len(dims)], setting.frames or 0
        return Block(place.name, self.kind, axes, dims, (FLIP,), BIT_EFFECTS, bits=bits, frames=frames)

    def block_of(self, network: AnySubject, fault: Fault) -> Block:
        block = self.block(network, place_of(network, fault.layer), Setting())
        if block is None:
            raise FaultError(f"{fault}: {no_levels(place_of(network, fault.layer))}")
        return block

    def changes(self, network: Network, fault: Fault) -> Sequence[Change]:
        place = place_of(network, fault.layer)
        assert place.levels is not None
        assert fault.bit is not None
        assert fault.frame is not None
        channel, row, column = fault.index
        register = activation_register(place.levels)
        return (FlippedActivation(place.name, (channel, row, column), fault.bit, register, fault.frame, held(fault)),)
