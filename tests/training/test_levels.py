"""Error values are levels of the quantiser, to the last bit: ours and Brevitas's, of several widths and types."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import brevitas.nn as qnn
import pytest
import torch
from brevitas.inject.enum import QuantType, ScalingImplType
from brevitas.quant import Int8ActPerTensorFloat, Int8ActPerTensorFloatMinMaxInit, ShiftedUint8ActPerTensorFloat
from brevitas.quant.float import Fp8e4m3ActPerTensorFloat
from torch import Tensor, nn

from fat_fpga.errors import ModelError
from fat_fpga.models.activation import QuantisedActivation
from fat_fpga.training.injection import insert_injectors, remove_injectors

DTYPES = (torch.float32, torch.float64, torch.bfloat16)
LEARNED = {"scaling_impl_type": ScalingImplType.PARAMETER, "scaling_init": 0.73}
BINARY = {"quant_type": QuantType.BINARY, "scaling_impl_type": ScalingImplType.CONST, "scaling_init": 0.3}
TERNARY = {**BINARY, "quant_type": QuantType.TERNARY, "threshold": 0.5}
PER_CHANNEL = {
    "scaling_per_output_channel": True,
    "per_channel_broadcastable_shape": (1, 12, 1, 1),
    "scaling_stats_permute_dims": (1, 0, 2, 3),
}
ACTIVATIONS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    **{f"ours{bits}": (partial(QuantisedActivation, bits), max(2, 2**bits - 1)) for bits in (1, 2, 3, 4)},
    **{f"relu{bits}": (partial(qnn.QuantReLU, bit_width=bits), 2**bits) for bits in (1, 2, 3, 4)},
    "relu learned": (lambda: qnn.QuantReLU(bit_width=2, **LEARNED), 4),
    "relu per channel": (lambda: qnn.QuantReLU(bit_width=2, **PER_CHANNEL), 4),
    "identity": (lambda: qnn.QuantIdentity(bit_width=3), 8),
    "identity narrow": (lambda: qnn.QuantIdentity(bit_width=3, narrow_range=True), 7),
    "identity shifted": (lambda: qnn.QuantIdentity(ShiftedUint8ActPerTensorFloat, bit_width=2), 4),
    "identity learned": (lambda: qnn.QuantIdentity(bit_width=2, **LEARNED), 4),
    "hardtanh": (lambda: _hardtanh(bit_width=2), 4),
    "hardtanh narrow": (lambda: _hardtanh(bit_width=4, narrow_range=True), 15),
    "binary": (lambda: qnn.QuantIdentity(Int8ActPerTensorFloat, bit_width=1, **BINARY), 2),
    "ternary": (lambda: qnn.QuantIdentity(Int8ActPerTensorFloat, bit_width=2, **TERNARY), 3),
    "tanh": (lambda: qnn.QuantTanh(bit_width=2), 4),
    "sigmoid": (lambda: qnn.QuantSigmoid(bit_width=2), 4),
}


def _hardtanh(**settings: object) -> nn.Module:
    module: nn.Module = qnn.QuantHardTanh(Int8ActPerTensorFloatMinMaxInit, min_val=-1.0, max_val=1.0, **settings)
    return module


def behind_a_weight(activation: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 1, 1), activation).train()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_error_values_are_the_levels(kind: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    make, count = ACTIVATIONS[kind]
    activation = make().to(dtype)
    model = behind_a_weight(activation)
    x = (3 * torch.randn(40, 12, 6, 6)).to(dtype)
    (injector,) = insert_injectors(model, "channel", 100)
    errors: Tensor = activation(x)
    injector.enabled = False
    whole: Tensor = activation(x)  # the same scale, also where it is taken from the batch
    assert errors.dtype == whole.dtype
    for channel in range(12) if kind == "relu per channel" else (slice(None),):
        levels = errors[:, channel].unique()
        assert len(levels) == count
        assert torch.equal(levels, whole[:, channel].unique())


def test_a_scale_of_the_batch_is_that_of_the_pass() -> None:
    torch.manual_seed(0)
    activation = qnn.QuantReLU(bit_width=2, return_quant_tensor=True)
    (injector,) = insert_injectors(behind_a_weight(activation), "element", 50)
    for factor in (1, 7, 0.1):
        out = activation(factor * torch.rand(30, 4, 5, 5))
        assert out.is_valid
        assert set((out.value / out.scale).round().unique().tolist()) == {0, 1, 2, 3}
        integers = (out.value / out.scale).round()
        assert torch.equal(integers * out.scale, out.value)
    injector.remove()


def test_a_learned_scale_is_followed_and_still_learns() -> None:
    activation = qnn.QuantReLU(bit_width=2, **LEARNED)
    insert_injectors(behind_a_weight(activation), "element", 50)
    optimiser = torch.optim.SGD(activation.parameters(), lr=0.1)
    scales = []
    for _ in range(3):
        out = activation(torch.rand(30, 4, 5, 5))
        scale = activation.act_quant.scale().detach()
        assert torch.equal(out.detach().unique(), torch.arange(4.0) * scale)
        optimiser.zero_grad()
        out.square().mean().backward()
        optimiser.step()
        scales.append(float(scale))
    assert len(set(scales)) == 3


def test_per_channel_scales_stay_with_their_channel() -> None:
    torch.manual_seed(0)
    activation = qnn.QuantReLU(bit_width=2, return_quant_tensor=True, **PER_CHANNEL)
    insert_injectors(behind_a_weight(activation), "pixel", 100)
    out = activation(torch.rand(9, 12, 5, 5) * torch.arange(1.0, 13)[:, None, None])
    integers = (out.value / out.scale).round()
    assert out.scale.shape == (1, 12, 1, 1)
    assert torch.equal(integers * out.scale, out.value)
    assert torch.equal(integers, integers[:, :1].expand_as(integers))  # the same level at a pixel of all channels


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_exact_under_bfloat16_autocast(bits: int) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(8, 200), QuantisedActivation(bits), nn.Linear(200, 200), _hardtanh(bit_width=bits + 1)
    )
    first, second = insert_injectors(model.train(), "element", 50)
    for injector, stop in ((first, 2), (second, 4)):
        with torch.autocast("cpu", torch.bfloat16):
            injector.enabled = True
            errors = model[:stop](torch.randn(100, 8))
            first.enabled = second.enabled = False
            whole = model[:stop](3 * torch.randn(1000, 8))
        assert errors.dtype == whole.dtype
        assert set(errors.unique().tolist()) == set(whole.unique().tolist())
    remove_injectors(model)


def test_minifloats_are_refused() -> None:
    model = behind_a_weight(qnn.QuantIdentity(Fp8e4m3ActPerTensorFloat))
    with pytest.raises(ModelError, match="activation '1': its quantiser, FloatQuant, is none to integers"):
        insert_injectors(model, "channel", 5)
    assert not any(module._forward_hooks for module in model.modules())
