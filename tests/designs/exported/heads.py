"""Ends and beginnings of networks: scores, probabilities, one output, biases, batch norms, normalisation."""

from __future__ import annotations

from typing import Any

import torch
from brevitas import nn as qnn
from brevitas.quant import (
    Int8ActPerTensorFloat,
    Int8BiasPerTensorFloatInternalScaling,
    Int8WeightPerChannelFloat,
    Int8WeightPerTensorFloat,
    Int16Bias,
    Int32Bias,
    SignedBinaryActPerTensorConst,
    SignedBinaryWeightPerTensorConst,
    SignedTernaryActPerTensorConst,
    SignedTernaryWeightPerTensorConst,
    Uint8ActPerTensorFloat,
)  # fmt: skip
from torch import nn
from torch.nn.functional import log_softmax

from tests.designs.exported.design import design
from tests.designs.exported.parts import Module, conv, head, identity, linear, norm, relu, stem


@design(usual=False)
def softmax() -> nn.Module:
    return nn.Sequential(*stem(), *head(6), nn.Softmax(1))


@design()
def log_softmax_of_biases() -> nn.Module:
    body = nn.Sequential(*stem(), nn.Flatten(), linear(384, 5, bias=True))
    return Module(lambda s, x: log_softmax(s.body(x), 1), body=body)


@design()
def one_logit() -> nn.Module:
    return nn.Sequential(*stem(), nn.Flatten(), linear(384, 1, bias=True), nn.Sigmoid())


@design(usual=False)
def one_comparison() -> nn.Module:
    return Module(lambda s, x: (s.body(x) > -0.25).float(), body=one_logit())


@design(usual=False)
def maximum_of_each_channel() -> nn.Module:
    return nn.Sequential(*stem(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), linear(6, 5))


@design(forms=("qonnx",), usual=False)
def bipolar_head() -> nn.Module:
    sign, weights = SignedBinaryActPerTensorConst, SignedBinaryWeightPerTensorConst
    return nn.Sequential(
        identity(8), conv(3, 6), qnn.QuantIdentity(act_quant=sign), nn.Flatten(),
        qnn.QuantLinear(216, 1, bias=True, weight_quant=weights), qnn.QuantIdentity(act_quant=sign),
    )  # fmt: skip


@design()
def ternary() -> nn.Module:
    weights = SignedTernaryWeightPerTensorConst
    return nn.Sequential(
        identity(8), qnn.QuantConv2d(3, 6, 3, bias=False, weight_quant=weights),
        qnn.QuantIdentity(act_quant=SignedTernaryActPerTensorConst), nn.Flatten(), linear(216, 5),
    )  # fmt: skip


@design(forms=("qcdq",))
def eight_bits_with_biases() -> nn.Module:
    first = qnn.QuantConv2d(3, 6, 3, bias=True, weight_quant=Int8WeightPerChannelFloat, bias_quant=Int32Bias)
    last = qnn.QuantLinear(216, 5, bias=True, weight_quant=Int8WeightPerTensorFloat, bias_quant=Int32Bias)
    return nn.Sequential(
        qnn.QuantIdentity(act_quant=Int8ActPerTensorFloat, return_quant_tensor=True), first,
        qnn.QuantReLU(act_quant=Uint8ActPerTensorFloat, return_quant_tensor=True), nn.Flatten(), last,
    )  # fmt: skip


@design()
def quantised_biases() -> nn.Module:
    return nn.Sequential(
        identity(8, return_quant_tensor=True), conv(3, 6, bias=True, bias_quant=Int8BiasPerTensorFloatInternalScaling),
        relu(4, return_quant_tensor=True), nn.Flatten(), linear(216, 5, bias=True, bias_quant=Int16Bias),
    )  # fmt: skip


@design(usual=False)
def scales_of_each_weight_channel() -> nn.Module:
    options = {"weight_scaling_per_output_channel": True}
    return nn.Sequential(
        identity(8), conv(3, 6, **options), norm(6), relu(), conv(6, 8, groups=2, **options), relu(), *head(8)
    )


@design(usual=False)
def constants() -> nn.Module:
    return Module(
        lambda s, x: s.head(s.relu((s.first(x) - 0.25) * 1.5 / 3 + 0.125)),
        first=nn.Sequential(identity(8), conv(3, 6)), relu=relu(), head=head(6),
    )  # fmt: skip


@design(usual=False)
def clamp() -> nn.Module:
    return Module(
        lambda s, x: s.head(s.grid(torch.clamp(s.first(x), -0.5, 0.75))),
        first=nn.Sequential(identity(8), conv(3, 6)), grid=identity(3), head=head(6),
    )  # fmt: skip


@design()
def normalisation() -> nn.Module:
    def normalised(x: torch.Tensor) -> torch.Tensor:
        mean, deviation = torch.tensor([0.4, 0.5, 0.6]), torch.tensor([0.2, 0.25, 0.3])
        return (x - mean.view(1, 3, 1, 1)) / deviation.view(1, 3, 1, 1)

    return Module(lambda s, x: s.body(normalised(x)), body=nn.Sequential(*stem(), *head(6)))


@design((20,), arguments={"pixels": "none"}, usual=False)
def norms_of_features() -> nn.Module:
    return nn.Sequential(
        identity(8), linear(20, 12), nn.BatchNorm1d(12), relu(), nn.BatchNorm1d(12), identity(4), linear(12, 3)
    )


@design((20,), arguments={"pixels": "none"}, forms=("qonnx",), refused="LayerNormalization): unsupported operator")
def layer_norm() -> nn.Module:
    return nn.Sequential(identity(8), linear(20, 12), nn.LayerNorm(12), relu(), linear(12, 3))


@design()
def no_input_quantiser() -> nn.Module:
    return nn.Sequential(conv(3, 6), relu(), *head(6))


@design(refused="lie levels of a scale that differs between the channels", forms=("qonnx",))
def scales_of_each_channel() -> nn.Module:
    each = relu(
        scaling_per_output_channel=True, per_channel_broadcastable_shape=(1, 6, 1, 1),
        scaling_stats_permute_dims=(1, 0, 2, 3),
    )  # fmt: skip
    return nn.Sequential(identity(8), conv(3, 6, 3), each, conv(6, 6, 3), relu(), *head(6))


@design(refused="it has several heads, with the outputs '")
def two_heads() -> nn.Module:
    def forward(s: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = s.body(x)
        return s.first(x), s.second(x)

    return Module(forward, body=nn.Sequential(*stem(), nn.Flatten()), first=linear(384, 3), second=linear(384, 4))
