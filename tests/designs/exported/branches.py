"""Networks that branch: residual, dense, encoders with decoders, sums and concatenations."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from tests.designs.exported.design import design
from tests.designs.exported.parts import Module, conv, head, identity, linear, norm, relu, stem


def _block() -> tuple[nn.Module, nn.Module]:
    main = nn.Sequential(conv(6, 8, stride=2, padding=1), norm(8), relu(), conv(8, 8, padding=1), norm(8))
    return main, nn.Sequential(conv(6, 8, 1, stride=2), norm(8))


@design()
def residual() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.stem(x)
        scores: Tensor = s.head(s.relu(s.grid(s.main(x)) + s.grid(s.down(x))))
        return scores

    main, down = _block()
    return Module(forward, stem=stem(), main=main, down=down, grid=identity(4), relu=relu(), head=head(8))


@design(forms=("qcdq", "qonnx"))
def residual_with_two_quantisers() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.stem(x)
        scores: Tensor = s.head(s.relu(s.first(s.main(x)) + s.second(s.down(x))))
        return scores

    main, down = _block()
    parts = {"first": identity(4), "second": identity(5), "relu": relu(), "head": head(8)}
    return Module(forward, stem=stem(), main=main, down=down, **parts)


@design()
def inverted_residual() -> nn.Module:
    def block() -> nn.Module:
        wide = nn.Sequential(conv(6, 12, 1), norm(12), nn.ReLU6(), relu(4))
        deep = nn.Sequential(conv(12, 12, 3, padding=1, groups=12), norm(12), nn.ReLU6(), relu(4))
        return nn.Sequential(wide, deep, conv(12, 6, 1), norm(6))

    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.grid(s.stem(x))
        for one in (s.first, s.second):
            x = s.grid(x + s.grid(one(x)))
        scores: Tensor = s.head(x)
        return scores

    first = nn.Sequential(identity(8), conv(3, 6, padding=1), norm(6))
    return Module(forward, stem=first, grid=identity(5), first=block(), second=block(), head=head(6))


@design(usual=False)
def norm_before_activation() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.grid(s.stem(x))
        for block in s.blocks:
            x = s.grid(x + s.grid(block(x)))
        scores: Tensor = s.head(x)
        return scores

    blocks = nn.ModuleList([nn.Sequential(norm(6), relu(), conv(6, 6, padding=1)) for _ in range(2)])
    first = nn.Sequential(identity(8), conv(3, 6, padding=1))
    return Module(forward, stem=first, grid=identity(6), blocks=blocks, head=head(6))


@design()
def dense() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.grid(s.stem(x))
        for block in s.blocks:
            x = torch.cat([x, s.grid(block(x))], 1)
        scores: Tensor = s.head(x)
        return scores

    blocks = nn.ModuleList([nn.Sequential(conv(channels, 4, padding=1), norm(4)) for channels in (6, 10)])
    first = nn.Sequential(identity(8), conv(3, 6, padding=1), norm(6))
    return Module(forward, stem=first, grid=relu(4), blocks=blocks, head=head(14))


@design(arguments={"outputs": "values"})
def encoder_and_decoder() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.grid(s.stem(x))
        y = s.grid(s.down(max_pool2d(x, 2)))
        image: Tensor = s.last(s.up(torch.cat([x, interpolate(y, scale_factor=2, mode="nearest")], 1)))
        return image

    first = nn.Sequential(identity(8), conv(3, 4, padding=1), norm(4))
    down = nn.Sequential(conv(4, 6, padding=1), norm(6))
    up = nn.Sequential(conv(10, 6, padding=1), relu())
    return Module(forward, stem=first, grid=relu(4), down=down, up=up, last=conv(6, 2, 1, bias=True))


@design(seed=2)
def concatenation_of_two_scales() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.stem(x)
        scores: Tensor = s.head(s.grid(torch.cat([s.first(x), s.second(x)], 1)))
        return scores

    begin, first = stem(), nn.Sequential(conv(6, 4, 1), relu(4))
    second = nn.Sequential(conv(6, 5, 3, padding=1), relu(3))
    return Module(forward, stem=begin, first=first, second=second, grid=identity(4), head=head(9))


@design(usual=False)
def concatenation_of_one_scale() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.stem(x)
        scores: Tensor = s.head(torch.cat([s.grid(s.first(x)), s.grid(s.second(x))], 1))
        return scores

    parts = {"first": conv(6, 4, 1), "second": conv(6, 5, 3, padding=1)}
    return Module(forward, stem=stem(), grid=relu(4), head=head(9), **parts)


@design(usual=False)
def chunks() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        a, b = s.stem(x).chunk(2, 1)
        scores: Tensor = s.head(s.relu(s.grid(s.first(a)) + s.grid(s.second(b))))
        return scores

    parts = {"first": conv(3, 4, 1), "second": conv(3, 4, 1)}
    return Module(forward, stem=stem(), grid=identity(4), relu=relu(), head=head(4), **parts)


@design(usual=False)
def difference() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.stem(x)
        scores: Tensor = s.head(s.last(s.grid(s.first(x)) - s.grid(s.second(x))))
        return scores

    parts = {"first": conv(6, 6, 1), "second": conv(6, 6, 1)}
    return Module(forward, stem=stem(), grid=identity(4), last=identity(4), head=head(6), **parts)


@design(usual=False)
def three_added() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.stem(x)
        scores: Tensor = s.head(s.last(s.grid(s.first(x)) + s.grid(s.second(x)) + s.grid(s.third(x))))
        return scores

    parts = {name: conv(6, 6, 1) for name in ("first", "second", "third")}
    return Module(forward, stem=stem(), grid=identity(4), last=relu(4), head=head(6), **parts)


@design(refused="of several streams, only sum, difference and concatenation are supported yet")
def squeeze_and_excite() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.stem(x)
        gate = torch.sigmoid(s.conv(s.mean(x.mean((2, 3), keepdim=True))))
        scores: Tensor = s.head(s.last(x * s.gate(gate)))
        return scores

    parts = {"mean": identity(8), "conv": conv(6, 6, 1), "gate": relu(8), "last": identity(4)}
    return Module(forward, stem=stem(), head=head(6), **parts)


@design(usual=False, refused="of several streams, only sum, difference and concatenation are supported yet")
def larger_of_two() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.stem(x)
        scores: Tensor = s.head(torch.maximum(s.grid(s.first(x)), s.grid(s.second(x))))
        return scores

    parts = {"first": conv(6, 6, 1), "second": conv(6, 6, 1)}
    return Module(forward, stem=stem(), grid=identity(4), head=head(6), **parts)


@design(usual=False, refused="which have no grid in common: put a quantiser behind an addition")
def sum_of_scores() -> nn.Module:
    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.stem(x).flatten(1)
        scores: Tensor = s.first(x) + s.second(x)
        return scores

    return Module(forward, stem=stem(), first=linear(384, 4), second=linear(384, 4))
