"""What a fault model is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fat_fpga.faults.block import Block
from fat_fpga.faults.changes import Change
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.place import Place
from fat_fpga.faults.subject import AnySubject
from fat_fpga.faults.traits import Traits
from fat_fpga.network import Network


@dataclass(frozen=True)
class Setting:
    """What the number of faults depends on beside the network.

    Attributes:
        pes: number of PEs of each unit by name, from a folding; None where none was given.
        frames: number of images of the data set, None where it is not known.
        named: whether the place was asked for; without it a kind may leave out places where it says nothing.
    """

    pes: dict[str, int] | None = None
    frames: int | None = None
    named: bool = True


class FaultModel(Protocol):
    """One kind of hardware fault: where it can sit, and what it does there.

    Attributes:
        kind: the word in the text form.
        cause: what breaks in the hardware, in a few words, for reports.
        traits: what is known of it beside its meaning.
    """

    kind: str
    cause: str
    traits: Traits

    def block(self, network: AnySubject, place: Place, setting: Setting) -> Block | None:
        """The faults of this kind at a place; None where there can be none. Where the setting lacks something that
        only enumerating needs, the block still knows what a fault of its kind looks like."""

    def block_of(self, network: AnySubject, fault: Fault) -> Block:
        """The block that a fault of this kind belongs to, for checking it.

        Raises:
            FaultError: there is no such place, or none of its faults is of this kind.
        """

    def changes(self, network: Network, fault: Fault) -> Sequence[Change]:
        """What a fault, known to exist, does."""
