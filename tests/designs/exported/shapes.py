"""Signals, channels last, paddings, pools, slices, changes of size and of axes."""

from __future__ import annotations

from typing import Any

from brevitas import nn as qnn
from brevitas.quant.shifted_scaled_int import ShiftedUint8ActPerTensorFloat, ShiftedUint8WeightPerTensorFloat
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from tests.designs.exported.design import design
from tests.designs.exported.parts import Module, conv, conv1d, head, identity, linear, norm, relu, stem

SIGNAL = {"pixels": "none"}


@design()
def depthwise_dilated() -> nn.Module:
    deep = nn.Sequential(conv(6, 6, groups=6, dilation=2, padding=2), norm(6), relu())
    return nn.Sequential(*stem(), *deep, conv(6, 10, 1), norm(10), relu(), *head(10))


@design((10, 20), arguments=SIGNAL)
def keywords() -> nn.Module:
    first = nn.Sequential(conv1d(10, 8, 3, padding=1), nn.BatchNorm1d(8), relu())
    second = nn.Sequential(conv1d(8, 8, 5, groups=8, stride=2), nn.BatchNorm1d(8), relu(), conv1d(8, 12, 1), relu())
    last = nn.Sequential(nn.AdaptiveAvgPool1d(1), nn.Flatten(), identity(8), linear(12, 4))
    return nn.Sequential(identity(8), *first, *second, *last)


@design((4, 24), arguments=SIGNAL, usual=False)
def causal_convolutions() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.relu1(s.conv1(pad(s.input(x), (2, 0))))
        scores: Tensor = s.last(s.relu2(s.conv2(pad(x, (4, 0)))).flatten(1))
        return scores

    convolutions = {"conv1": conv1d(4, 6, 3), "conv2": conv1d(6, 6, 3, dilation=2)}
    return Module(forward, input=identity(8), relu1=relu(), relu2=relu(), last=linear(144, 3), **convolutions)


@design((7, 10), arguments=SIGNAL)
def linear_of_each_step() -> nn.Module:
    return Module(
        lambda s, x: s.last(s.mean(s.relu(s.first(s.input(x))).mean(1))),
        input=identity(8), first=linear(10, 6), relu=relu(), mean=identity(8), last=linear(6, 3),
    )  # fmt: skip


@design((8, 8, 3))
def channels_last() -> nn.Module:
    return Module(lambda s, x: s.body(x.permute(0, 3, 1, 2)), body=nn.Sequential(*stem(), *head(6)))


@design((64,), usual=False)
def squeezed() -> nn.Module:
    return Module(
        lambda s, x: s.last(s.first(s.input(x).unsqueeze(1).unsqueeze(1)).squeeze(2).flatten(1)),
        input=identity(8), first=nn.Sequential(conv(1, 4, (1, 5)), relu()), last=linear(240, 3),
    )  # fmt: skip


@design()
def zero_padding() -> nn.Module:
    padded = nn.Sequential(nn.ZeroPad2d((1, 0, 2, 1)), conv(3, 6), relu(), nn.ZeroPad2d(1), nn.MaxPool2d(2))
    return nn.Sequential(identity(8), *padded, *head(6))


@design(refused="expected zeros, got mode reflect")
def reflection() -> nn.Module:
    return nn.Sequential(identity(8), nn.ReflectionPad2d(1), conv(3, 6), relu(), *head(6))


@design()
def average_that_counts_no_padding() -> nn.Module:
    average = nn.AvgPool2d(3, 2, 1, count_include_pad=False)
    return nn.Sequential(*stem(), average, identity(6), conv(6, 6, 1), relu(), *head(6))


@design(usual=False)
def average_that_counts_padding() -> nn.Module:
    return nn.Sequential(*stem(), nn.AvgPool2d(3, 2, 1), identity(6), conv(6, 6, 1), relu(), *head(6))


@design(usual=False)
def mean_of_axes() -> nn.Module:
    return Module(lambda s, x: s.last(s.mean(s.stem(x).mean([2, 3]))), stem=stem(), mean=identity(8), last=linear(6, 5))


@design(forms=("qonnx",))
def truncated_average() -> nn.Module:
    return nn.Sequential(
        identity(8, return_quant_tensor=True), conv(3, 6, padding=1), relu(4, return_quant_tensor=True),
        qnn.TruncAvgPool2d(4, 4, bit_width=4), nn.Flatten(), linear(24, 5),
    )  # fmt: skip


