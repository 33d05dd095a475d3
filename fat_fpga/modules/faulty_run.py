"""One run of a module under faults: each call gives what is recorded, or is computed and changed."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from torch import Size, Tensor
from torch.autograd.graph import increment_version

from fat_fpga.modules.calls import STATE, Forward
from fat_fpga.modules.edits import Edit
from fat_fpga.modules.injection import met
from fat_fpga.modules.record import Call, versions
from fat_fpga.modules.sites import Where
from fat_fpga.modules.values import copied, same, shared, tensors

if TYPE_CHECKING:
    from fat_fpga.modules.replay import Replay

INPUT = "input"
LATE = -1
"""A time before all calls."""


class FaultyRun:
    """One run under faults.

    Attributes:
        aligned: whether calls are still those of the record.
        until: the event from which nothing is compared with the record any more; None where all is.
    """

    def __init__(self, replay: Replay, edits: Sequence[Edit]) -> None:
        self._replay, self._calls = replay, replay.record.calls
        self._edits: dict[Where, dict[str, list[Edit]]] = {where: {} for where in Where}
        for edit in edits:
            self._edits[edit.site.where].setdefault(edit.site.name, []).append(edit)
        self._outputs, self._quantised = self._edits[Where.OUTPUT], self._edits[Where.QUANTISED]
        self._times = sorted(time for edit in edits for time in replay.times(edit))
        self._first = self._times[0] if self._times else LATE
        self.aligned = replay.reuse and self._first != LATE
        self.until = self._first if self.aligned and replay.dense(edits) else None
        self._next = 0
        self._counts: Counter[str] = Counter()
        self._changed: list[tuple[Tensor, Edit]] = []

    def instead(self, name: str, forward: Forward) -> Forward:
        """What is called in place of the forward of a module."""
        shape = self._replay.own_shape(name)
        if (
            self.until is None
            or shape is None
            or name in self._quantised
            or not self._replay.once_after(name, self.until)
        ):
            return partial(self._answer, name, forward)
        return partial(_changed, self._outputs.get(name, ()), shape, forward)

    def _answer(self, name: str, forward: Forward, *args: Any, **kwargs: Any) -> Any:
        """In place of the forward of the module called ``name``."""
        call = self._calls[self._next] if self.aligned and self._next < len(self._calls) else None
        if call is None or call.module != name or (self.until is not None and call.start >= self.until):
            self._lost()
            number = self._counts[name]
            self._counts[name] += 1
            output, in_place = self._computed(name, forward, args, kwargs)
            return self._given(name, output, number, in_place)
        number = self._replay.index(call.number)
        if self._known(call, (args, kwargs)):
            self._next = call.after
            if self._lent(name, call):
                return call.output
            output = copied(call.output) if call.fragile else call.output
            return self._given(name, output, number, False)
        self._next += 1
        output, in_place = self._computed(name, forward, args, kwargs)
        if not self.aligned or self._next != call.after:
            self._lost()
        elif (
            call.after == call.number + 1
            and not (call.written or call.fragile or name in self._outputs)
            and same(output, call.output)
        ):
            output, in_place = call.output, False  # so that what follows sees at once that nothing differs
        return self._given(name, output, number, in_place)

    def _computed(self, name: str, forward: Forward, args: Any, kwargs: Any) -> tuple[Any, bool]:
        """What a module gives, and whether a fault is put into that very tensor: where the module changed what it was
        called with, because then others may read its output, too, and where nobody else can have it."""
        if name not in self._outputs and name not in self._quantised:
            return self._replay.subject.store(name, forward(*args, **kwargs)), False
        shape = self._replay.own_shape(name)
        if shape is not None:
            output = self._replay.subject.store(name, forward(*args, **kwargs))
            return output, name in self._outputs and output.shape == shape
        before = versions((args, kwargs))
        output = self._replay.subject.store(name, forward(*args, **kwargs))
        if versions((args, kwargs)) != before:
            if name in self._outputs:
                increment_version(tensors(output))  # for those who have it already
            return output, True
        return output, name in self._outputs and self._replay.alone(name) and not shared(output, (args, kwargs))

    def _known(self, call: Call, inputs: tuple[Any, ...]) -> bool:
        """Whether what a call gives is what is recorded."""
        if call.written:
            return False
        if call.end <= self._first:
            return True
        after = bisect_left(self._times, call.start)
        if after < len(self._times) and self._times[after] < call.end:
            return False
        return self._replay.heavy(call.module) and call.met_again(inputs)

    def _lent(self, name: str, call: Call) -> bool:
        """Whether flips were put into what is recorded of a call, until `take_back`: where nothing is compared with the
        record any more. To copy a large tensor costs more than the flips."""
        edits = self._outputs.get(name, [])
        if self.until is None or not edits or name in self._quantised or not self._replay.lends(call):
            return False
        tensor = call.output
        if not all(edit.taken_back() and edit.site.format.unseen(tensor) for edit in edits):
            return False
        for edit in edits:
            met(tensor, edit, in_place=True)
            self._changed.append((tensor, edit))
        return True

    def take_back(self) -> None:
        """Have the record be what it was: the same flips once more."""
        while self._changed:
            met(*self._changed.pop(), in_place=True)

    def _lost(self) -> None:
        """Another call than recorded: from here on everything is computed."""
        if self.aligned:
            self._counts.update(call.module for call in self._calls[: self._next])
        self.aligned = False

    def _given(self, name: str, output: Any, number: int, in_place: bool) -> Any:
        for edits in (self._outputs, self._quantised):
            for edit in edits.get(name, ()):
                output = met(output, edit, number, in_place)
        return output

    def input(self) -> Any:
        """What the module is called with, with its changes."""
        value: Any = self._replay.input()
        for edit in self._edits[Where.INPUT].get(INPUT, ()):
            value = met(value, edit)
        return value

    def met_state(self, name: str, step: int, state: Tensor) -> Tensor:
        """A hidden state between two steps."""
        found: Any = self._replay.subject.store(name + STATE, state)
        for edit in self._edits[Where.STATE].get(name, ()):
            found = met(found, edit, step)
        return cast(Tensor, found)


def _changed(edits: Sequence[Edit], shape: Size, forward: Forward, *args: Any, **kwargs: Any) -> Any:
    """What a module gives that is called once, with its changes, where nothing is compared with the record: the same as
    `FaultyRun._answer`. It costs less, which shows where a pass is short and each layer has a few flips."""
    output = forward(*args, **kwargs)
    for edit in edits:
        output = met(output, edit, in_place=output.shape == shape)
    return output
