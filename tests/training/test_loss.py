"""The losses."""

from __future__ import annotations

import math

import torch

from fat_fpga.training.loss import cross_entropy, squared_hinge


def test_value_and_gradient() -> None:
    scores = torch.tensor([[2.0, -0.5, 0.5], [0.25, -3.0, 0.0]], requires_grad=True)
    loss = squared_hinge(scores, torch.tensor([0, 2]))
    # distances from the margin: 0 (2 is beyond +1), 0.5, 1.5; then 1.25, 0 (-3 is beyond -1), 1 (0 should be +1)
    torch.testing.assert_close(loss, torch.tensor((0.25 + 2.25 + 1.5625 + 1.0) / 6))
    loss.backward()
    assert scores.grad is not None
    torch.testing.assert_close(scores.grad * 6, torch.tensor([[0.0, 1.0, 3.0], [2.5, 0.0, -2.0]]))


def test_cross_entropy() -> None:
    scores = torch.tensor([[math.log(1), math.log(3)], [math.log(4), math.log(1)]])
    loss = cross_entropy(scores, torch.tensor([1, 1]))
    torch.testing.assert_close(loss, torch.tensor(-(math.log(3 / 4) + math.log(1 / 5)) / 2))
    assert cross_entropy(scores.bfloat16(), torch.tensor([1, 1])).dtype == torch.float32
