"""The fast quantisers of weights and images equal Brevitas's, in values and in gradients."""

from __future__ import annotations

from typing import Any

import brevitas.nn as qnn
import pytest
import torch
from torch import nn

from fat_fpga.models.activation import QuantisedImage
from fat_fpga.models.quantisers import FineWeightQuantiser, ImageQuantiser, WeightQuantiser
from fat_fpga.models.weights import QuantisedConv2d, QuantisedLinear, quantised_weight


def latent(shape: torch.Size) -> torch.Tensor:
    """Weights inside and outside [-1, 1], zeros of both signs and values half way between two levels."""
    values = torch.randn(shape)
    flat = values.view(-1)
    special = torch.tensor([0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 0.25, 0.75, 127 / 128, 1e-30, -1e-30])
    flat[: len(special)] = special
    return values


def brevitas_layer(kind: str, bits: int) -> nn.Module:
    quantiser = WeightQuantiser if bits <= 2 else FineWeightQuantiser
    settings = {"bias": False, "weight_quant": quantiser, "weight_bit_width": bits}
    layer: nn.Module = (
        qnn.QuantConv2d(5, 7, 3, stride=2, padding=1, **settings)
        if kind == "conv"
        else qnn.QuantLinear(40, 9, **settings)
    )
    return layer


@pytest.mark.parametrize("kind", ["conv", "linear"])
@pytest.mark.parametrize("bits", [1, 2, 3, 4, 8])
def test_layer_equals_brevitas(kind: str, bits: int) -> None:
    torch.manual_seed(bits)
    ours = QuantisedConv2d(bits, 5, 7, 3, stride=2, padding=1) if kind == "conv" else QuantisedLinear(bits, 40, 9)
    theirs = brevitas_layer(kind, bits)
    weights = latent(ours.weight.shape)
    x = torch.randn(3, 5, 9, 9) if kind == "conv" else torch.randn(3, 40)
    results = []
    both: tuple[Any, Any] = (ours, theirs)
    for layer in both:
        layer.weight.data.copy_(weights)
        leaf = x.clone().requires_grad_()
        out = layer(leaf)
        out.square().sum().backward()
        results.append((out.detach(), leaf.grad, layer.weight.grad))
    for mine, other in zip(*results, strict=True):
        assert torch.equal(mine, other)
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_images_equal_brevitas() -> None:
    pixels = torch.arange(256) / 255 * 2 - 1
    x = torch.cat([pixels, torch.tensor([-2.0, 2.0, 0.99999, -1.00001, 0.5 / 128, 1.5 / 128])])
    theirs = qnn.QuantIdentity(act_quant=ImageQuantiser, bit_width=8)
    assert torch.equal(QuantisedImage()(x), theirs(x))
    assert sorted(set((QuantisedImage()(x) * 128).tolist()))[0] == -128


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 8])
def test_relative_weights(bits: int) -> None:
    """The size of a channel does not matter, and a file holds the values of which the layer made its products."""
    torch.manual_seed(bits)
    layer = QuantisedConv2d(bits, 4, 6, 3, relative=True)
    layer.weight.data.normal_()
    values = quantised_weight(layer)
    expected = []
    for channel in layer.weight.detach().double():
        unit = channel.std() * {1: 1.0, 2: 1.2}.get(bits, 3.0)
        step, most = (1.0, 1) if bits <= 2 else (2.0 ** (1 - bits), 2 ** (bits - 1) - 1)
        near = (channel / unit / step).round().clamp(-most, most) * step
        expected.append(near if bits > 1 else torch.where(channel < 0, -1.0, 1.0))
    assert torch.equal(values, torch.stack(expected).float())
    x = torch.randn(2, 4, 8, 8)
    assert torch.equal(layer(x), torch.nn.functional.conv2d(x, values))
    with torch.no_grad():
        layer.weight.mul_(torch.tensor([0.25, 4, 1, 8, 0.5, 2]).reshape(6, 1, 1, 1))
    assert torch.equal(quantised_weight(layer), values)
    layer(x).square().sum().backward()
    assert layer.weight.grad is not None
    assert bool(layer.weight.grad.isfinite().all())
