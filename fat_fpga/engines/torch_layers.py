"""The layers of an integer network in PyTorch, exact on CPU and GPU.

A convolution is unfolded into one matrix product, and never left to ``conv2d``: the libraries behind that are free to
choose Winograd's or Fourier transforms, whose intermediate values are no integers. The product is in float32 where
no partial sum can reach 2^24, else in float64 (32-bit accumulators lie far below its 2^53), so every partial sum is an
integer that the type holds, whatever the order of additions. Everything behind the product is in int32.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from fat_fpga.engines.exact import FLOAT32, Span, largest_sum
from fat_fpga.errors import EngineError
from fat_fpga.faults.register import Register
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import (
    Add,
    AffineScores,
    Concat,
    Layer,
    OrderedScores,
    Requantise,
    Scores,
    Select,
    Shuffle,
    SumPool,
    Table,
    Thresholded,
    Thresholding,
    Upsample,
    ZeroInsertion,
)

_UNFOLDED = {"cpu": 2**23, "cuda": 2**28}
"""Elements of an unfolded input that are made at a time, to bound memory."""


@contextmanager
def exact_products() -> Iterator[None]:
    """Matrix products of float32 in float32, not in bfloat16 or TF32, whatever the process has chosen elsewhere."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_float32_matmul_precision(before)


class TorchThresholds:
    """The thresholds of a layer on a device."""

    def __init__(self, layer: Thresholded, device: torch.device) -> None:
        self._levels = layer.levels
        self._thresholds = None
        if layer.thresholds is not None:
            self._thresholds = torch.tensor(layer.thresholds, device=device)[:, :, None, None]

    def __call__(self, integers: Tensor) -> Tensor:
        """Levels int32 of integers int32, both [N, C, H, W]; the integers themselves where there are no thresholds."""
        if self._thresholds is None or self._levels is None:
            return integers
        met = torch.zeros_like(integers)
        for i in range(self._thresholds.shape[1]):
            met += integers >= self._thresholds[:, i]
        return met.mul_(self._levels.step).add_(self._levels.base)