@design(usual=False)
def stem_of_resnet() -> nn.Module:
    first = nn.Sequential(conv(3, 6, 5, stride=2, padding=2), norm(6), relu(), nn.MaxPool2d(3, 2, 1))
    return nn.Sequential(identity(8), *first, *head(6))


@design(usual=False)
def dropout() -> nn.Module:
    return nn.Sequential(*stem(), nn.Dropout2d(0.5), nn.Identity(), nn.Flatten(), nn.Dropout(0.3), linear(384, 5))


@design()
def shuffled_channels() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.stem(x)
        x = x.view(len(x), 2, 3, 8, 8).transpose(1, 2).reshape(len(x), 6, 8, 8)
        scores: Tensor = s.head(s.conv(x))
        return scores

    return Module(forward, stem=stem(), conv=nn.Sequential(conv(6, 6, groups=6, padding=1), relu()), head=head(6))


@design(usual=False)
def some_channels() -> nn.Module:
    second = nn.Sequential(conv(4, 6), relu())
    return Module(lambda s, x: s.head(s.second(s.stem(x)[:, 1:5])), stem=stem(), second=second, head=head(6))


@design()
def some_rows_and_columns() -> nn.Module:
    second = nn.Sequential(conv(6, 6), relu())
    return Module(lambda s, x: s.head(s.second(s.stem(x)[:, :, 1:-1, 2:])), stem=stem(), second=second, head=head(6))


@design(usual=False)
def shifted_weights() -> nn.Module:
    first = qnn.QuantConv2d(3, 6, 3, bias=False, weight_quant=ShiftedUint8WeightPerTensorFloat)
    return nn.Sequential(identity(8), first, relu(), *head(6))


@design()
def shifted_activations() -> nn.Module:
    shifted = qnn.QuantIdentity(act_quant=ShiftedUint8ActPerTensorFloat)
    return nn.Sequential(identity(8), conv(3, 6, 3), shifted, conv(6, 6, 3), relu(), *head(6))


@design(usual=False)
def shifted_activations_with_padding() -> nn.Module:
    shifted = qnn.QuantIdentity(act_quant=ShiftedUint8ActPerTensorFloat)
    return nn.Sequential(identity(8), conv(3, 6, 3), shifted, conv(6, 6, 3, padding=1), relu(), *head(6))


@design(usual=False)
def doubled_size() -> nn.Module:
    return Module(
        lambda s, x: s.head(s.second(interpolate(s.stem(x), scale_factor=2, mode="nearest"))),
        stem=stem(), second=nn.Sequential(conv(6, 4), relu()), head=head(4),
    )  # fmt: skip


@design(refused="mode linear computes values between activations")
def bilinear() -> nn.Module:
    return Module(
        lambda s, x: s.head(s.grid(interpolate(s.stem(x), scale_factor=2, mode="bilinear"))),
        stem=stem(), grid=identity(6), head=head(6),
    )  # fmt: skip


@design(seed=3)
def transposed_convolution() -> nn.Module:
    transposed = qnn.QuantConvTranspose2d(6, 4, 2, stride=2, bias=False, weight_bit_width=4)
    return nn.Sequential(*stem(), transposed, relu(), *head(4))


@design(usual=False)
def autoencoder() -> nn.Module:
    """Halved twice, and doubled twice."""
    halved = [conv(3, 6, padding=1, stride=2), norm(6), relu(), conv(6, 8, padding=1, stride=2), relu()]
    options = {"stride": 2, "padding": 1, "output_padding": 1, "weight_bit_width": 4}
    first, second = (qnn.QuantConvTranspose2d(inputs, 6, 3, groups=2, **options) for inputs in (8, 6))
    return nn.Sequential(identity(8), *halved, first, norm(6), relu(), second, relu(), *head(6))


@design()
def pixel_shuffle() -> nn.Module:
    return nn.Sequential(identity(8), conv(3, 8, padding=1), relu(), nn.PixelShuffle(2), conv(2, 4), relu(), *head(4))


@design(usual=False)
def pixel_shuffle_of_sums() -> nn.Module:
    shuffled = [conv(3, 8, padding=1), nn.PixelShuffle(2), norm(2), relu()]
    return nn.Sequential(identity(8), *shuffled, conv(2, 4), relu(), *head(4))


@design(usual=False)
def pixel_unshuffle() -> nn.Module:
    return nn.Sequential(identity(8), nn.PixelUnshuffle(2), conv(12, 4), relu(), *head(4))
