"""The calls of a module and of the modules in it: intercepted while it runs, and put back as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from fat_fpga.modules.stepwise import Stepwise, steps

Forward = Callable[..., Any]
Instead = Callable[[str, Forward], Forward]
"""Gives what is called in place of the forward of the module of a name."""

Store = Callable[[str, Any], Any]
"""Called with the name of a module and what it gives, or a hidden state under the name and ``STATE``; gives what is
stored of it in the format of the place."""
STATE = "#state"

OPAQUE = "brevitas.proxy"
"""Modules of these packages are one module each: what is in them is their own affair."""


def modules_of(module: nn.Module) -> dict[str, nn.Module]:
    """The modules in a module by name, in the order of ``named_modules``, without itself and what is in opaque ones."""
    found: dict[str, nn.Module] = {}
    closed: list[str] = []
    for name, part in module.named_modules():
        if not name or any(name.startswith(f"{other}.") for other in closed):
            continue
        found[name] = part
        if type(part).__module__.startswith(OPAQUE):
            closed.append(name)
    return found


def keeps_nothing(module: nn.Module) -> bool:
    """Whether a module is one of PyTorch's own that call no others, with its own forward: such a one gives a tensor
    that it has just made, or a view of what it was called with, and keeps neither."""
    own = type(module).__module__.startswith("torch.nn.modules.") and "forward" not in module.__dict__
    return own and not any(True for _ in module.children())


def meet_all(recurrent: Mapping[str, Stepwise], store: Store) -> None:
    """Have the hidden states of recurrent modules stored in their formats between two steps."""
    for name, module in recurrent.items():
        module.meet = partial(_stored, store, name)


def _stored(store: Store, name: str, step: int, state: Tensor) -> Tensor:
    found: Tensor = store(name + STATE, state)
    return found


@contextmanager
def conditions() -> Iterator[None]:
    """What every run has in common: no gradients, and no fused attention, which leaves out the modules in it."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


@contextmanager
def intercepted(modules: Mapping[str, nn.Module], instead: Instead | None) -> Iterator[dict[str, Stepwise]]:
    """Have something else called in place of the forward of each module; the recurrent ones run a step at a time.

    Gives these by name. All is as before at the end, also where an exception is thrown.
    """
    before = {name: module.__dict__.get("forward") for name, module in modules.items()}
    found: dict[str, Stepwise] = {}
    try:
        for name, module in modules.items():
            forward: Forward = module.forward
            if steps(module):
                forward = found[name] = Stepwise(module, forward)
            if instead is not None:
                forward = instead(name, forward)
            if instead is not None or name in found:
                module.__dict__["forward"] = forward
        with conditions():
            yield found
    finally:
        for name, module in modules.items():
            own = before[name]
            if own is not None:
                module.__dict__["forward"] = own
            else:
                module.__dict__.pop("forward", None)
