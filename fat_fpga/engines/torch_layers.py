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
from fat_fpga.network.layers import Layer

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


class TorchUnit:
    """A matrix-vector unit on a device.

    Args:
        span: what the activations in front of it can be.
    """

    def __init__(self, unit: MatrixVectorUnit, span: Span, device: torch.device) -> None:
        self.unit = unit
        self.type = torch.float32 if largest_sum(unit, span) < FLOAT32 else torch.float64
        self.weights = torch.tensor(unit.weights.reshape(unit.channels, -1), dtype=self.type, device=device)
        self.thresholds = None
        if unit.thresholds is not None:
            self.thresholds = torch.tensor(unit.thresholds, device=device)[:, :, None, None]

    def accumulate(self, activations: Tensor) -> Tensor:
        """Accumulators int32 [N, M, H', W'] from activations int32 [N, C, H, W]."""
        unit, (count, channels, height, width) = self.unit, activations.shape
        shape = unit.output_shape((channels, height, width))
        if unit.kernel == (height, width) and not any(unit.padding):
            sums = activations.flatten(1).to(self.type) @ self.weights.T
            return sums.to(torch.int32).reshape(count, *shape)
        top, left, bottom, right = unit.padding
        found = torch.empty((count, *shape), dtype=torch.int32, device=activations.device)
        step = max(1, _UNFOLDED[activations.device.type] // (self.weights.shape[1] * shape[1] * shape[2]))
        for start in range(0, count, step):
            part = activations[start : start + step].to(self.type)
            padded = functional.pad(part, (left, right, top, bottom))
            windows = functional.unfold(padded, unit.kernel, stride=unit.stride)
            found[start : start + step] = (self.weights @ windows).to(torch.int32).reshape(-1, *shape)
        return found

    def activate(self, accumulators: Tensor) -> Tensor:
        """Levels int32 from accumulators int32, both [N, M, H', W']; the accumulators themselves in the last layer."""
        if self.thresholds is None or self.unit.levels is None:
            return accumulators
        met = torch.zeros_like(accumulators)
        for i in range(self.thresholds.shape[1]):
            met += accumulators >= self.thresholds[:, i]
        return met.mul_(self.unit.levels.step).add_(self.unit.levels.base)


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
def _(layer: MaxPool, activations: Tensor, units: Mapping[str, TorchUnit]) -> Tensor:
    """Maximum over each window."""
    (height, width), (down, right) = layer.kernel, layer.stride
    return activations.unfold(2, height, down).unfold(3, width, right).amax((-2, -1))


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
