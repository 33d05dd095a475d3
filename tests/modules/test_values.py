"""Whether tensors are the same, bit for bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from fat_fpga.modules.values import same_bits, same_rows


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int32, torch.bool]
)
@pytest.mark.parametrize("shape", [(40,), (40, 3), (40, 2, 3), (40, 0)])
def test_rows_are_the_same_as_one_by_one(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(len(shape))
    a = torch.randint(0, 2, shape, generator=generator).to(dtype)
    b = torch.where(torch.rand(shape, generator=generator) < 0.2, 1 - a.float(), a.float()).to(dtype)
    expected = [same_bits(x, y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_array_equal(same_rows(a, b), expected)
    np.testing.assert_array_equal(same_rows(a.flip(0), b.flip(0)), expected[::-1])
    if 0 not in shape:
        assert any(expected)
        assert not all(expected)


def test_zeros_of_both_signs_differ_and_a_nan_equals_itself() -> None:
    a: Tensor = torch.tensor([[0.0, 1.0], [math.nan, 2.0], [3.0, 4.0]])
    b: Tensor = torch.tensor([[-0.0, 1.0], [math.nan, 2.0], [3.0, 5.0]])
    assert same_rows(a, b).tolist() == [False, True, False]
    assert same_rows(a, b[:, :1]).tolist() == [False] * 3
    assert same_rows(a, b.double()).tolist() == [False] * 3
    assert same_rows(a.T, a.T.contiguous()).tolist() == [True] * 2
