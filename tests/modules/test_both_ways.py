"""Recurrent modules of both directions: step by step they give what PyTorch gives, and a state is hit where it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fat_fpga.faults import AnyFault, fault_space, parse_fault
from fat_fpga.modules import ModuleSubject
from fat_fpga.modules.both_ways import both_ways
from fat_fpga.modules.engine import ModuleEngine

MODULES: dict[str, Any] = {"gru": nn.GRU, "lstm": nn.LSTM, "tanh": nn.RNN, "relu": nn.RNN}


class Tagger(nn.Module):
    """Scores of a sequence from both directions."""

    def __init__(self, recurrent: nn.Module, units: int) -> None:
        super().__init__()
        self.recurrent, self.head = recurrent, nn.Linear(2 * units, 4)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.recurrent(x)[0].mean(1))
        return found


def recurrent(kind: str, layers: int, first: bool = True, bias: bool = True) -> Any:
    more = {"nonlinearity": kind} if kind in ("tanh", "relu") else {}
    torch.manual_seed(layers)
    return MODULES[kind](3, 5, layers, bias=bias, batch_first=first, bidirectional=True, **more).eval()


@pytest.mark.parametrize("kind", MODULES)
@pytest.mark.parametrize(("layers", "first", "bias"), [(1, True, True), (2, True, False), (3, False, True)])
def test_steps_give_what_the_module_gives(kind: str, layers: int, first: bool, bias: bool) -> None:
    module = recurrent(kind, layers, first, bias)
    sequence = torch.randn(4, 6, 3)
    start = torch.randn(2 * layers, 4 if first else 6, 5)
    with torch.no_grad():
        for state in (None, (start, start / 2) if kind == "lstm" else start):
            output, last = module(sequence, state)
            found, behind = both_ways(module, sequence, state, None)
            torch.testing.assert_close(found, output)
            torch.testing.assert_close(behind, last)


@pytest.mark.parametrize("way", [0, 1])
def test_a_state_is_hit_in_its_direction(way: int) -> None:
    """By two GRUs of one direction each, with the weights of the two directions."""
    both = recurrent("gru", 1)
    alone = [nn.GRU(3, 5, batch_first=True).eval() for _ in range(2)]
    for module, ending in zip(alone, ("", "_reverse"), strict=True):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(module, f"{name}_l0").data.copy_(getattr(both, f"{name}_l0{ending}"))
    sequence = torch.randn(2, 4, 3)

    def meet(step: int, hidden: Tensor) -> Tensor:
        if step == 1:
            hidden[way, 0, 2] *= -1
        return hidden

    with torch.no_grad():
        found, _ = both_ways(both, sequence, None, meet)
        expected = []
        for number, module in enumerate(alone):
            own = sequence.flip(1) if number else sequence
            before, state = module(own[:, :2])
            if number == way:
                state[0, 0, 2] *= -1
            joined = torch.cat([before, module(own[:, 2:], state)[0]], 1)
            expected.append(joined.flip(1) if number else joined)
        plain, _ = both(sequence)
    torch.testing.assert_close(found, torch.cat(expected, 2))
    assert not torch.allclose(found, plain)
    torch.testing.assert_close(found[1], plain[1])  # the other image is not hit


@pytest.mark.parametrize("kind", ["gru", "lstm", "relu"])
def test_short_cuts_change_nothing(kind: str) -> None:
    subject = ModuleSubject(Tagger(recurrent(kind, 2), 5).eval(), (4, 3), pixels="none")
    assert subject.places["recurrent"].cells["state"].dims == (3, 4, 5)
    rows = np.random.default_rng(0).normal(size=(6, 4, 3)).astype(np.float32)
    faults: list[AnyFault] = []
    for of, count in (("state", 40), ("weight", 30), ("activation", 10)):
        faults += fault_space(subject, of, frames=6).sample(count, seed=1)
    faults += [parse_fault(f"recurrent/state[*].bit[*] ^ 1 ~ 0.01 @ sample[{n}]") for n in range(10)]
    labels = np.zeros(6, np.int64)
    fast, plain = (
        ModuleEngine(plain, rows=8).open(subject).run(rows, labels, faults, predictions=True, counting=("outcomes",))
        for plain in (False, True)
    )
    assert fast.predictions is not None
    assert plain.predictions is not None
    np.testing.assert_array_equal(fast.predictions, plain.predictions)
    for name, images in plain.counts.items():
        np.testing.assert_array_equal(fast.counts[name], images, name)
    masked = plain.counts["masked"][:40].tolist()
    assert set(masked) == {5, 6}, "a transient is in one image, and some change its scores"
    assert masked.count(5) > 5
