"""Equations 1 to 5: counts of levels by chi-square, gradients, broadcasting."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fat_fpga.models.activation import QuantisedActivation
from fat_fpga.training import insert_injectors
from fat_fpga.training.injection.equations import replace
from fat_fpga.training.injection.error_models import ERROR_MODELS
from tests.training.nets import Whole

SHAPE = (6, 5, 4, 3)

CRITICAL = {2: 13.816, 3: 16.266, 4: 18.467, 8: 26.124, 16: 39.252}
"""Chi-square that a fair draw exceeds once in 1,000 times, by degrees of freedom: M + 1 outcomes less one."""


@pytest.mark.parametrize("levels", CRITICAL)
@pytest.mark.parametrize("p", [1.5, 5.0, 50.0, 100.0])
def test_each_level_has_an_equal_share_of_p(levels: int, p: float) -> None:
    torch.manual_seed(levels)
    draws = 400_000
    out = replace(torch.full((draws,), -1.0), torch.rand(draws), p, Whole(levels))
    counts = [int((out == value).sum()) for value in (-1, *range(levels))]
    expected = [draws * (1 - p / 100), *[draws * p / 100 / levels] * levels]
    assert sum(counts) == draws
    pairs = [(count, fair) for count, fair in zip(counts, expected, strict=True) if fair > 0]
    assert sum((count - fair) ** 2 / fair for count, fair in pairs) < CRITICAL[levels]
    assert p < 100 or counts[0] == 0


def test_levels_follow_each_other_in_r() -> None:
    r = torch.tensor([0.0, 0.0249, 0.0251, 0.0499, 0.0501, 0.9999])
    assert replace(torch.full((6,), 9.0), r, 5.0, Whole(2)).tolist() == [0, 0, 1, 1, 9, 9]


def test_r_of_nearly_p_is_the_last_level() -> None:
    for p in (1.0, 3.0, 5.0, 7.0, 33.3, 100.0):
        r = torch.nextafter(torch.tensor(p / 100), torch.tensor(0.0))[None]
        assert replace(torch.full((1,), 99.0), r, p, Whole(15)).item() in (14, 99)


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_gradient_is_zero_where_replaced_and_unchanged_elsewhere(dtype: torch.dtype, in_place: bool) -> None:
    torch.manual_seed(0)
    x = torch.randn(SHAPE, requires_grad=True, dtype=dtype)
    r = torch.rand(SHAPE)
    out = replace(x + 0, r, 40.0, Whole(3), in_place)
    gradient = torch.randn(SHAPE, dtype=dtype)
    out.backward(gradient)
    assert x.grad is not None
    assert torch.equal(x.grad, torch.where(r < 0.4, 0.0, gradient))
    assert torch.equal(out[r >= 0.4], x[r >= 0.4])  # and no rescaling
    assert torch.equal(out[r < 0.4], (r[r < 0.4] / 0.4 * 3).floor().to(dtype))


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_gradient_through_an_activation(bits: int) -> None:
    activation = QuantisedActivation(bits)
    model = nn.Sequential(nn.Conv2d(1, 1, 1), activation, nn.MaxPool2d(2)).train()
    (injector,) = insert_injectors(model, "element", 50, behind_pools=False)
    x = torch.randn(50, 4, 4, 4, requires_grad=True)
    torch.manual_seed(3)
    activation(x).backward(torch.ones_like(x))
    torch.manual_seed(3)
    replaced = torch.rand(x.shape) < 0.5
    injected, x.grad = x.grad, None
    injector.enabled = False
    activation(x).backward(torch.ones_like(x))
    assert injected is not None
    assert x.grad is not None
    assert torch.equal(injected, torch.where(replaced, 0.0, x.grad))
    assert injected.any()


@pytest.mark.parametrize(
    ("error_model", "expected"), [("channel", (6, 5, 1, 1)), ("pixel", (6, 1, 4, 3)), ("element", SHAPE)]
)
def test_broadcasting(error_model: str, expected: tuple[int, ...]) -> None:
    shape = ERROR_MODELS[error_model](SHAPE)
    assert shape == expected
    torch.manual_seed(1)
    x, r = torch.full(SHAPE, -1.0), torch.rand(shape)
    out = replace(x, r, 60.0, Whole(7))
    assert out.shape == SHAPE
    assert torch.equal(out, replace(x, r.expand(SHAPE), 60.0, Whole(7)))
    for image in range(SHAPE[0]):  # the slow obvious way
        for channel in range(SHAPE[1]):
            for row in range(SHAPE[2]):
                for column in range(SHAPE[3]):
                    one = float(r[image, channel % shape[1], row % shape[2], column % shape[3]])
                    level = int(one / 0.6 * 7) if one < 0.6 else -1
                    assert out[image, channel, row, column] == level


def test_behind_a_fully_connected_layer() -> None:
    assert [model((6, 5)) for model in ERROR_MODELS.values()] == [(6, 5), (6, 1), (6, 5)]


def test_memory_layout_is_kept() -> None:
    x = torch.randn(2, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    out = replace(x, torch.rand(2, 3, 1, 1), 50.0, Whole(2))
    assert out.is_contiguous(memory_format=torch.channels_last)
