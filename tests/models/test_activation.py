"""The fast activation equals Brevitas's, in values and in gradients."""

from __future__ import annotations

from functools import partial
from typing import Any

import brevitas.nn as qnn
import pytest
import torch

from fat_fpga.errors import ModelError
from fat_fpga.models.activation import QuantisedActivation, QuantisedBranch, QuantisedReLU
from fat_fpga.models.quantisers import ActivationQuantiser


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_equals_brevitas(bits: int, dtype: torch.dtype) -> None:
    torch.manual_seed(bits)
    special = torch.tensor([0.0, -0.0, 0.5, -0.5, 1.5, -1.5, 3.5 / 3, 7.5 / 7, 1 / 6, -1 / 6, 3.0, -3.0, 1e-30, -1e-30])
    x = torch.cat([special, torch.randn(5000)]).to(dtype)
    if bits == 1:
        x = x[x.abs() != 1]  # there Brevitas passes the gradient, this does not
    upstream = torch.randn_like(x)
    results = []
    for module in (QuantisedActivation(bits), qnn.QuantIdentity(act_quant=ActivationQuantiser, bit_width=bits)):
        leaf = x.clone().requires_grad_()
        out = module.train()(leaf)
        out.backward(upstream)
        assert leaf.grad is not None
        results.append((out.detach(), leaf.grad))
    (ours, our_gradient), (theirs, their_gradient) = results
    assert ours.dtype == dtype
    assert torch.equal(ours, theirs)
    assert torch.equal(our_gradient.eq(0), their_gradient.eq(0))
    torch.testing.assert_close(our_gradient, their_gradient)  # theirs is divided and multiplied by the scale


@pytest.mark.parametrize(("bits", "outside"), [(1, 1.01), (2, 1.51), (3, 1.17)])
def test_gradient_is_zero_outside_the_range(bits: int, outside: float) -> None:
    x = torch.tensor([-outside, -0.5, 0.5, outside], requires_grad=True)
    QuantisedActivation(bits)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("bits", [2, 3, 4])
@pytest.mark.parametrize("kind", [QuantisedReLU, QuantisedBranch])
def test_unsigned_ones_and_branches_equal_brevitas(kind: type[QuantisedReLU | QuantisedBranch], bits: int) -> None:
    torch.manual_seed(bits)
    module = kind(bits)
    x = torch.cat([torch.tensor([0.5 / 3, -0.5 / 3, 1.0, -1.0, 3.0, -3.0]), 2 * torch.randn(5000)])
    results = []
    brevitas: Any = kind.__mro__[1]
    for forward in (module, partial(brevitas.forward, module)):
        leaf = x.clone().requires_grad_()
        out = forward(leaf)
        out.sum().backward()
        results.append((out.detach(), leaf.grad))
    (ours, our_gradient), (theirs, their_gradient) = results
    assert torch.equal(ours, theirs)
    assert our_gradient is not None
    assert their_gradient is not None
    assert torch.equal(our_gradient == 0, their_gradient == 0)
    torch.testing.assert_close(torch.unique(ours), torch.tensor(module.levels))


def test_an_unsigned_activation_of_one_bit_is_refused() -> None:
    """Brevitas would export -1 and +1 for it."""
    for bits in (1, 0):
        with pytest.raises(ModelError, match=f"takes two bits or more, got {bits}: take QuantisedActivation"):
            QuantisedReLU(bits)
    assert QuantisedReLU(2).levels == pytest.approx((0, 1 / 3, 2 / 3, 1))