class TorchUnit:
    """A matrix-vector unit on a device.

    Args:
        span: what the activations in front of it can be.
    """

    def __init__(self, unit: MatrixVectorUnit, span: Span, device: torch.device) -> None:
        self.unit = unit
        self.type = torch.float32 if largest_sum(unit, span) < FLOAT32 else torch.float64
        self.weights = torch.tensor(
            unit.weights.reshape(unit.groups, unit.channels // unit.groups, -1), dtype=self.type, device=device
        )
        self.activate = TorchThresholds(unit, device)

    def accumulate(self, activations: Tensor) -> Tensor:
        """Accumulators int32 [N, M, H', W'] from activations int32 [N, C, H, W]."""
        unit, (count, channels, height, width) = self.unit, activations.shape
        shape = unit.output_shape((channels, height, width))
        if unit.kernel == (height, width) and not any(unit.padding) and unit.plain:
            sums = activations.flatten(1).to(self.type) @ self.weights[0].T
            return sums.to(torch.int32).reshape(count, *shape)
        top, left, bottom, right = unit.padding
        found = torch.empty((count, *shape), dtype=torch.int32, device=activations.device)
        step = max(1, _UNFOLDED[activations.device.type] // (unit.groups * self.weights.shape[2] * shape[1] * shape[2]))
        for start in range(0, count, step):
            part = activations[start : start + step].to(self.type)
            padded = functional.pad(part, (left, right, top, bottom))
            windows = functional.unfold(padded, unit.kernel, dilation=unit.dilation, stride=unit.stride)
            grouped = windows.reshape(len(windows), unit.groups, -1, windows.shape[-1])
            found[start : start + step] = (self.weights @ grouped).to(torch.int32).reshape(-1, *shape)
        return found


def _padded(activations: Tensor, padding: tuple[int, int, int, int], value: int) -> Tensor:
    """Activations [N, C, H, W] with ``value`` around them."""
    top, left, bottom, right = padding
    return functional.pad(activations, (left, right, top, bottom), value=value) if any(padding) else activations


@singledispatch
def output(layer: Layer, *arguments: Any) -> Tensor:
    """What a layer makes of the streams that it reads.

    Args:
        arguments: the streams, int32 [N, C, H, W], and then the units on the device, by name.
    """
    raise no_handler("the torch engine", layer, EngineError)


@output.register
def _(layer: MatrixVectorUnit, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    unit = units[layer.name]
    return unit.activate(unit.accumulate(activations))


@output.register
def _(layer: Thresholding, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    return TorchThresholds(layer, activations.device)(activations)


@output.register
def _(layer: Table, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    starts, values = (torch.tensor(array, device=activations.device) for array in (layer.starts, layer.values))
    count, channels, height, width = activations.shape
    rows = activations.transpose(0, 1).reshape(channels, -1).contiguous()
    found = values.gather(1, torch.searchsorted(starts.contiguous(), rows, right=True))
    return found.reshape(channels, count, height, width).transpose(0, 1).contiguous()


@output.register
def _(layer: Requantise, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    factors, offsets = (
        torch.tensor(array, dtype=torch.int64, device=activations.device)[:, None, None]
        for array in (layer.factors, layer.offsets)
    )
    fixed = activations.long() * factors + offsets
    down = fixed >> layer.shift
    if layer.shift and layer.rounding == "even":
        rest, half = fixed - (down << layer.shift), 1 << (layer.shift - 1)
        down = down + ((rest > half) | ((rest == half) & (down & 1 == 1))).long()
    return down.clamp(layer.low, layer.high).to(torch.int32)


@output.register
def _(layer: Add, first: Tensor, second: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    a, b = layer.factors
    return a * first + b * second


@output.register
def _(layer: Concat, *arguments: Any) -> Tensor:
    *streams, _ = arguments
    return torch.cat([factor * stream for factor, stream in zip(layer.factors, streams, strict=True)], dim=1)


@output.register
def _(layer: Scores, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    ranks = torch.tensor(layer.ranks, device=activations.device)
    at = (activations[:, :, 0, 0].long() - layer.low).clamp(0, ranks.shape[1] - 1)
    return ranks.gather(1, at.T).T[:, :, None, None]


@output.register
def _(layer: AffineScores, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    factors, offsets = (
        torch.tensor(array, dtype=torch.int64, device=activations.device)[:, None, None]
        for array in (layer.factors, layer.offsets)
    )
    return (activations.long() * factors + offsets).clamp(-(2**31), 2**31 - 1).to(torch.int32)


@output.register
def _(layer: OrderedScores, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    functions: dict[str, Any] = {"mul": torch.mul, "div": torch.div, "add": torch.add, "sub": torch.sub}
    found = activations.to(torch.float32)
    for step, numbers in zip(layer.steps, layer.numbers, strict=True):
        found = functions[step](found, torch.tensor(numbers, device=activations.device)[:, None, None])
    bits = found.contiguous().view(torch.int32)
    return torch.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


@output.register
def _(layer: SumPool, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    """Sum over each window."""
    (height, width), (down, right) = layer.kernel, layer.stride
    windows = _padded(activations, layer.padding, 0).unfold(2, height, down).unfold(3, width, right)
    times = layer.times((activations.shape[1], activations.shape[2], activations.shape[3]))
    sums = windows.sum((-2, -1), dtype=torch.int32)
    return sums * torch.tensor(times, device=activations.device) if layer.multiple else sums


@output.register
def _(layer: MaxPool, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    """Maximum over each window."""
    (height, width), (down, right) = layer.kernel, layer.stride
    windows = _padded(activations, layer.padding, -(2**31)).unfold(2, height, down).unfold(3, width, right)
    return windows.amax((-2, -1))


@output.register
def _(layer: Upsample, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    return activations.repeat_interleave(layer.factors[0], 2).repeat_interleave(layer.factors[1], 3)


@output.register
def _(layer: Select, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    for axis, part in enumerate(layer.parts, start=1):
        activations = activations.index_select(axis, torch.tensor(part, device=activations.device))
    return activations


@output.register
def _(layer: Shuffle, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    count = len(activations)
    axes = (0, *(axis + 1 for axis in layer.order))
    return activations.reshape(count, *layer.sizes).permute(axes).reshape(count, *layer.shape)


@output.register
def _(layer: ZeroInsertion, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    """Zeros between the pixels."""
    count, channels, height, width = activations.shape
    spread = activations.new_zeros((count, *layer.output_shape((channels, height, width))))
    spread[:, :, :: layer.stride[0], :: layer.stride[1]] = activations
    return spread


@output.register
def _(layer: MajorityVote, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    """Bitwise majority of the copies."""
    sources = torch.tensor(layer.sources.T, device=activations.device)
    a, b, c = (activations[:, copies] for copies in sources)
    return a & b | a & c | b & c


def change_bits(integers: Tensor, register: Register, bit: int, to: int | None) -> Tensor:
    """What `Register.change` does, on a tensor int32."""
    keep, put, invert = register.masks(bit, to)
    words = (integers.long() - register.offset) // register.step
    return (register.offset + register.step * ((words & keep | put) ^ invert)).to(torch.int32)
