"""A run without faults, written down: which module is called when, what it gives, when which parameter is read.

Time is counted in events: the start and the end of each call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from fat_fpga.modules.calls import Forward, Store, intercepted, meet_all
from fat_fpga.modules.values import copied, same, same_bits, tensors

LOOKS = {"aten::_local_scalar_dense", "aten::is_nonzero", "aten::equal"}
"""Operators that make a number of Python of a tensor: what is executed may depend on it."""


@dataclass(eq=False)
class Call:
    """One call of a module.

    Attributes:
        module: its name.
        number: in the order in which calls start.
        start, end: events.
        after: number of the first call after this one and those in it.
        inputs: what it was called with.
        output: what it gave, before anybody could change it.
        written: whether it changes what it is called with in place, or attributes of its module: then it has to run.
        fragile: whether its output is changed in place later on.
        versions: of the tensors in inputs and output, as they were then.
    """

    module: str
    number: int
    start: int
    end: int = -1
    after: int = -1
    inputs: tuple[Any, ...] = ()
    output: Any = None
    written: bool = False
    fragile: bool = False
    versions: tuple[list[int], list[int]] = ([], [])

    def untouched(self) -> bool:
        """Whether nobody has changed the output that is kept."""
        return self.fragile or versions(self.output) == self.versions[1]

    def met_again(self, inputs: tuple[Any, ...]) -> bool:
        """Whether it was called with the same, bit for bit."""
        return same(self.inputs, inputs) and versions(self.inputs) == self.versions[0]


def versions(value: Any) -> list[int]:
    """How often each tensor in a value was changed in place."""
    return [tensor._version for tensor in tensors(value)]


@dataclass(eq=False)
class Record:
    """A run without faults.

    Attributes:
        calls: in the order of their starts.
        reads: by the name of each parameter and buffer the events before which it is read.
        output: of the whole module.
        looks: whether a number of Python was made of a tensor.
        stateful: whether a module changes attributes of its own.
        keeps_input: whether every run leaves what the module is called with as it is: this one did, and what is
            executed does not depend on values.
    """

    calls: list[Call] = field(default_factory=list)
    reads: dict[str, list[int]] = field(default_factory=dict)
    output: Any = None
    looks: bool = False
    stateful: bool = False
    keeps_input: bool = False

    def fragile(self) -> set[int]:
        """The numbers of the calls whose outputs were changed in place after they were given."""
        return {call.number for call in self.calls if call.fragile or versions(call.output) != call.versions[1]}


def record(
    module: nn.Module, modules: Mapping[str, nn.Module], tensor: Tensor, store: Store, fragile: Iterable[int] = ()
) -> Record:
    """Run a module once and write it down.

    Args:
        modules: those whose calls are written down.
        tensor: what it is called with.
        store: gives what is stored of the output of a module.
        fragile: numbers of calls whose outputs are copied, because they are changed in place later on.
    """
    found, clock = Record(), _Clock()
    copies = set(fragile)

    def answer(name: str, forward: Forward, *args: Any, **kwargs: Any) -> Any:
        call = Call(name, len(found.calls), clock.tick())
        found.calls.append(call)
        inputs = (args, kwargs)
        before, attributes = versions(inputs), _attributes(modules[name])
        output = store(name, forward(*args, **kwargs))
        call.after, call.end = len(found.calls), clock.tick()
        changed = _attributes(modules[name]) != attributes
        found.stateful |= changed
        call.written = changed or versions(inputs) != before
        call.fragile = call.number in copies
        call.inputs, call.output = inputs, copied(output) if call.fragile else output
        call.versions = versions(inputs), versions(call.output)
        return output

    with intercepted(modules, lambda *own: partial(answer, *own)) as recurrent, _Reads(module, clock, found):
        meet_all(recurrent, store)
        own = tensor.clone()  # which the module may change in place
        before = own._version
        found.output = module(own)
    kept = own._version == before and same_bits(own, tensor)
    found.keeps_input = kept and not (found.looks or found.stateful)
    return found


def _attributes(module: nn.Module) -> dict[str, int]:
    """What the attributes of a module are, without the forward that is intercepted."""
    return {key: id(value) for key, value in module.__dict__.items() if key != "forward"}


class _Clock:
    """Counts events."""

    def __init__(self) -> None:
        self.now = 0

    def tick(self) -> int:
        self.now += 1
        return self.now


class _Reads(TorchDispatchMode):
    """Sees every operator, and which parameters it reads: by their memory, so that views are seen, too."""

    def __init__(self, module: nn.Module, clock: _Clock, found: Record) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._clock, self._found = clock, found
        self._names: dict[int, list[str]] = {}
        for name, part in (*module.named_parameters(remove_duplicate=False), *module.named_buffers()):
            if part.numel():
                self._names.setdefault(part.untyped_storage().data_ptr(), []).append(name)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func._schema.name in LOOKS:
            self._found.looks = True
        for tensor in tensors((args, kwargs)):
            for name in self._names.get(tensor.untyped_storage().data_ptr(), ()):
                self._found.reads.setdefault(name, []).append(self._clock.now)
        return func(*args, **kwargs)
