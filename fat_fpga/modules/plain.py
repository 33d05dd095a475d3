"""The plain way, which anybody can read: one fault after the other, with hooks of PyTorch, nothing reused.

`fat_fpga.modules.replay` is held against it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fat_fpga.errors import EngineError
from fat_fpga.faults import Fault
from fat_fpga.modules.calls import STATE, intercepted
from fat_fpga.modules.formats import Format
from fat_fpga.modules.formats.quantised import Quantised
from fat_fpga.modules.record import versions
from fat_fpga.modules.sites import Site, Where
from fat_fpga.modules.values import first_tensor, with_first

if TYPE_CHECKING:
    from fat_fpga.modules.subject import ModuleSubject


def plain_output(
    subject: ModuleSubject, tensor: Tensor, faults: Sequence[Fault], first_frame: int, images: int, first_row: int
) -> Any:
    """What the module gives for a batch under faults that are present at once.

    Args:
        faults: single ones; those of other images than ``first_frame`` up to ``first_frame + images`` do nothing.
        first_row: of the batch, where image ``first_frame`` is.
    """
    met = [fault for fault in faults if fault.frame is None or first_frame <= fault.frame < first_frame + images]

    def rows(fault: Fault, count: int) -> list[int]:
        return [*range(count)] if fault.frame is None else [first_row + fault.frame - first_frame]

    def change(where: Where, name: str, output: Any, call: int, in_place: bool = False) -> Any:
        for fault in met:
            site = subject.sites[fault.layer, fault.kind]
            if site.where is where and site.name == name:
                cell = int(np.ravel_multi_index(fault.index, site.dims))
                number, inner = divmod(cell, site.size)
                if (site.calls > 1 or where is Where.STATE) and number != call:
                    continue
                whole = first_tensor(output)
                assert whole is not None
                whole = whole if in_place else whole.clone()
                for row in [0] if site.axis is None else rows(fault, whole.shape[site.axis]):
                    index = [int(part) for part in np.unravel_index(inner, site.shape or (1,))]
                    if site.axis is not None:
                        index.insert(site.axis, row)
                    _change(whole, tuple(index), fault, _format(site, output, tuple(index)))
                output = output if in_place else with_first(output, whole)
        return output

    calls: Counter[str] = Counter()

    called: list[list[int]] = []  # versions of what the modules were called with that run now, the innermost last

    def entered(module: Any, args: Any, kwargs: Any) -> None:
        called.append(versions((args, kwargs)))

    def hook(name: str, module: Any, args: Any, kwargs: Any, output: Any) -> Any:
        in_place = versions((args, kwargs)) != called.pop()
        output = subject.store(name, output)
        number = calls[name]
        calls[name] += 1
        output = change(Where.OUTPUT, name, output, number, in_place)
        return change(Where.QUANTISED, name, output, number, in_place)

    def state(name: str, step: int, hidden: Tensor) -> Tensor:
        found: Tensor = change(Where.STATE, name, subject.store(name + STATE, hidden), step)
        return found

    with ExitStack() as stack:
        for fault in met:
            site = subject.sites[fault.layer, fault.kind]
            if site.where is Where.PARAMETER:
                stack.enter_context(_in_memory(subject.tensors[site.name], site, fault))
        for name, module in stack.enter_context(intercepted(subject.modules, None)).items():
            module.meet = partial(state, name)
        for name, part in subject.modules.items():
            if isinstance(part, torch.jit.ScriptModule):
                raise EngineError(f"{name} is a ScriptModule, which takes no hooks: choose --engine module")
            stack.enter_context(_removed(part.register_forward_pre_hook(entered, with_kwargs=True)))
            stack.enter_context(_removed(part.register_forward_hook(partial(hook, name), with_kwargs=True)))
        return subject.module(change(Where.INPUT, "input", tensor.clone(), 0))


@contextmanager
def _removed(handle: Any) -> Iterator[None]:
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _in_memory(parameter: Tensor, site: Site, fault: Fault) -> Iterator[None]:
    """One bit of one word of a parameter is changed in place."""
    with torch.no_grad():
        index = tuple(int(part) for part in np.unravel_index(np.ravel_multi_index(fault.index, site.dims), site.shape))
        before = parameter.detach()[index].clone()
        try:
            _change(parameter.detach(), index, fault, site.format)
            yield
        finally:
            with torch.no_grad():
                parameter.detach()[index] = before


def _change(tensor: Tensor, index: tuple[int, ...], fault: Fault, form: Format) -> None:
    """One bit of one value of a tensor is changed in place."""
    assert fault.bit is not None
    word = int(form.encode(tensor[index].reshape(1))[0]) & (1 << form.bits) - 1
    mask = 1 << fault.bit
    word = word ^ mask if fault.flip else word | mask if fault.value else word & ~mask
    words = torch.tensor([word - (1 << 64) if word >= 1 << 63 else word], dtype=torch.int64)
    tensor[index] = form.decode(words.to(tensor.device), tensor.dtype)[0]


def _format(site: Site, output: Any, index: tuple[int, ...]) -> Format:
    if isinstance(site.format, Quantised):
        return site.format.at(output, tuple(torch.tensor([part]) for part in index))
    return site.format
