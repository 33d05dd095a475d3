"""One finished fault: what it is, part by part, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from fat_fpga.campaign.columns import fault_of
from fat_fpga.campaign.origin import PATTERNS
from fat_fpga.errors import CampaignError
from fat_fpga.faults import Fault, Pattern, parse_fault
from fat_fpga.faults.fault import single_or_set


# not frozen: millions are made, and a frozen one takes six times as long
@dataclass(slots=True, unsafe_hash=True, repr=False)
class Result:
    """One finished fault. Do not change it.

    The parts of a single fault stand under the names of the run file's columns, None where its kind has no such
    part. A set of faults has none of them, it has ``members``. `faults` is the same for both.

    Attributes:
        fault: its text form; ``parse_fault`` reads it.
        layer, kind: of the fault; for several at once ``conv1+conv3`` and ``set of channel+pixel``.
        correct: images classified correctly under the fault.
        changed: images whose predicted class differs from the fault-free one.
        channel: of the stream; for weights, thresholds and accumulators the output channel.
        row, column: in the stream; for weights in the kernel.
        input_channel, threshold: of a word in a weight or threshold memory.
        pe, of: PE ``pe`` of so many.
        bit: of the word, 0 is the least significant.
        flip: 1 where the bit is inverted, 0 where bit or activation is held at ``value``.
        value: the level or the bit's value that is held; 1 for a flip.
        frame: the only image that meets the fault.
        members: the single faults of a set; empty for a single fault.
        total, largest: where the outputs are no classes, how far the fault moves them, over all values of all images
            together and at most, in units of `Run.outputs`; else None.
    """

    fault: str
    layer: str
    kind: str
    correct: int
    changed: int
    channel: int | None = None
    row: int | None = None
    column: int | None = None
    input_channel: int | None = None
    threshold: int | None = None
    pe: int | None = None
    of: int | None = None
    bit: int | None = None
    flip: int | None = None
    value: int | None = None
    frame: int | None = None
    members: tuple[Fault, ...] = ()
    total: int | None = None
    largest: int | None = None

    def __repr__(self) -> str:
        parts = [(each.name, getattr(self, each.name)) for each in fields(self)]
        return f"Result({', '.join(f'{name}={value!r}' for name, value in parts if value not in (None, ()))})"

    @property
    def columns(self) -> tuple[int | None, ...]:
        """What the run file has in `fat_fpga.campaign.columns.COLUMNS`."""
        return (
            self.channel, self.row, self.column, self.input_channel, self.threshold, self.pe,
            self.of, self.bit, self.flip, self.value, self.frame,
        )  # fmt: skip

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The single faults in it: one, or those of a set; CampaignError for a pattern, which has them in a network."""
        if self.kind.startswith(PATTERNS):
            raise CampaignError(f"{self.fault} is a pattern of errors, and no fault that could be looked at alone")
        return self.members or (fault_of(self.layer, self.kind, self.columns),)

    @property
    def pattern(self) -> Pattern:
        """The pattern; CampaignError where it is something else."""
        found = parse_fault(self.fault)
        if not isinstance(found, Pattern):
            raise CampaignError(f"{self.fault} is no pattern of errors at a rate")
        return found

    @property
    def texts(self) -> tuple[str, str]:
        """``index`` and ``effect``."""
        if self.kind.startswith(PATTERNS):
            pattern = self.pattern
            return pattern.index_text, pattern.effect_text
        fault = single_or_set(self.faults)
        return fault.index_text, fault.effect_text

    @property
    def index(self) -> str:
        """Where in the layer: ``17``, ``3,4``, or ``5 of 32`` for a PE."""
        return self.texts[0]

    @property
    def effect(self) -> str:
        """``= +1``, ``bit[9] = 1``, ``bit[0] ^ 1``, or ``bit[0] ^ 1 @ frame[12]``."""
        return self.texts[1]

    @property
    def lasting(self) -> str:
        """The effect without the image that a transient falls on."""
        return " & ".join(part.lasting_text for part in self.faults)

    @property
    def address(self) -> str:
        """Where the fault sits, without its effect: ``conv1/channel[17]``, ``conv1/weight[17,3,1,2].bit[0]``."""
        return " & ".join(part.address_text for part in self.faults)

    @property
    def effect_key(self) -> tuple[Any, ...]:
        """Equal for results with the same ``lasting``, and quicker than the text."""
        if self.members:
            return tuple((part.bit, part.flip, part.value) for part in self.members)
        return self.bit, self.flip, self.value
