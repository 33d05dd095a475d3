"""What the fault models of whole activations have in common: a box of a stream that is stuck at a level."""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.errors import FaultError
from fat_fpga.faults.block import Block
from fat_fpga.faults.changes import Change, HeldActivations
from fat_fpga.faults.fault import Effect, Fault
from fat_fpga.faults.model import Setting
from fat_fpga.faults.place import Place, no_levels, place_of, tried
from fat_fpga.faults.subject import AnySubject
from fat_fpga.faults.traits import STREAM_AXES, Traits
from fat_fpga.network import Network


class StuckBox:
    """A part of a stream stuck at a level. ``traits.axes`` says which parts of (channel, row, column) an index names;
    along the others the whole stream is stuck."""

    kind: str
    cause: str
    traits: Traits

    def block(self, network: AnySubject, place: Place, setting: Setting) -> Block | None:
        if place.levels is None:
            return None
        sizes, axes = dict(zip(STREAM_AXES, place.shape, strict=True)), self.traits.axes
        effects = tuple(Effect(value) for value in tried(place.levels))
        return Block(place.name, self.kind, axes, tuple(sizes[axis] for axis in axes), effects)

    def block_of(self, network: AnySubject, fault: Fault) -> Block:
        block = self.block(network, place_of(network, fault.layer), Setting())
        if block is None:
            raise FaultError(f"{fault}: {no_levels(place_of(network, fault.layer))}")
        return block

    def changes(self, network: Network, fault: Fault) -> Sequence[Change]:
        place = place_of(network, fault.layer)
        whole = {axis: range(size) for axis, size in zip(STREAM_AXES, place.shape, strict=True)}
        named = {axis: range(i, i + 1) for axis, i in zip(self.traits.axes, fault.index, strict=True)}
        box = whole | named
        channels, rows, columns = (box[axis] for axis in STREAM_AXES)
        return (HeldActivations(place.name, channels, rows, columns, fault.value),)
