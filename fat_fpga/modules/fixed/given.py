"""What each module gives in a run, as the integers of its words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from fat_fpga.modules.values import first_tensor

Given = dict[tuple[str, int], Tensor]
"""By name of a module and number of the call what it gave, [N, ...], in the order in which calls end."""


@contextmanager
def given(modules: Mapping[str, nn.Module], names: set[str] | None = None) -> Iterator[Given]:
    """Note what modules give while the block runs, after everything that becomes of it there.

    Args:
        names: which of them; None for all.
    """
    found: Given = {}
    calls: Counter[str] = Counter()

    def note(name: str, _module: nn.Module, _inputs: Any, output: Any) -> None:
        tensor = first_tensor(output)
        if tensor is not None:
            found[name, calls[name]] = tensor.detach().clone()
        calls[name] += 1

    handles = [
        part.register_forward_hook(partial(note, name))
        for name, part in modules.items()
        if names is None or name in names
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def integers(values: Tensor, fraction: int) -> Tensor:
    """Values as integers of a step of ``2 ** -fraction``, float64; fractions stay fractions."""
    return values.to(torch.float64) * 2.0**fraction
