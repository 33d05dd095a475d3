"""Recurrent modules, one time step after the other, so that their hidden state can be met between two steps.

In hardware the state is in a memory between two steps. PyTorch computes a whole sequence in one call, where nobody can
reach it. So `Stepwise` calls the module once for each step, with the state of the step before. The products are those
of the module, but of one step at a time, so the last bits of a float can differ from those of one call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from fat_fpga.modules.both_ways import both_ways

Meet = Callable[[int, Tensor], Tensor]
"""Called after each step but the last with its number and the hidden state [layers, N, units]; returns the state. Of
both directions `both_ways` says what it is called with."""


def steps(module: nn.Module) -> bool:
    """Whether a module is one whose state can be met: GRU, LSTM or RNN without projection; of both directions only
    PyTorch's own classes, because there its forward is computed here."""
    if not isinstance(module, nn.GRU | nn.LSTM | nn.RNN) or module.proj_size:
        return False
    return not module.bidirectional or type(module) in (nn.GRU, nn.LSTM, nn.RNN)


class Stepwise:
    """The forward of a recurrent module, a step at a time.

    Args:
        module: one that `steps` is true of.
        forward: its own.
    """

    def __init__(self, module: Any, forward: Callable[..., Any]) -> None:
        self._module, self._forward = module, forward
        self.meet: Meet | None = None

    def __call__(self, sequence: Any, state: Any = None) -> Any:
        if not isinstance(sequence, Tensor) or sequence.dim() != 3:
            return self._forward(sequence, state)  # packed, or without a batch: nobody meets its state
        if self._module.bidirectional:
            return both_ways(self._module, sequence, state, self.meet)
        axis = 1 if self._module.batch_first else 0
        found = []
        for step in range(sequence.shape[axis]):
            output, state = self._forward(sequence.narrow(axis, step, 1), state)
            found.append(output)
            if self.meet is not None and step + 1 < sequence.shape[axis]:
                hidden = state[0] if isinstance(state, tuple) else state
                met = self.meet(step, hidden)
                state = (met, state[1]) if isinstance(state, tuple) else met
        return torch.cat(found, dim=axis), state
