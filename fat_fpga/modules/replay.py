"""A run under faults, beside the record of the run without: what cannot differ is not computed.

- **Prefix reuse**: a call that ends before the fault can matter gives what is recorded.
- **Early stop**: a call behind the fault whose inputs are the recorded ones, bit for bit, gives what is recorded, too.

All that is computed is computed by the same operators on tensors of the same shapes as without the short cuts, so
every float is the same, to the last bit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from fat_fpga.modules.calls import Forward, intercepted, keeps_nothing, meet_all
from fat_fpga.modules.edits import Edit
from fat_fpga.modules.faulty_run import LATE, FaultyRun
from fat_fpga.modules.injection import held
from fat_fpga.modules.record import Call, Record
from fat_fpga.modules.sites import Site, Where
from fat_fpga.modules.stepwise import steps
from fat_fpga.modules.values import in_common, shared

if TYPE_CHECKING:
    from fat_fpga.modules.subject import ModuleSubject


class Replay:
    """Runs of a module on one batch, beside the record of it.

    Args:
        tensor: the batch.
        found: the record of a run on it without faults.
        reuse: whether what cannot differ is taken from the record; without it everything is computed.
    """

    def __init__(self, subject: ModuleSubject, tensor: Tensor, found: Record, reuse: bool = True) -> None:
        self.subject, self.tensor, self.record = subject, tensor, found
        self.reuse = reuse and not found.stateful
        seen: Counter[str] = Counter()
        self._index: list[int] = []
        self._of: dict[str, list[Call]] = {}
        for call in found.calls:
            self._index.append(seen[call.module])
            seen[call.module] += 1
            self._of.setdefault(call.module, []).append(call)
        self._alone = {name: keeps_nothing(part) for name, part in subject.modules.items()}
        self._always = {name: part for name, part in subject.modules.items() if subject.stores(name) or steps(part)}
        self._found_times: dict[Site, list[int]] = {}
        self._leaves = sum(call.after == call.number + 1 for call in found.calls)
        self._heavy = {name: any(True for _ in part.parameters()) for name, part in subject.modules.items()}
        self._shapes = {name: self._shape(calls) for name, calls in self._of.items()}

    def anew(self) -> Any:
        """What the module gives without faults, computed once more."""
        with intercepted(self._always, self._storing) as recurrent:
            meet_all(recurrent, self.subject.store)
            return self.subject.module(self.input())

    def input(self) -> Tensor:
        """What the module is called with."""
        return self.tensor if self.record.keeps_input else self.tensor.clone()

    def _storing(self, name: str, forward: Forward) -> Forward:
        return lambda *args, **kwargs: self.subject.store(name, forward(*args, **kwargs))

    def output(self, edits: Sequence[Edit]) -> Any:
        """What the module gives under these changes."""
        if not edits:
            return self.record.output
        run = FaultyRun(self, edits)
        modules = self.subject.modules if run.aligned and run.until is None else self._met(edits, run.until)
        with held(self.subject.tensors, edits), intercepted(modules, run.instead) as recurrent:
            for name, module in recurrent.items():
                module.meet = partial(run.met_state, name)
            try:
                return self.subject.module(run.input())
            finally:
                run.take_back()

    def _met(self, edits: Sequence[Edit], until: int | None) -> dict[str, nn.Module]:
        """The modules that have to be met where nothing is reused but what is before an event: those called until then,
        those with a change in what they give, those whose outputs are stored in another format, and recurrent ones."""
        changed = {edit.site.name for edit in edits}
        changed |= {call.module for call in self.record.calls if until is not None and call.start < until}
        modules = self.subject.modules
        return self._always | {name: modules[name] for name in changed if name in modules}

    def damaged(self) -> bool:
        """Whether a run has changed what is recorded, so that it is of no use any more."""
        return not all(call.untouched() for call in self.record.calls)

    def times(self, edit: Edit) -> list[int]:
        """The events at which a change can begin to matter."""
        if edit.site.calls > 1:
            return self._times_of(edit)
        if edit.site not in self._found_times:
            self._found_times[edit.site] = self._times_of(edit)
        return self._found_times[edit.site]

    def _times_of(self, edit: Edit) -> list[int]:
        site = edit.site
        if site.where is Where.PARAMETER:
            return self.record.reads.get(site.name, [LATE])
        if site.where is Where.INPUT:
            return [0]
        calls = self._of.get(site.name, [])
        if site.where is Where.STATE:
            return [call.start for call in calls]
        if site.calls > 1:
            calls = [calls[number] for number in sorted(set((edit.cells // site.size).tolist()))]
        return [call.end for call in calls]

    def index(self, call: int) -> int:
        """How many calls of the same module are before it."""
        return self._index[call]

    def alone(self, name: str) -> bool:
        """Whether a module keeps nothing of what it gives."""
        return self._alone[name]

    def _shape(self, calls: list[Call]) -> torch.Size | None:
        """Of the one tensor that each of these calls of a module makes, and nobody else has; None where that is not
        so. Where nothing that is executed depends on values, it is so in each run."""
        made = {call.output.shape if self._makes_its_own(call) else None for call in calls}
        return made.pop() if len(made) == 1 else None

    def _makes_its_own(self, call: Call) -> bool:
        new = isinstance(call.output, Tensor) and not (call.written or call.fragile or self.record.looks)
        return new and self._alone[call.module] and not shared(call.output, call.inputs)

    def own_shape(self, name: str) -> torch.Size | None:
        """The shape of the tensor that a module makes, where it changes none and nobody else has what it makes."""
        return self._shapes.get(name)

    def once_after(self, name: str, event: int) -> bool:
        """Whether a module is called once, at an event or later, and what it gives is stored as it is."""
        calls = self._of.get(name, [])
        return len(calls) == 1 and calls[0].start >= event and not self.subject.stores(name)

    def lends(self, call: Call) -> bool:
        """Whether a run may change what a call gave, if it takes that back at its end: nobody has it then."""
        return self.own_shape(call.module) is not None and not in_common(self.record.output, call.output)

    def dense(self, edits: Sequence[Edit]) -> bool:
        """Whether so many outputs are sure to become others that hardly a call will get what is recorded."""
        return 2 * sum(edit.flips and edit.site.where is Where.OUTPUT for edit in edits) > self._leaves

    def heavy(self, name: str) -> bool:
        """Whether a module has parameters, so that to compare what it is called with is cheaper than to call it."""
        return self._heavy[name]
