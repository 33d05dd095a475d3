"""Estimating the statistics of norms anew."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from fat_fpga.models.norm import TensorNorm
from fat_fpga.training.norms import estimate_norms


def test_statistics_are_averages_over_the_batches() -> None:
    torch.manual_seed(0)
    model: Any = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm1d(3), TensorNorm()).train()
    model[1].running_mean.fill_(100)
    batches = [torch.randn(50, 3) * 2 + 1 for _ in range(4)]
    estimate_norms(model, batches)
    torch.testing.assert_close(model[1].running_mean, torch.stack([b.mean(0) for b in batches]).mean(0))
    torch.testing.assert_close(model[1].running_var, torch.stack([b.var(0) for b in batches]).mean(0))
    torch.testing.assert_close(model[2].running_mean, torch.zeros(1), atol=1e-5, rtol=0)
    assert model.training
    assert model[0].training
    assert (model[1].momentum, model[2].momentum) == (0.1, 0.1)
