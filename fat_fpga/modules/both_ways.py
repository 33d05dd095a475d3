"""Recurrent modules of both directions, layer after layer and each direction a time step at a time.

The reverse direction starts at the end of the sequence, and a layer reads both directions of the layer in front of it,
at all times. So states of different layers and directions are not there at the same moment: each is met on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Step = Callable[[Tensor, Tensor, "Tensor | None"], tuple[Tensor, Tensor, "Tensor | None"]]
"""Given one time step [N, 1, features], the hidden state [1, N, units] and the cell state of an LSTM: the output, and
both states behind it."""

WAYS = ("", "_reverse")
"""How PyTorch ends the names of parameters of each direction."""
_RNN = {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}


def both_ways(module: Any, sequence: Tensor, state: Any, meet: Callable[[int, Tensor], Tensor] | None) -> Any:
    """What a GRU, LSTM or RNN of both directions gives, in the form in which it gives that.

    Args:
        sequence: [N, steps, features], or [steps, N, features] where the batch is not first.
        state: what it starts from, as the module takes it; None for zeros.
        meet: called as ``meet(step, hidden)`` after each step but the last of each layer and direction, with a state
            [2 * layers, N, units] that is 0 but in row ``2 * layer + direction``; of what it returns that row counts.
            The steps of the reverse direction are counted from the end of the sequence.
    """
    lstm = isinstance(module, nn.LSTM)
    stream = sequence if module.batch_first else sequence.transpose(0, 1)
    zeros = stream.new_zeros(2 * module.num_layers, len(stream), module.hidden_size)
    hidden, cell = (state if lstm else (state, None)) if state is not None else (zeros, zeros if lstm else None)
    ends: list[tuple[Tensor, Tensor | None]] = []
    for layer in range(module.num_layers):
        found = []
        for way, ending in enumerate(WAYS):
            row = 2 * layer + way
            step = _step(module, [*_parameters(module, layer, ending)])
            own = stream.flip(1) if way else stream
            h, c = hidden[row : row + 1], None if cell is None else cell[row : row + 1]
            outputs = []
            for number in range(own.shape[1]):
                output, h, c = step(own.narrow(1, number, 1), h, c)
                outputs.append(output)
                if meet is not None and number + 1 < own.shape[1]:
                    whole = torch.zeros_like(zeros)
                    whole[row] = h[0]
                    h = meet(number, whole)[row : row + 1]
            joined = torch.cat(outputs, 1)
            found.append(joined.flip(1) if way else joined)
            ends.append((h, c))
        stream = torch.cat(found, 2)
    last = torch.cat([h for h, _ in ends])
    cells = [c for _, c in ends if c is not None]
    return stream if module.batch_first else stream.transpose(0, 1), (last, torch.cat(cells)) if lstm else last


def _parameters(module: Any, layer: int, ending: str) -> list[Tensor]:
    kinds = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if module.bias else [])]
    return [getattr(module, f"{kind}_l{layer}{ending}") for kind in kinds]


def _step(module: Any, parameters: Sequence[Tensor]) -> Step:
    """A time step of one layer in one direction."""
    rest = (module.bias, 1, 0.0, False, False, True)  # layers, dropout, training, both directions, batch first

    def lstm(inputs: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        assert cell is not None
        function: Any = torch.lstm
        output, behind, own = function(inputs, (hidden, cell), parameters, *rest)
        return output, behind, own

    def other(inputs: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        function: Any = torch.gru if isinstance(module, nn.GRU) else _RNN[module.nonlinearity]
        output, behind = function(inputs, hidden, parameters, *rest)
        return output, behind, None

    return lstm if isinstance(module, nn.LSTM) else other
