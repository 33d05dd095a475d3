"""The norm of one parameter set."""

from __future__ import annotations

import torch

from fat_fpga.models.norm import TensorNorm


def test_has_one_weight_and_one_bias() -> None:
    assert [parameter.shape for parameter in TensorNorm().parameters()] == [(1,), (1,)]


def test_equals_a_batch_norm_over_the_flattened_tensor() -> None:
    torch.manual_seed(0)
    ours, reference = TensorNorm(), torch.nn.BatchNorm1d(1, eps=1e-4)
    for _ in range(3):
        x = torch.randn(20, 10) * 3 + 1
        torch.testing.assert_close(ours(x), reference(x.reshape(-1, 1)).reshape(20, 10))
    torch.testing.assert_close(ours.running_mean, reference.running_mean)
    torch.testing.assert_close(ours.running_var, reference.running_var)
    torch.testing.assert_close(ours.eval()(x), reference.eval()(x.reshape(-1, 1)).reshape(20, 10))
