"""Fault models of other packages. What they say is looked at before an engine executes it.

Engines index arrays with what a change says, and take no second look. So each change of a foreign model has to be
inside of the network, and its words and registers have to be those of the network; a model that is wrong about that
is refused, and gives no counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fat_fpga.errors import FaultError
from fat_fpga.faults.block import Block
from fat_fpga.faults.changes import Change, FlippedActivation, HeldActivations
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.inside import wrong_change
from fat_fpga.faults.model import FaultModel, Setting
from fat_fpga.faults.place import Place
from fat_fpga.faults.subject import AnySubject
from fat_fpga.faults.traits import SET, Family, Traits
from fat_fpga.network import Network
from fat_fpga.plugins import PlugInError, need


def foreign_model(kind: str, found: Any) -> FaultModel:
    """The fault model of an entry point called ``kind``, a class without arguments; PlugInError if it is none."""
    model = found() if isinstance(found, type) else found
    need(model, (("kind", str), ("cause", str), ("traits", Traits)), ("block", "block_of", "changes"))
    if model.kind != kind:
        raise PlugInError(f"its 'kind' is '{model.kind}': the entry point has to have the same name")
    if model.traits.family is Family.SET:
        raise PlugInError("no kind is of the family SET")
    if not kind.isidentifier() or kind == SET:
        raise PlugInError(f"'{kind}' cannot be a kind of fault: take one word of letters, digits and _")
    return _Checked(model)


class _Checked:
    """A fault model whose blocks and changes are looked at."""

    def __init__(self, model: FaultModel) -> None:
        self.model = model
        self.kind, self.cause, self.traits = model.kind, model.cause, model.traits

    def block(self, network: AnySubject, place: Place, setting: Setting) -> Block | None:
        block = self.model.block(network, place, setting)
        return None if block is None else self._own(block, place.name)

    def block_of(self, network: AnySubject, fault: Fault) -> Block:
        return self._own(self.model.block_of(network, fault), fault.layer)

    def changes(self, network: Network, fault: Fault) -> Sequence[Change]:
        changes = tuple(self.model.changes(network, fault))
        for change in changes:
            wrong = wrong_change(network, change) or self._of_other_family(fault, change)
            if wrong:
                raise FaultError(f"{fault}: the fault model of kind {self.kind} is wrong: {change!r:.200}: {wrong}")
        return changes

    def _of_other_family(self, fault: Fault, change: Change) -> str:
        """What is wrong with a change for the traits of the kind: others decide by them what a run depends on."""
        family = f"faults of the family {self.traits.family.name}"
        if self.traits.levels and not isinstance(change, HeldActivations):
            return f"{family} hold activations, and do nothing else"
        frame = change.frame if isinstance(change, FlippedActivation) else None
        lasting = "each" if fault.frame is None else "one"
        return "" if frame == fault.frame else f"{family} are in {lasting} image"

    def _own(self, block: Block, place: str) -> Block:
        traits = self.traits
        found = {"bits": block.bits, "frames": block.frames, "of": block.of}
        expected = {"bits": traits.bits, "frames": traits.needs_frames, "of": traits.needs_folding}
        wrong = [name for name, value in found.items() if (value is not None) is not expected[name]]
        if wrong:
            raise FaultError(
                f"the fault model of kind {self.kind} is wrong: its block has {wrong[0]}={found[wrong[0]]}, which does "
                f"not go with the family {traits.family.name}"
            )
        if (block.kind, block.place, block.axes) != (self.kind, place, self.traits.axes):
            raise FaultError(
                f"the fault model of kind {self.kind} is wrong: its block is of {block.kind} at {block.place} with the "
                f"axes {', '.join(block.axes)}, expected {self.kind} at {place} with {', '.join(self.traits.axes)}"
            )
        return block
