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
from fat_fpga.faults.changes import Change
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.inside import wrong_change
from fat_fpga.faults.model import FaultModel, Setting
from fat_fpga.faults.place import Place
from fat_fpga.faults.traits import SET, Traits
from fat_fpga.network import Network
from fat_fpga.plugins import PlugInError, need


def foreign_model(kind: str, found: Any) -> FaultModel:
    """The fault model of an entry point called ``kind``, a class without arguments; PlugInError if it is none."""
    model = found() if isinstance(found, type) else found
    need(model, (("kind", str), ("cause", str), ("traits", Traits)), ("block", "block_of", "changes"))
    if model.kind != kind:
        raise PlugInError(f"its 'kind' is '{model.kind}': the entry point has to have the same name")
    if not kind.isidentifier() or kind == SET:
        raise PlugInError(f"'{kind}' cannot be a kind of fault: take one word of letters, digits and _")
    return _Checked(model)


class _Checked:
    """A fault model whose blocks and changes are looked at."""

    def __init__(self, model: FaultModel) -> None:
        self.model = model
        self.kind, self.cause, self.traits = model.kind, model.cause, model.traits

    def block(self, network: Network, place: Place, setting: Setting) -> Block | None:
        block = self.model.block(network, place, setting)
        return None if block is None else self._own(block, place.name)

    def block_of(self, network: Network, fault: Fault) -> Block:
        return self._own(self.model.block_of(network, fault), fault.layer)

    def changes(self, network: Network, fault: Fault) -> Sequence[Change]:
        changes = tuple(self.model.changes(network, fault))
        for change in changes:
            wrong = wrong_change(network, change)
            if wrong:
                raise FaultError(f"{fault}: the fault model of kind {self.kind} is wrong: {change!r:.200}: {wrong}")
        return changes

    def _own(self, block: Block, place: str) -> Block:
        if (block.kind, block.place, block.axes) != (self.kind, place, self.traits.axes):
            raise FaultError(
                f"the fault model of kind {self.kind} is wrong: its block is of {block.kind} at {block.place} with the "
                f"axes {', '.join(block.axes)}, expected {self.kind} at {place} with {', '.join(self.traits.axes)}"
            )
        return block
